import { performance } from 'node:perf_hooks';
import type { Reuse } from '../../src/fixtures/rotating-server.ts';
import { quantile } from '../interleaved-rounds.ts';
import type { StoreName } from './fleet-site.ts';
import { killRefreshing, LOCK_TTL_MS } from './kill-run.ts';
import { pauseHolders } from './paused-holder-run.ts';
import { type RefreshRun, refreshTogether } from './refresh-run.ts';

/** How much is done. */
interface FleetEffort {
  /** Refreshes of the run without trouble; runs with trouble have fewer. */
  readonly rounds: number;
  /** Processes that are killed; where the server has a grace, half as many. */
  readonly kills: number;
  readonly processes: number;
}

/** Half, nineteen of twenty, and all are at most this long. */
type Spread = readonly [p50: number, p95: number, max: number];

/** One line of the table: what was done, and what came of it. `undefined` where it does not apply. Times in milliseconds. */
export interface FleetRow {
  readonly name: string;
  readonly store: StoreName;
  readonly times: string;
  readonly refreshes?: number;
  readonly calls?: number;
  readonly failedCalls?: number;
  readonly reuses?: number;
  readonly lockWaitsMs?: Spread;
  readonly callWaitsMs?: Spread;
  readonly longestRecoveryMs?: number;
  readonly tookMs: number;
  /** What else there is to know. */
  readonly notes: readonly string[];
  /** Promises that were not kept. */
  readonly broken: readonly string[];
}

/** A run that has still to be done. */
export interface PlannedRun {
  readonly name: string;
  readonly store: StoreName;
  run(effort: FleetEffort): Promise<FleetRow>;
}

const FIVE_MINUTES_MS = 300_000;
/** Between the end of a dead process's lock and the end of another one's refresh: looking for the lock, the token request, a machine that is busy. */
const RECOVERY_SLACK_MS = 1_500;

/** Everything that `pnpm fleet` does, with one store. */
export function plannedRuns(store: StoreName): readonly PlannedRun[] {
  const plan = (name: string, run: (effort: FleetEffort) => Promise<Omit<FleetRow, 'name' | 'store' | 'tookMs'>>): PlannedRun => ({
    name,
    store,
    async run(effort) {
      const startMs = performance.now();
      return { name, store, ...(await run(effort)), tookMs: performance.now() - startMs };
    },
  });
  const part = ({ rounds }: FleetEffort, share: number): number => Math.max(Math.ceil(rounds * share), 6);
  return [
    plan('refresh together', ({ processes, rounds }) => refreshing({ store, processes, rounds })),
    plan('clocks +5, 0, −5 min', (effort) =>
      refreshing({ store, processes: effort.processes, rounds: part(effort, 0.1), skewsMs: [FIVE_MINUTES_MS, 0, -FIVE_MINUTES_MS] }),
    ),
    ...(store === 'redis' ? troubled : []).map(({ name, trouble, share }) =>
      plan(name, (effort) => refreshing({ store, processes: effort.processes, rounds: part(effort, share), trouble })),
    ),
    plan('kill -9, no grace', ({ kills }) => killing(store, kills, 0)),
    plan('kill -9, grace of 30 s', ({ kills }) => killing(store, Math.ceil(kills / 2), 30_000)),
    plan('holder paused', ({ kills }) => pausing(store, Math.ceil(kills / 10))),
  ];
}

const troubled = [
  { name: 'Redis restarted', trouble: 'restart', share: 0.1 },
  { name: 'Redis away for 3 s', trouble: 'kill', share: 0.02 },
  { name: 'Redis stopped for 3 s', trouble: 'pause', share: 0.02 },
] as const;

