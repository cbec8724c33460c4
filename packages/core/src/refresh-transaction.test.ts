// The refresh transaction where processes, clocks and stores are at their worst.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TokenEndpointError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import { down, later, manager, rotatingEndpoint, tokenSet } from './fixtures/rotating-endpoint.ts';
import { memoryStore } from './memory-store.ts';
import type { TokenManagerOptions } from './token-manager-options.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

it('a sign-in while others ask for a token is refreshed under the lock, if it has to be', async () => {
  const inner = memoryStore();
  const { fetchToken, sent } = rotatingEndpoint({ first: 'rt-new', tookMs: 100 });
  const locks = vi.fn(inner.lock);
  let reads = 0;
  const get: TokenStore['get'] = (key) => {
    reads += 1;
    if (reads === 3) inner.set('k', tokenSet('new', 0)); // after both have found nothing
    return inner.get(key);
  };
  const store = { ...inner, get, lock: locks };
  const all = Promise.all([1, 2].map(() => manager(store, fetchToken).getToken()));
  await vi.advanceTimersByTimeAsync(5_000);
  expect((await all).map(({ accessToken }) => accessToken)).toEqual(['at-1', 'at-1']);
  expect(sent.filter(Boolean)).toEqual(['rt-new']);
  expect(locks).toHaveBeenCalled();
});

it('a refresh token is sent only while its lock lives, however long the limits of a request are', async () => {
  const store = memoryStore();
  store.set('k', tokenSet('0', 0));
  const sentAtMs: number[] = [];
  const startMs = Date.now();
  const slow: TokenManagerOptions['fetchToken'] = async () => {
    sentAtMs.push(Date.now() - startMs);
    await later(9_000);
    throw new TokenEndpointError('503', { status: 503, retryAfterMs: 17_000 });
  };
  const long = { attemptTimeoutMs: 60_000, totalTimeoutMs: 120_000 };
  const refreshing = expect(manager(store, slow, long).getToken()).rejects.toMatchObject({ status: 503 });
  await vi.advanceTimersByTimeAsync(60_000);
  await refreshing;
  expect(sentAtMs).toEqual([0]); // the next one, after 26 s, might end after the lock
  const stalled = expect(manager(store, () => new Promise(() => {}), long).getToken()).rejects.toMatchObject({
    code: 'TOKEN_REQUEST_TIMEOUT',
  });
  await vi.advanceTimersByTimeAsync(26_000);
  await stalled;
});

it('a process that was stopped between its look into the store and its request looks again', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  const { fetchToken, sent } = rotatingEndpoint();
  let reads = 0;
  const get: TokenStore['get'] = (key) => {
    const found = inner.get(key);
    reads += 1;
    if (reads === 2) {
      // It has the lock and its answer, and is stopped for longer than the lock lives; another process refreshes meanwhile.
      vi.setSystemTime(Date.now() + 31_000);
      inner.set('k', tokenSet('other'));
    }
    return found;
  };
  expect((await manager({ ...inner, get }, fetchToken).getToken()).accessToken).toBe('at-other');
  expect(sent).toEqual([]);
});

it('a clock that leaps at each look ends in an error, not in a loop', async () => {
  const store = memoryStore();
  store.set('k', tokenSet('0', 0));
  let nowMs = Date.now();
  const now = (): number => {
    nowMs += 3_600_000;
    return nowMs;
  };
  await expect(manager(store, rotatingEndpoint().fetchToken, { now }).getToken()).rejects.toMatchObject({ operation: 'lock' });
});

it('whoever waits for the lock takes what its holder wrote, and needs no lock for it', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  const { fetchToken, sent } = rotatingEndpoint({ tookMs: 1_000 });
  // Giving a lock back takes long: one after the other, twenty would need 20 s.
  const lock: TokenStore['lock'] = async (key, options) => {
    const granted = await inner.lock(key, options);
    return { release: () => later(1_000).then(() => granted.release()) };
  };
  const events: AuthEvent[] = [];
  const emit = (event: AuthEvent) => events.push(event);
  const all = Promise.all(Array.from({ length: 20 }, () => manager({ ...inner, lock }, fetchToken).getToken({ emit })));
  await vi.advanceTimersByTimeAsync(2_500);
  expect(new Set((await all).map(({ accessToken }) => accessToken))).toEqual(new Set(['at-1']));
  expect([sent, events.filter(({ type }) => type === 'token-locked').length]).toEqual([['rt-0'], 1]);
  await vi.advanceTimersByTimeAsync(5_000);
  await (await inner.lock('k', { ttlMs: 1_000, waitMs: 0 })).release(); // nobody took it in passing
});

it('a lock that was taken over is kept on when the store fails again', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  let isDown = true;
  let reads = 0;
  let failing = Infinity;
  const get: TokenStore['get'] = (key) => {
    reads += 1;
    return reads === failing ? down() : inner.get(key);
  };
  const { fetchToken, sent } = rotatingEndpoint();
  const here = manager({ ...inner, get, set: (...rest) => (isDown ? down() : inner.set(...rest)) }, fetchToken);
  await here.getToken();
  failing = reads + 2; // the one with the lock
  await expect(here.getToken({ forceRefresh: true })).rejects.toMatchObject({ operation: 'get' });
  const there = manager(inner, fetchToken).getToken();
  await vi.advanceTimersByTimeAsync(2_000);
  isDown = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect([(await there).accessToken, sent]).toEqual(['at-1', ['rt-0']]);
});

