import { interleavedRounds, median, quantile, type RoundOptions, type Timed } from '../interleaved-rounds.ts';
import { checkContender } from './check-contender.ts';
import type { Client, LineUp } from './client-contender.ts';

/** One line of the table. */
export interface TimeRow {
  readonly name: string;
  readonly medianNs: number;
  /** What it adds to the bare client: the median of the differences within each round. */
  readonly addedNs: number;
  /** The whole call in relation to the hand-written contender's: the median of the ratios within each round. */
  readonly ratio: number;
  /** First and third quartile of `ratio`. */
  readonly quartiles: readonly [number, number];
}

/** Times one of ours together with all contenders that are not, for each kind of request. */
export async function timeCalls<Init>(lineUp: LineUp<Init>, ours: string, timing: RoundOptions): Promise<Record<string, TimeRow[]>> {
  const contenders = lineUp.contenders.filter(({ name, role }) => role !== 'ours' || name === ours);
  const clients = new Map<string, Client<Init>>();
  for (const contender of contenders) {
    await checkContender(contender, lineUp);
    clients.set(contender.name, (await contender.setup())());
  }
  const nameOf = (role: string): string => contenders.find((contender) => contender.role === role)!.name;
  const results: Record<string, TimeRow[]> = {};
  for (const [method, request] of Object.entries(lineUp.requests)) {
    results[method] = rowsOf(await interleavedRounds(clients, request, timing), nameOf('bare'), nameOf('hand-written'));
  }
  return results;
}

function rowsOf(timed: readonly Timed[], bare: string, handWritten: string): TimeRow[] {
  const roundsOf = (wanted: string): readonly number[] => timed.find(({ name }) => name === wanted)!.rounds;
  return timed.map(({ name, rounds }) => {
    const ratios = rounds.map((ns, round) => ns / roundsOf(handWritten)[round]!);
    return {
      name,
      medianNs: median(rounds),
      addedNs: median(rounds.map((ns, round) => ns - roundsOf(bare)[round]!)),
      ratio: median(ratios),
      quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    };
  });
}
