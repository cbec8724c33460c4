// Processes that share a session through a store, from a server that takes a refresh token once. `pnpm fleet` does the same for longer.
import { beforeEach, describe, expect, it } from 'vitest';
import { atSite, KEY, storeNames } from '../bench/fleet/fleet-site.ts';
import { killRefreshing, LOCK_TTL_MS } from '../bench/fleet/kill-run.ts';
import { pauseHolders } from '../bench/fleet/paused-holder-run.ts';
import { refreshTogether } from '../bench/fleet/refresh-run.ts';
import { hasRedis } from './redis/redis-server.ts';

const isThere = { file: process.platform !== 'win32', redis: hasRedis() };
const FIVE_MINUTES_MS = 300_000;

describe.each(storeNames)('many processes share one session through the %s store:', { timeout: 180_000 }, (store) => {
  beforeEach((context) => {
    if (!isThere[store]) context.skip(store === 'redis' ? 'needs redis-server' : 'needs signals');
  });

  it('a token that lives a second is refreshed once each time, no refresh token is used twice, no call fails', async () => {
    const { refreshes, shortestMs, reuses, calls, failures, events } = await refreshTogether({ store, processes: 20, rounds: 8 });
    expect({ reuses, failures }).toEqual({ reuses: [], failures: [] });
    expect(Object.keys(events).filter((name) => name.startsWith('token-store-failed'))).toEqual([]);
    expect(refreshes).toBeGreaterThanOrEqual(8);
    expect(shortestMs).toBeGreaterThan(700);
    expect(calls).toBeGreaterThan(100);
  });

  it('clocks that are ten minutes apart use no refresh token twice, and fail no call', async () => {
    const skewsMs = [FIVE_MINUTES_MS, 0, -FIVE_MINUTES_MS];
    const { refreshes, reuses, failures } = await refreshTogether({ store, processes: 9, rounds: 8, skewsMs });
    expect({ reuses, failures }).toEqual({ reuses: [], failures: [] });
    expect(refreshes).toBeGreaterThanOrEqual(8);
  });

  it('killed at any step, they lose only what no one had written, and the others go on when the lock ends', async () => {
    const { diedAt, reuses, problems, longestRecoveryMs } = await killRefreshing({ store, kills: 5 });
    expect({ reuses, problems }).toEqual({ reuses: [], problems: [] });
    expect(diedAt.locked + diedAt.sent + diedAt.answered + diedAt.written).toBeGreaterThan(0);
    expect(longestRecoveryMs).toBeLessThan(LOCK_TTL_MS + 8_000); // machines that run tests are slow; `pnpm fleet` is strict
  });

  it('killed at any step, they lose nothing where the server takes the refresh token before the last once more', async () => {
    const { inevitable, reuses, problems } = await killRefreshing({ store, kills: 5, graceMs: 60_000 });
    expect({ inevitable, reuses, problems }).toEqual({ inevitable: [], reuses: [], problems: [] });
  });

  it('a holder that was stopped for longer than its lock lived has its write refused, and takes no lock from another', async () => {
    expect(await pauseHolders(store, 2)).toEqual({ refusedWrites: 2, problems: [] });
  });

  it('a holder that is killed leaves the lock for its time to live, not longer', () =>
    atSite(store, async (site) => {
      const holder = site.start(0, { task: 'hold', name: 'holder', lockTtlMs: 3_000 });
      await holder.begun;
      await holder.kill();
      await expect(site.store.lock(KEY, { ttlMs: 1_000, waitMs: 100 })).rejects.toMatchObject({ operation: 'lock' });
      await (await site.store.lock(KEY, { ttlMs: 1_000, waitMs: 5_000 })).release();
    }));
});
