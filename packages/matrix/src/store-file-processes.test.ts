// The file store between processes that count, refresh, are stopped and are killed. For longer runs see fixtures/store-file-runs.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileStore } from '@authseam/store-file';
import { describe, expect, it } from 'vitest';
import { countTogether, inDirectory, killAtRandom, killed, refreshTogether } from './fixtures/store-file-runs.ts';
import { KEY } from './fixtures/store-file-worker.ts';

describe.skipIf(process.platform === 'win32')('many processes', { timeout: 180_000 }, () => {
  it.each(['comparison', 'lock'] as const)('lose no count of 20, by %s, though some are stopped in between', async (under) => {
    expect(await countTogether({ processes: 20, times: 15, under })).toBe(300);
  });

  it('that are killed at any moment leave whole entries, and a lock that is soon free', async () => {
    expect((await killAtRandom(50)).problems).toEqual([]);
  });

  it('share a token that lives a second: one refresh each time, no refresh token used twice, no failed call', async () => {
    const { refreshes, shortestMs, reuses, calls, failures, events } = await refreshTogether(20, 8);
    expect({ reuses, failures }).toEqual({ reuses: 0, failures: [] });
    expect(events['token-store-failed']).toBeUndefined();
    expect(refreshes).toBeGreaterThanOrEqual(8);
    expect(shortestMs).toBeGreaterThan(700);
    expect(calls).toBeGreaterThan(100);
  });
});

describe.skipIf(process.platform === 'win32')('a process that holds the lock', { timeout: 60_000 }, () => {
  it('and is killed leaves it for its time to live, not longer', () =>
    inDirectory(async ({ directory, start }) => {
      const holder = start({ task: 'hold', ttlMs: 3_000 });
      await holder.begun;
      await killed(holder.child);
      const store = fileStore({ directory });
      await expect(store.lock(KEY, { ttlMs: 1_000, waitMs: 100 })).rejects.toMatchObject({ operation: 'lock' });
      await (await store.lock(KEY, { ttlMs: 1_000, waitMs: 5_000 })).release();
    }));

  it.each(['over an entry', 'where there was nothing'])('and is stopped for longer than that has its write refused, %s', (where) =>
    inDirectory(async ({ directory, start }) => {
      const store = fileStore({ directory });
      if (where === 'over an entry') await store.set(KEY, { accessToken: 'first', tokenType: 'Bearer' });
      const holder = start({ task: 'hold', ttlMs: 300 });
      await holder.begun;
      holder.child.kill('SIGSTOP');
      await sleep(400);
      const lock = await store.lock(KEY, { ttlMs: 60_000, waitMs: 5_000 });
      const found = await store.get(KEY);
      await store.set(KEY, { accessToken: 'second', tokenType: 'Bearer' }, { ifVersion: found?.version ?? null });
      holder.child.kill('SIGCONT');
      holder.finish();
      expect(await holder.result).toEqual({ written: false });
      expect((await store.get(KEY))?.entry.accessToken).toBe('second');
      // Nor has its release taken away the lock of the other.
      await expect(store.lock(KEY, { ttlMs: 1_000, waitMs: 100 })).rejects.toMatchObject({ operation: 'lock' });
      await lock.release();
    }),
  );
});
