// What a token manager does with its store: late writes, failed ones, lost connections, steps told.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TokenEndpointError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import { down, entryOf, later, manager, rotatingEndpoint, tokenSet } from './fixtures/rotating-endpoint.ts';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';
import type { TokenStore } from './token-store.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a write that takes too long', () => {
  const slow = (inner: Required<TokenStore>, ms = 5_000): TokenStore => ({
    ...inner,
    set: (key, entry, options) => later(ms).then(() => inner.set(key, entry, options)),
  });

  it('keeps the lock until it settles: the next one would send a spent refresh token', async () => {
    const log: string[] = [];
    const inner = memoryStore();
    const store: TokenStore = {
      ...slow(inner),
      async lock(key, options) {
        const lock = await inner.lock(key, options);
        return { release: () => lock.release().finally(() => log.push('released')) };
      },
    };
    const tokens = manager(store, () => ({ accessToken: 't1', tokenType: 'Bearer', refreshToken: 'r1' }), { needsRefreshToken: false });
    const got = tokens.getToken();
    await vi.advanceTimersByTimeAsync(2_500);
    expect((await got).accessToken).toBe('t1');
    expect([log, entryOf(inner), tokens.isSettled()]).toEqual([[], undefined, false]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([log, entryOf(inner)?.accessToken]).toEqual([['released'], 't1']);
    tokens.getToken(); // finds that it has arrived
    await vi.advanceTimersByTimeAsync(10_000);
    expect(tokens.isSettled()).toBe(true);
  });

  it.each(['adopt', 'getToken'] as const)('and arrives after a sign-out is taken back (%s)', async (work) => {
    const inner = memoryStore();
    const tokens = manager(slow(inner), () => tokenSet('1'), { needsRefreshToken: false });
    const done = work === 'adopt' ? tokens.adopt(tokenSet('1')).catch(() => {}) : tokens.getToken();
    await vi.advanceTimersByTimeAsync(2_500);
    await done;
    await tokens.invalidate();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(entryOf(inner)).toBeUndefined();
  });
});

describe('a write that fails', () => {
  it('is tried again with the lock kept, and then while the token serves, so that no other process sends what is spent', async () => {
    const inner = memoryStore();
    inner.set('k', tokenSet('0', 0));
    let isDown = true;
    const set = vi.fn((...rest: Parameters<TokenStore['set']>) => (isDown ? down() : inner.set(...rest)));
    const { fetchToken, sent } = rotatingEndpoint();
    const here = manager({ ...inner, set }, fetchToken);
    const there = manager(inner, fetchToken);
    expect((await here.getToken()).accessToken).toBe('at-1');
    expect(here.isSettled()).toBe(false);
    const kept = expect(there.getToken()).rejects.toMatchObject({ operation: 'lock' });
    await vi.advanceTimersByTimeAsync(40_000);
    await kept;
    const tries = set.mock.calls.length;
    expect(tries).toBeGreaterThan(5);
    for (let call = 0; call < 3; call += 1) here.getToken();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(set).toHaveBeenCalledTimes(tries + 1);
    isDown = false;
    expect(here.getToken()).toMatchObject({ accessToken: 'at-1' });
    await vi.advanceTimersByTimeAsync(0);
    expect([entryOf(inner)?.accessToken, here.isSettled()]).toEqual(['at-1', true]);
    expect((await there.getToken()).accessToken).toBe('at-1');
    expect((await there.getToken({ forceRefresh: true })).accessToken).toBe('at-2');
    expect(sent).toEqual(['rt-0', 'rt-1']);
  });

  it('keeps no other process waiting longer than the store is down, and its own process not at all', async () => {
    const inner = memoryStore();
    inner.set('k', tokenSet('0', 0));
    let isDown = true;
    const { fetchToken, sent } = rotatingEndpoint();
    const here = manager({ ...inner, set: (...rest) => (isDown ? down() : inner.set(...rest)) }, fetchToken);
    const there = manager(inner, fetchToken);
    await here.getToken();
    expect((await here.getToken({ forceRefresh: true })).accessToken).toBe('at-2');
    const waiting = there.getToken();
    await vi.advanceTimersByTimeAsync(1_000);
    isDown = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await waiting).accessToken).toBe('at-2');
    expect([sent, entryOf(inner)?.accessToken]).toEqual([['rt-0', 'rt-1'], 'at-2']);
    here.getToken();
    await vi.advanceTimersByTimeAsync(6_000);
    here.getToken();
    await vi.advanceTimersByTimeAsync(0);
    expect(here.isSettled()).toBe(true);
  });

  it('is not tried again over a sign-out elsewhere, nor after one here', async () => {
    for (const where of ['here', 'elsewhere']) {
      const inner = memoryStore();
      inner.set('k', tokenSet('0', 0));
      let isDown = true;
      const tokens = manager({ ...inner, set: (...rest) => (isDown ? down() : inner.set(...rest)) }, rotatingEndpoint().fetchToken);
      await tokens.getToken();
      isDown = false;
      await (where === 'here' ? tokens.invalidate() : inner.delete('k'));
      await vi.advanceTimersByTimeAsync(6_000);
      if (where === 'elsewhere') expect(tokens.getToken()).toMatchObject({ accessToken: 'at-1' }); // until it runs out
      await vi.advanceTimersByTimeAsync(0);
      expect([entryOf(inner), tokens.isSettled()]).toEqual([undefined, true]);
      await expect(tokens.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: undefined });
    }
  });
});

