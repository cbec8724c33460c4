import { describe, expect, it, vi } from 'vitest';
import type { AuthEvent } from './auth-event.ts';
import { elapse, manager, T0, tokenEndpoint, useFakeClock } from './fixtures/token-endpoint.ts';
import { memoryStore } from './memory-store.ts';

useFakeClock();

describe('a store', () => {
  it.each([
    {},
    { entry: null },
    { entry: { accessToken: '' } },
    { entry: { accessToken: 5 } },
    { entry: { accessToken: 'a', expiresAtMs: Number.NaN } },
  ])('that answers %j has nothing stored, and an event says so', async (answer) => {
    const events: AuthEvent[] = [];
    const store = { ...memoryStore(), get: () => ({ version: '1', ...answer }) as never };
    const tokens = manager(tokenEndpoint().fetchToken, { store });
    expect(await tokens.getToken({ emit: (event) => events.push(event) })).toMatchObject({ accessToken: 'token-1' });
    const message = 'the entry is not a token set';
    expect(events).toContainEqual({ type: 'token-store-failed', strategy: 'test', generation: 1, operation: 'get', message });
  });

  it('that takes no write because others wrote says so in an event, and the token serves', async () => {
    const events: AuthEvent[] = [];
    const tokens = manager(tokenEndpoint().fetchToken, { store: { ...memoryStore(), set: () => false } });
    expect(await tokens.getToken({ emit: (event) => events.push(event) })).toMatchObject({ accessToken: 'token-1' });
    const failures = events.filter(({ type }) => type === 'token-store-failed');
    expect(failures).toMatchObject([{ operation: 'set', message: 'something else was written at the same time' }]);
  });

  it('has the token before anyone gets it, and shares it: two managers make one request', async () => {
    const store = memoryStore();
    const { fetchToken, requests } = tokenEndpoint();
    const [a, b] = [manager(fetchToken, { store }), manager(fetchToken, { store })];
    const [first, second] = await Promise.all([a.getToken(), b.getToken()]);
    expect(store.get('test')).toMatchObject({ entry: { accessToken: 'token-1' } });
    expect([first.accessToken, second.accessToken]).toEqual(['token-1', 'token-1']);
    expect(requests).toHaveLength(1);
  });

  it("gives a rejected token's replacement to whoever else was rejected", async () => {
    const store = memoryStore();
    const { fetchToken, requests } = tokenEndpoint();
    const [a, b] = [manager(fetchToken, { store }), manager(fetchToken, { store })];
    const [first, second] = await Promise.all([a.getToken(), b.getToken()]);
    await Promise.all([a.rejected(first), b.rejected(second)]);
    expect((await a.getToken()).accessToken).toBe('token-2');
    expect((await b.getToken()).accessToken).toBe('token-2');
    expect(requests).toHaveLength(2);
  });

  it('is not read for a token at hand', async () => {
    const store = memoryStore();
    const get = vi.spyOn({ ...store }, 'get');
    const tokens = manager(tokenEndpoint().fetchToken, { store: { ...store, get } });
    await tokens.getToken();
    const reads = get.mock.calls.length;
    await tokens.getToken();
    expect(get).toHaveBeenCalledTimes(reads);
  });

  it('that is down does not stop a grant without state, and says so', async () => {
    const events: AuthEvent[] = [];
    const down = () => Promise.reject(new Error('ECONNREFUSED'));
    const tokens = manager(tokenEndpoint().fetchToken, { store: { get: down, set: down, delete: down, lock: down } });
    expect(await tokens.getToken({ emit: (event) => events.push(event) })).toMatchObject({ accessToken: 'token-1' });
    expect(events.filter(({ type }) => type === 'token-store-failed')).toMatchObject([
      { operation: 'get' },
      { operation: 'lock' },
      { operation: 'set' },
    ]);
  });

  it('that is down stops a refresh token from being used blindly', async () => {
    const store = memoryStore();
    let isDown = false;
    const fail = <T>(work: () => T) => (isDown ? Promise.reject(new Error('down')) : work());
    const { fetchToken, requests } = tokenEndpoint({ refreshToken: 'r1', expiresAtMs: T0 + 100 });
    const tokens = manager(fetchToken, {
      store: {
        get: (key) => fail(() => store.get(key)),
        set: (...args) => fail(() => store.set(...args)),
        delete: store.delete,
        lock: store.lock,
      },
    });
    await tokens.getToken();
    isDown = true;
    vi.setSystemTime(T0 + 200);
    await expect(tokens.getToken()).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'get' });
    expect(requests).toHaveLength(1);
  });

  it('whose write failed does not bring an older refresh token back', async () => {
    const store = memoryStore();
    let mayWrite = true;
    const { fetchToken, requests } = tokenEndpoint(async () => ({
      accessToken: `t${requests.length}`,
      tokenType: 'Bearer',
      refreshToken: `r${requests.length}`,
      expiresAtMs: Date.now() + 1_000,
    }));
    const set: typeof store.set = (...args) => (mayWrite ? store.set(...args) : (false as never));
    const tokens = manager(fetchToken, { store: { ...store, set } });
    await tokens.getToken();
    mayWrite = false;
    vi.setSystemTime(T0 + 2_000);
    await tokens.getToken();
    vi.setSystemTime(T0 + 4_000);
    await tokens.getToken();
    expect(requests.map(({ current }) => current?.refreshToken)).toEqual([undefined, 'r1', 'r2']);
  });

  it('is not written to after an invalidation, whatever was under way', async () => {
    const store = memoryStore();
    let answer = (): void => {};
    const { fetchToken, requests } = tokenEndpoint({ refreshToken: 'r1', expiresAtMs: T0 + 1_000 }, async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { accessToken: 'late', tokenType: 'Bearer', refreshToken: 'r2' };
    });
    const tokens = manager(fetchToken, { store });
    await tokens.getToken();
    vi.setSystemTime(T0 + 2_000);
    const waiting = Promise.allSettled([tokens.getToken()]);
    await vi.waitUntil(() => requests.length === 2);
    await tokens.invalidate();
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.get('test')).toBeUndefined();
    expect(requests[2]?.current).toBeUndefined();
    answer();
    await waiting;
  });

  it('whose lock comes after the wait for it ended gets it back', async () => {
    const release = vi.fn(async () => {});
    const lock = () => new Promise<{ release(): Promise<void> }>((resolve) => setTimeout(() => resolve({ release }), 60_000));
    const tokens = manager(tokenEndpoint().fetchToken, { store: { ...memoryStore(), lock } });
    expect(await elapse(Promise.resolve(tokens.getToken()), 20_000)).toMatchObject({ status: 'fulfilled' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(release).toHaveBeenCalledOnce();
  });

  it('that never answers is waited for 2 s', async () => {
    const silent = () => new Promise<never>(() => {});
    const tokens = manager(tokenEndpoint().fetchToken, { store: { get: silent, set: silent, delete: silent } });
    expect(await elapse(Promise.resolve(tokens.getToken()), 4_000)).toMatchObject({ status: 'fulfilled' });
  });
});
