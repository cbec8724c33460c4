import { interleavedRounds, median, type RoundOptions } from '../interleaved-rounds.ts';
import type { OpenContender, StoreContender, StoreCost, StoreLineUp } from './store-line-ups.ts';

/** One line of the table. */
interface StoreRow {
  readonly name: string;
  readonly medianNs: number;
  /** In relation to the first of its line-up: the median over the rounds. */
  readonly timesReference: number;
  readonly perCall: StoreCost;
}

/** A line-up and what it was timed at. */
export interface StoreCosts {
  readonly name: string;
  readonly rows: readonly StoreRow[];
}

/** Enough to see whether one of them costs more than it may. */
const CALLS = 20;

/** Times those of `lineUp` together, each after it has shown what it costs. */
export async function timeStores({ name, contenders, warmUpCalls }: StoreLineUp, timing: RoundOptions): Promise<StoreCosts> {
  for (const contender of contenders) await checkCost(contender);
  const open = new Map<string, OpenContender>();
  for (const contender of contenders) open.set(contender.name, await contender.open());
  try {
    const calls = new Map([...open].map(([name, { call }]) => [name, call]));
    const timed = await interleavedRounds(calls, ['', undefined], { ...timing, warmUpCalls });
    const reference = timed[0]?.rounds ?? [];
    const rows = timed.map(({ name, rounds }, index) => ({
      name,
      medianNs: median(rounds),
      timesReference: median(rounds.map((ns, round) => ns / (reference[round] ?? Number.NaN))),
      perCall: contenders[index]!.perCall,
    }));
    return { name, rows };
  } finally {
    for (const { close } of open.values()) await close();
  }
}

/** What `contender` costs, per call. */
export async function costOf(contender: StoreContender): Promise<StoreCost> {
  const { call, spent, close } = await contender.open();
  try {
    for (let done = 0; done < CALLS; done += 1) await call();
    const { reads, roundTrips } = await spent();
    return { reads: reads / CALLS, roundTrips: roundTrips / CALLS };
  } finally {
    await close();
  }
}

async function checkCost(contender: StoreContender): Promise<void> {
  const cost = await costOf(contender);
  const isAsPromised = cost.reads === contender.perCall.reads && cost.roundTrips === contender.perCall.roundTrips;
  if (!isAsPromised) throw new Error(`${contender.name} costs ${JSON.stringify(cost)}, not ${JSON.stringify(contender.perCall)}.`);
}

/** The table of one line-up. */
export function storeTable({ name, rows }: StoreCosts): readonly string[] {
  const cells = rows.map(({ name, medianNs, timesReference, perCall }) => [
    name,
    medianNs.toFixed(0),
    timesReference.toFixed(2),
    `${perCall.reads}`,
    `${perCall.roundTrips}`,
  ]);
  const table = [[`getToken, ${name}`, 'ns/call', '× the first', 'store reads', 'round trips'], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
}