describe('a store that fails', () => {
  it.each(['get', 'lock'] as const)(
    'ends the call where the store may hold the refresh token, the first one too (%s)',
    async (operation) => {
      const { fetchToken, sent } = rotatingEndpoint();
      const store: TokenStore = { ...memoryStore(), get: () => ({ entry: tokenSet('0', 0), version: '1' }), [operation]: down };
      await expect(manager(store, fetchToken).getToken()).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR', operation });
      expect(sent).toEqual([]);
    },
  );

  it('is done without where nothing but a new token is lost', async () => {
    const events: AuthEvent[] = [];
    const store: TokenStore = { get: down, set: down, delete: down, lock: down };
    const tokens = manager(store, () => ({ accessToken: 't', tokenType: 'Bearer' }), { needsRefreshToken: false });
    expect((await tokens.getToken({ emit: (event) => events.push(event) })).accessToken).toBe('t');
    expect(events.map((event) => (event.type === 'token-store-failed' ? event.operation : event.type))).toEqual([
      'get',
      'lock',
      'set',
      'token-fetched',
      'token-awaited',
    ]);
  });

  it('of which nothing is known is not locked for who never signed in', async () => {
    const store = { ...memoryStore(), lock: vi.fn(down) };
    await expect(manager(store, rotatingEndpoint().fetchToken).getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect(store.lock).not.toHaveBeenCalled();
  });
});

describe('after a connection that was lost', () => {
  const lost = () => new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });

  it.each([
    { found: 'a token that serves', lifetimeMs: 3_600_000, sent: ['rt-0'], token: 'at-other' },
    { found: 'one that has run out, with another refresh token', lifetimeMs: 0, sent: ['rt-0', 'rt-other'], token: 'at-mine' },
  ])('the store is read again before one more try: $found', async ({ lifetimeMs, sent, token }) => {
    const { lock: _, ...inner } = memoryStore(); // without a lock another process can be in between
    inner.set('k', tokenSet('0', 0));
    const seen: (string | undefined)[] = [];
    const tokens = manager(inner, async ({ current }) => {
      seen.push(current?.refreshToken);
      if (seen.length > 1) return tokenSet('mine');
      inner.set('k', tokenSet('other', lifetimeMs));
      throw lost();
    });
    const got = tokens.getToken();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([(await got).accessToken, seen, entryOf(inner as ReturnType<typeof memoryStore>)?.accessToken]).toEqual([token, sent, token]);
    expect(tokens.isSettled()).toBe(true);
  });

  it('the same refresh token is sent once more, and not a third time', async () => {
    const store = memoryStore();
    store.set('k', tokenSet('0', 0));
    const seen: (string | undefined)[] = [];
    const tokens = manager(store, async ({ current }) => {
      seen.push(current?.refreshToken);
      throw lost();
    });
    const got = expect(tokens.getToken()).rejects.toMatchObject({ code: 'TOKEN_REQUEST_FAILED' });
    await vi.advanceTimersByTimeAsync(20_000);
    await got;
    expect([seen, entryOf(store)?.refreshToken]).toEqual([['rt-0', 'rt-0'], 'rt-0']);
  });
});

it('does not take a token for usable that runs out between two looks at the clock', async () => {
  const store = memoryStore();
  await store.set('k', { accessToken: 'old', tokenType: 'Bearer', expiresAtMs: 5 });
  let nowMs = 1_000_000;
  const fetchToken = (): { accessToken: string; tokenType: string } => ({ accessToken: 'new', tokenType: 'Bearer' });
  expect((await createTokenManager({ key: 'k', store, fetchToken, now: () => nowMs++ }).getToken()).accessToken).toBe('new');
});

it('tells each step of a refresh by one generation', async () => {
  const store = memoryStore();
  store.set('k', tokenSet('0', 0));
  const events: AuthEvent[] = [];
  const emit = (event: AuthEvent) => events.push(event);
  const { fetchToken } = rotatingEndpoint();
  let failures = 1;
  const tokens = manager(store, async (request) => {
    await later(100);
    if (failures-- > 0) throw new TokenEndpointError('503', { status: 503 });
    return fetchToken(request);
  });
  const got = tokens.getToken({ emit });
  await vi.advanceTimersByTimeAsync(1_000);
  await got;
  await manager(store, fetchToken).getToken({ emit });
  const discarded = Promise.resolve(tokens.getToken({ forceRefresh: true, emit })).catch(() => {});
  await vi.advanceTimersByTimeAsync(50);
  await tokens.invalidate();
  await vi.advanceTimersByTimeAsync(1_000);
  await discarded;
  const times = { expiresAtMs: expect.any(Number), receivedAtMs: expect.any(Number) };
  expect(events).toEqual(
    [
      { type: 'token-locked', generation: 1, waitedMs: 0 },
      { type: 'token-request-retry', generation: 1, attempt: 1, delayMs: 250, code: 'TOKEN_ENDPOINT_ERROR' },
      { type: 'token-fetched', generation: 1, reason: 'missing', tookMs: 450, ...times },
      { type: 'token-awaited', generation: 1, waitedMs: 450 },
      { type: 'token-adopted', generation: 1, tookMs: 0, ...times },
      { type: 'token-awaited', generation: 1, waitedMs: 0 },
      { type: 'token-locked', generation: 2, waitedMs: 0 },
      { type: 'token-discarded', generation: 2, tookMs: 100 },
      { type: 'token-request-failed', generation: 2, code: 'INTERACTION_REQUIRED', background: false, tookMs: 100 },
      { type: 'token-awaited', generation: 0, waitedMs: 150 },
    ].map((event) => ({ strategy: 'tokenManager', ...event })),
  );
});

it('is not broken by who looks on', async () => {
  const errors = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const tokens = manager(memoryStore(), () => tokenSet('1'), { needsRefreshToken: false });
  const emit = () => {
    throw new Error('mine');
  };
  expect((await tokens.getToken({ emit })).accessToken).toBe('at-1');
  expect(errors).toHaveBeenCalled();
});
