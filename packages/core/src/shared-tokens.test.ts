import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';
import type { TokenStore } from './token-store.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('keeps the lock while a write that nobody waits for any more is under way', async () => {
  const log: string[] = [];
  const inner = memoryStore() as Required<TokenStore>;
  const store: TokenStore = {
    ...inner,
    async set(key, entry, options) {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      log.push('written');
      return inner.set(key, entry, options);
    },
    async lock(key, options) {
      const lock = await inner.lock(key, options);
      return {
        release: async () => {
          log.push('released');
          await lock.release();
        },
      };
    },
  };
  const tokens = createTokenManager({
    key: 'k',
    store,
    fetchToken: () => ({ accessToken: 't1', tokenType: 'Bearer', refreshToken: 'r1' }),
  });
  const got = tokens.getToken();
  await vi.advanceTimersByTimeAsync(2_500);
  expect((await got).accessToken).toBe('t1');
  expect(log).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(log).toEqual(['written', 'released']);
});

it('does not take a token for usable that runs out between two looks at the clock', async () => {
  const store = memoryStore();
  await store.set('k', { accessToken: 'old', tokenType: 'Bearer', expiresAtMs: 5 });
  let nowMs = 1_000_000;
  const fetchToken = (): { accessToken: string; tokenType: string } => ({ accessToken: 'new', tokenType: 'Bearer' });
  expect((await createTokenManager({ key: 'k', store, fetchToken, now: () => nowMs++ }).getToken()).accessToken).toBe('new');
});
