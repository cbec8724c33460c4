// When a refresh token is not sent: too late, without the store, or by a process that was stopped.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TokenEndpointError } from './auth-error.ts';
import { down, entryOf, manager, rotatingEndpoint, tokenSet } from './fixtures/rotating-endpoint.ts';
import { memoryStore } from './memory-store.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

const busy = (retryAfterMs?: number) => new TokenEndpointError('busy', { status: 503, retryAfterMs });

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

function storeWith(token: TokenSet = tokenSet('0', 0)) {
  const store = memoryStore() as Required<TokenStore>;
  store.set('k', token);
  return store;
}

it('a process that was stopped while it waited for the lock asks for it again before it sends', async () => {
  const store = storeWith();
  let locks = 0;
  const lock: TokenStore['lock'] = async (...rest) => {
    const granted = await store.lock(...rest);
    locks += 1;
    if (locks === 1) vi.setSystemTime(Date.now() + 25_000);
    return granted;
  };
  const { fetchToken, sent } = rotatingEndpoint({ tookMs: 1_000 });
  const got = manager({ ...store, lock }, fetchToken).getToken();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([(await got).accessToken, locks, sent]).toEqual(['at-1', 2, ['rt-0']]);
});

it('is not sent again with less time than a request needs before the lock ends', async () => {
  for (const [retryAfterMs, attempts] of [
    [19_000, 2],
    [25_000, 1],
  ] as const) {
    const fetchToken = vi.fn(() => Promise.reject(busy(retryAfterMs)));
    const failing = expect(manager(storeWith(), fetchToken).getToken()).rejects.toMatchObject({ status: 503 });
    await vi.advanceTimersByTimeAsync(60_000);
    await failing;
    expect(fetchToken).toHaveBeenCalledTimes(attempts);
  }
});

it('is not sent again by a process that was stopped between two attempts, or during the first one', async () => {
  for (const stoppedIn of ['pause', 'attempt']) {
    const fetchToken = vi.fn(async () => {
      if (stoppedIn === 'attempt') vi.setSystemTime(Date.now() + 13_000);
      throw busy();
    });
    const failing = expect(manager(storeWith(), fetchToken).getToken()).rejects.toMatchObject({ status: 503 });
    await vi.advanceTimersByTimeAsync(100);
    if (stoppedIn === 'pause') vi.setSystemTime(Date.now() + 3_000);
    await vi.advanceTimersByTimeAsync(10_000);
    await failing;
    expect(fetchToken).toHaveBeenCalledTimes(1);
  }
});

it('is not sent once its attempt is over: the lock may be another’s by then', async () => {
  const inner = storeWith();
  let reads = 0;
  const get: TokenStore['get'] = async (key) => {
    reads += 1;
    if (reads === 3) await new Promise((resolve) => setTimeout(resolve, 1_500));
    return inner.get(key);
  };
  const fetchToken = vi.fn(() => Promise.reject(busy()));
  const tokens = manager({ ...inner, get }, fetchToken, { attemptTimeoutMs: 1_000 });
  const failing = expect(tokens.getToken()).rejects.toMatchObject({ code: 'TOKEN_REQUEST_TIMEOUT' });
  await vi.advanceTimersByTimeAsync(10_000);
  await failing;
  expect(fetchToken).toHaveBeenCalledTimes(1);
});

it('stays this process’s to write when it is stopped under the lock that it took over', async () => {
  const inner = storeWith();
  let isDown = true;
  let reads = -Infinity;
  const get: TokenStore['get'] = (key) => {
    reads += 1;
    if (reads === 2) vi.setSystemTime(Date.now() + 3_000);
    return inner.get(key);
  };
  const { fetchToken, sent } = rotatingEndpoint({ tookMs: 100 });
  const here = manager({ ...inner, get, set: (...rest) => (isDown ? down() : inner.set(...rest)) }, fetchToken);
  const there = manager(inner, fetchToken);
  const first = here.getToken();
  await vi.advanceTimersByTimeAsync(100);
  const waiting = there.getToken();
  await vi.advanceTimersByTimeAsync(300);
  reads = 0;
  const recovered = here.rejected(await first);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await recovered).toBe(true);
  isDown = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([(await waiting).accessToken, sent, entryOf(inner)?.accessToken]).toEqual(['at-2', ['rt-0', 'rt-1'], 'at-2']);
});

it('an `initial` one needs the store as any other does', async () => {
  for (const operation of ['get', 'lock'] as const) {
    const { fetchToken, sent } = rotatingEndpoint();
    const options = { initial: tokenSet('0', 0), needsRefreshToken: false };
    const tokens = manager({ ...memoryStore(), [operation]: down }, fetchToken, options);
    await expect(tokens.getToken()).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR', operation });
    expect(sent).toEqual([]);
  }
});

it('an `initial` token without one serves, and replaces nothing that could not be read', async () => {
  const inner = storeWith(tokenSet('5'));
  let reads = 0;
  const get: TokenStore['get'] = (key) => {
    reads += 1;
    return reads < 3 ? down() : inner.get(key);
  };
  const { refreshToken: _, ...initial } = tokenSet('seed');
  const tokens = manager({ ...inner, get }, rotatingEndpoint().fetchToken, { initial, needsRefreshToken: false });
  await tokens.getToken();
  expect(entryOf(inner)).toMatchObject({ accessToken: 'at-5', refreshToken: 'rt-5' });
});

it('a session without one stays in the store until it runs out', async () => {
  const store = memoryStore();
  const tokens = manager(store, rotatingEndpoint().fetchToken);
  const { refreshToken: _, ...set } = tokenSet('s');
  await tokens.adopt(set);
  await vi.advanceTimersByTimeAsync(57 * 60_000);
  expect(tokens.getToken()).toMatchObject({ accessToken: 'at-s' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(entryOf(store)?.accessToken).toBe('at-s');
  await vi.advanceTimersByTimeAsync(3 * 60_000);
  await expect(tokens.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  expect(entryOf(store)).toBeUndefined();
});
