// The Redis store between processes that refresh, while Redis is restarted, killed and stopped. For longer runs see fixtures/store-redis-runs.ts.
import { beforeEach, describe, expect, it } from 'vitest';
import { refreshTogether } from './fixtures/store-redis-runs.ts';
import { hasRedis } from './redis/redis-server.ts';

const isThere = hasRedis();

describe('many processes share a token that lives a second:', { timeout: 180_000 }, () => {
  beforeEach((context) => {
    if (!isThere) context.skip('needs redis-server');
  });

  it('one refresh each time, no refresh token used twice, no failed call', async () => {
    const { refreshes, shortestMs, reuses, calls, failures, events } = await refreshTogether({ processes: 20, rounds: 8 });
    expect({ reuses, failures }).toEqual({ reuses: 0, failures: [] });
    expect(events['token-store-failed']).toBeUndefined();
    expect(refreshes).toBeGreaterThanOrEqual(8);
    expect(shortestMs).toBeGreaterThan(700);
    expect(calls).toBeGreaterThan(100);
  });

  it('a restart of Redis costs no call', async () => {
    const { reuses, failures } = await refreshTogether({ processes: 6, rounds: 6, trouble: 'restart' });
    expect({ reuses, failures }).toEqual({ reuses: 0, failures: [] });
  });

  it.each(['kill', 'pause'] as const)(
    'a Redis that is away for longer than anybody waits (%s) costs calls, and no session',
    async (trouble) => {
      const { reuses, failures } = await refreshTogether({ processes: 6, rounds: 6, trouble });
      expect(reuses).toBe(0);
      expect(failures.filter((failure) => !failure.startsWith('TokenStoreError: '))).toEqual([]);
    },
  );
});