async function refreshing(run: RefreshRun): Promise<Omit<FleetRow, 'name' | 'store' | 'tookMs'>> {
  const { refreshes, shortestMs, longestMs, reuses, calls, failures, events, lockWaitsMs, callWaitsMs, troubles } =
    await refreshTogether(run);
  // Who waits for a Redis that is away for longer than the limit is told so. It is the only failure that there may be.
  const mayFail = run.trouble === 'kill' || run.trouble === 'pause';
  const unexpected = failures.filter((failure) => !(mayFail && failure.startsWith('TokenStoreError: ')));
  const isOften = !run.trouble && !run.skewsMs && shortestMs < 700;
  const { 'token-adopted': adopted = 0, rejected = 0 } = events;
  return {
    times: `${run.processes} × ${run.rounds}`,
    refreshes,
    calls,
    failedCalls: failures.length,
    reuses: reuses.length,
    lockWaitsMs: spread(lockWaitsMs),
    callWaitsMs: spread(callWaitsMs),
    ...(run.trouble && { longestRecoveryMs: longestMs }),
    notes: [
      `a refresh every ${Math.round(shortestMs)} to ${Math.round(longestMs)} ms`,
      `${adopted} adopted`,
      ...(rejected > 0 ? [`${rejected} × 401, mended`] : []),
      ...(troubles > 0 ? [`${troubles} × trouble`] : []),
      ...Object.entries(events).flatMap(([name, count]) => (name.startsWith('token-store-failed') ? [`${count} × ${name}`] : [])),
    ],
    broken: [
      ...reuses.map(
        ({ by, atMs, spent }) => `${by} used at ${Math.round(atMs)} ms what ${spent.by} had used at ${Math.round(spent.atMs)} ms`,
      ),
      ...tally(unexpected),
      ...(isOften ? [`two refreshes within ${Math.round(shortestMs)} ms`] : []),
      ...(refreshes < run.rounds ? [`only ${refreshes} refreshes`] : []),
    ],
  };
}

async function killing(store: StoreName, kills: number, graceMs: number): Promise<Omit<FleetRow, 'name' | 'store' | 'tookMs'>> {
  const { diedAt, refreshes, inevitable, reuses, forgiven, refusals, longestRecoveryMs, givenUp, problems } = await killRefreshing({
    store,
    kills,
    graceMs,
  });
  const limitMs = LOCK_TTL_MS + RECOVERY_SLACK_MS;
  return {
    times: `${kills} kills`,
    refreshes,
    failedCalls: problems.length + givenUp,
    reuses: reuses.length + inevitable.length,
    longestRecoveryMs,
    notes: [
      `died at: ${Object.entries(diedAt)
        .filter(([, count]) => count > 0)
        .map(([step, count]) => `${step} ${count}`)
        .join(', ')}`,
      `died between answer and write: ${inevitable.length + forgiven}, ${graceMs > 0 ? `forgiven ${forgiven}, ` : ''}signed in again ${inevitable.length}`,
      ...(givenUp > 0 ? [`${givenUp} gave up on the lock`] : []),
      ...(refusals > 0 ? [`${refusals} more requests refused`] : []),
    ],
    broken: [
      ...reuses.map(describeReuse),
      ...tally(problems),
      ...(longestRecoveryMs > limitMs ? [`recovery took longer than ${limitMs} ms`] : []),
      ...(graceMs > 0 && inevitable.length > 0 ? ['a session was lost within the grace'] : []),
    ],
  };
}

async function pausing(store: StoreName, pauses: number): Promise<Omit<FleetRow, 'name' | 'store' | 'tookMs'>> {
  const { refusedWrites, problems } = await pauseHolders(store, pauses);
  return {
    times: `${pauses} pauses`,
    notes: [`${refusedWrites} late writes refused`],
    broken: [...(refusedWrites < pauses ? [`${pauses - refusedWrites} late writes were taken`] : []), ...tally(problems)],
  };
}

/** A lock that had been held for longer than it lives is no fault of the store's: the machine had stopped its holder. */
function describeReuse({ by, atMs, heldMs, spent }: Reuse): string {
  const earlier = `${spent.by} had used ${Math.round(atMs - spent.atMs)} ms before, ${spent.heldMs} ms after it had the lock`;
  return `${by} used, ${heldMs} ms after it had the lock, what ${earlier}`;
}

function spread(values: readonly number[]): Spread {
  return [quantile(values, 0.5), quantile(values, 0.95), quantile(values, 1)];
}

/** Each once, with its number. */
function tally(lines: readonly string[]): string[] {
  return [...Map.groupBy(lines, (line) => line)].map(([line, all]) => `${all.length} × ${line}`);
}
