import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reuse, RotatingServer } from '../../src/fixtures/rotating-server.ts';
import type { RedisServer } from '../../src/redis/redis-server.ts';
import { atSite, type FleetSite, KEY, type StoreName } from './fleet-site.ts';
import type { FleetResult } from './fleet-worker.ts';

/** What happens to Redis over and over, while everybody uses it. */
const troubles = {
  /** It is away for as long as a restart takes. */
  restart: (redis: RedisServer) => away(redis, 100),
  /** It is away for longer than anybody waits for it. */
  kill: (redis: RedisServer) => away(redis, 3_000),
  /** It keeps its connections and answers nobody, for longer than anybody waits. */
  async pause(redis: RedisServer): Promise<void> {
    redis.signal('SIGSTOP');
    await sleep(3_000);
    redis.signal('SIGCONT');
  },
} as const;

/** A {@link refreshTogether}. */
export interface RefreshRun {
  readonly store: StoreName;
  readonly processes: number;
  /** Refreshes until it ends. */
  readonly rounds: number;
  /** Of Redis only. */
  readonly trouble?: keyof typeof troubles;
  /** How far the clocks of the processes are off, in milliseconds, dealt out in turn. Default: not at all. */
  readonly skewsMs?: readonly number[];
}

/** What {@link refreshTogether} found. */
export interface RefreshResult {
  /** Token requests that were answered with a token. */
  readonly refreshes: number;
  /** The shortest and the longest time between two of them, in milliseconds. */
  readonly shortestMs: number;
  readonly longestMs: number;
  /** Refresh tokens that came twice: the server takes everything back then. */
  readonly reuses: readonly Reuse[];
  readonly calls: number;
  readonly failures: readonly string[];
  readonly events: Readonly<Record<string, number>>;
  readonly lockWaitsMs: readonly number[];
  readonly callWaitsMs: readonly number[];
  /** How often the trouble came. */
  readonly troubles: number;
}

/** For how long a fleet may need to go on once all trouble is over: as long as a lock lives, and some. Milliseconds. */
const GOES_ON_WITHIN_MS = 40_000;

/** Processes that share tokens of a second, from a server that takes a refresh token once, and takes everything back if one comes twice. */
export function refreshTogether(run: RefreshRun): Promise<RefreshResult> {
  const { processes, rounds, skewsMs = [0] } = run;
  return atSite(run.store, async (site) => {
    const { server } = site;
    const { lifetimeMs: _, ...first } = server.signIn();
    await site.store.set(KEY, { ...first, receivedAtMs: 0, expiresAtMs: 1 });
    const workers = Array.from({ length: processes }, (_, index) =>
      site.start(index, { task: 'call', name: `${index}`, skewMs: skewsMs[index % skewsMs.length] ?? 0 }),
    );
    await Promise.all(workers.map(({ begun }) => begun));
    const troubleCount = await untilRefreshed(rounds, run, site);
    const goesOn = await untilRefreshed(server.refreshes.length + 2, { deadlineMs: Date.now() + GOES_ON_WITHIN_MS }, site);
    for (const { finish } of workers) finish();
    const results = await Promise.all(workers.map(({ result }) => result));
    return { ...summary(server, results, goesOn === undefined ? ['no refresh after the trouble'] : []), troubles: troubleCount ?? 0 };
  });
}

/** Waits, and makes trouble meanwhile. @returns How often it did; `undefined` when there were not enough refreshes in time. */
async function untilRefreshed(
  rounds: number,
  { trouble, deadlineMs = Infinity }: { readonly trouble?: keyof typeof troubles; readonly deadlineMs?: number },
  { redis, server: { refreshes, reuses } }: FleetSite,
): Promise<number | undefined> {
  let count = 0;
  while (refreshes.length < rounds && reuses.length === 0) {
    if (Date.now() > deadlineMs) return undefined;
    await sleep(trouble ? randomInt(500, 2_000) : 50);
    if (!trouble || !redis) continue;
    await troubles[trouble](redis);
    count += 1;
  }
  return count;
}

async function away(redis: RedisServer, forMs: number): Promise<void> {
  redis.signal('SIGKILL');
  await sleep(forMs);
  await redis.restart();
}

function summary(
  { refreshes, reuses }: RotatingServer,
  results: readonly FleetResult[],
  problems: readonly string[],
): Omit<RefreshResult, 'troubles'> {
  const events: Record<string, number> = {};
  for (const [type, count] of results.flatMap((result) => Object.entries(result.events))) events[type] = (events[type] ?? 0) + count;
  const gapsMs = refreshes.slice(1).map(({ atMs }, index) => atMs - (refreshes[index]?.atMs ?? 0));
  return {
    refreshes: refreshes.length,
    shortestMs: Math.min(...gapsMs),
    longestMs: Math.max(...gapsMs),
    reuses,
    calls: results.reduce((sum, { calls }) => sum + calls, 0),
    failures: [...results.flatMap(({ failures }) => failures), ...problems],
    events,
    lockWaitsMs: results.flatMap(({ lockWaitsMs }) => lockWaitsMs),
    callWaitsMs: results.flatMap(({ callWaitsMs }) => callWaitsMs),
  };
}