it.each([16_000, 24_000])('a lock that is kept is not given to others by a refresh of its own process after %s ms', async (afterMs) => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  const { fetchToken, sent } = rotatingEndpoint();
  const here = manager({ ...inner, set: down }, fetchToken);
  await here.getToken();
  await vi.advanceTimersByTimeAsync(afterMs - 1_000);
  const there = manager(inner, fetchToken).getToken();
  void Promise.resolve(there).catch(() => {});
  await vi.advanceTimersByTimeAsync(1_000);
  void Promise.resolve(here.getToken({ forceRefresh: true })).catch(() => {});
  await vi.advanceTimersByTimeAsync(3_000);
  expect(sent.filter((token) => token === 'rt-0')).toHaveLength(1);
});

it('a sign-out during a refresh whose write fails leaves nobody the refresh token that is spent', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  const { fetchToken, sent } = rotatingEndpoint({ tookMs: 100 });
  let isLeaving = false;
  const get: TokenStore['get'] = (key) => (isLeaving ? later(1_500).then(() => inner.get(key)) : inner.get(key));
  const here = manager({ ...inner, get, set: () => later(100).then(down) }, fetchToken);
  const refreshing = expect(here.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  await vi.advanceTimersByTimeAsync(150);
  isLeaving = true; // and finds the entry last
  const leaving = here.invalidate();
  const there = expect(manager(inner, fetchToken).getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  await vi.advanceTimersByTimeAsync(5_000);
  await Promise.all([refreshing, leaving, there]);
  expect(sent.filter(Boolean)).toEqual(['rt-0']);
});

it('an earlier write that arrives during a refresh is written over by it', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  let mode: 'down' | 'slow' | 'up' = 'down';
  const set: TokenStore['set'] = (...rest) => (mode === 'down' ? down() : later(mode === 'slow' ? 500 : 0).then(() => inner.set(...rest)));
  const { fetchToken, sent } = rotatingEndpoint({ tookMs: 1_000 });
  const tokens = manager({ ...inner, set }, fetchToken);
  const first = tokens.getToken();
  await vi.advanceTimersByTimeAsync(40_000); // the lock that was kept has run out
  expect((await first).accessToken).toBe('at-1');
  mode = 'slow';
  tokens.getToken(); // writes at-1 again, which arrives after 500 ms
  const forced = tokens.getToken({ forceRefresh: true });
  await vi.advanceTimersByTimeAsync(600);
  mode = 'up';
  await vi.advanceTimersByTimeAsync(5_000);
  expect((await forced).accessToken).toBe('at-2');
  expect([sent, await inner.get('k'), tokens.isSettled()]).toMatchObject([['rt-0', 'rt-1'], { entry: { accessToken: 'at-2' } }, true]);
});

it('a token of another process that is rejected at once is refreshed: this process has not replaced anything yet', async () => {
  const store = memoryStore();
  const { fetchToken, sent } = rotatingEndpoint({ first: 'rt-other' });
  const tokens = manager(store, fetchToken);
  const first = await tokens.adopt(tokenSet('0'));
  store.set('k', tokenSet('other'));
  expect(await tokens.rejected(first)).toBe(true);
  const second = await tokens.getToken();
  expect(second.accessToken).toBe('at-other');
  expect(await tokens.rejected(second)).toBe(true);
  const third = await tokens.getToken();
  expect(await tokens.rejected(third)).toBe(false);
  expect(sent).toEqual(['rt-other']);
});

it('what was signed out does not come back here where the store could not be told, and goes when it can', async () => {
  const inner = memoryStore();
  let isDown = true;
  const remove: TokenStore['delete'] = (...rest) => (isDown ? down() : inner.delete(...rest));
  const tokens = manager({ ...inner, delete: remove }, rotatingEndpoint().fetchToken);
  await tokens.adopt(tokenSet('0'));
  await expect(tokens.invalidate()).rejects.toMatchObject({ operation: 'delete' });
  await expect(tokens.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  isDown = false;
  await expect(tokens.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  await vi.advanceTimersByTimeAsync(0);
  expect(inner.get('k')).toBeUndefined();
  expect((await tokens.adopt(tokenSet('new'))).accessToken).toBe('at-new');
});

it('a store that answers `null` has nothing, and a sign-out in it counts', async () => {
  const inner = memoryStore();
  const store: TokenStore = { ...inner, get: (key) => inner.get(key) ?? (null as unknown as undefined) };
  const { fetchToken, sent } = rotatingEndpoint();
  const tokens = manager(store, fetchToken);
  await tokens.adopt(tokenSet('0'));
  inner.delete('k');
  await expect(tokens.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  expect(sent).toEqual([undefined]);
});

it('an entry that nobody can read is written over by a grant that needs no state', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('sealed'));
  const get: TokenStore['get'] = (key) =>
    (inner.get(key) as { entry: TokenSet } | undefined)?.entry.accessToken === 'at-sealed' ? down() : inner.get(key);
  let fetched = 0;
  const fetchToken = () => ({ accessToken: `t${++fetched}`, tokenType: 'Bearer' });
  const machines = [1, 2, 3].map(() => manager({ ...inner, get }, fetchToken, { needsRefreshToken: false }));
  for (const tokens of machines) expect((await tokens.getToken()).accessToken).toBe('t1');
});

it('an endless lifetime is none: JSON would make it null, and a store an entry that nobody can read', async () => {
  const tokens = manager(memoryStore(), rotatingEndpoint().fetchToken);
  expect(await tokens.adopt({ accessToken: 'a', tokenType: 'Bearer', expiresAtMs: Infinity })).not.toHaveProperty('expiresAtMs');
});
