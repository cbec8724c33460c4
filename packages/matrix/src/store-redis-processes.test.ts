// Processes that refresh while Redis is restarted, killed and stopped. Without trouble, and through both stores: store-fleet.test.ts.
import { beforeEach, describe, expect, it } from 'vitest';
import { refreshTogether } from '../bench/fleet/refresh-run.ts';
import { hasRedis } from './redis/redis-server.ts';

const isThere = hasRedis();

describe('many processes share a token that lives a second:', { timeout: 180_000 }, () => {
  beforeEach((context) => {
    if (!isThere) context.skip('needs redis-server');
  });

  it('a restart of Redis costs no call', async () => {
    const { reuses, failures } = await refreshTogether({ store: 'redis', processes: 6, rounds: 6, trouble: 'restart' });
    expect({ reuses, failures }).toEqual({ reuses: [], failures: [] });
  });

  it.each(['kill', 'pause'] as const)(
    'a Redis that is away for longer than anybody waits (%s) costs calls, and no session',
    async (trouble) => {
      const { reuses, failures } = await refreshTogether({ store: 'redis', processes: 6, rounds: 6, trouble });
      expect(reuses).toEqual([]);
      expect(failures.filter((failure) => !failure.startsWith('TokenStoreError: '))).toEqual([]);
    },
  );
});
