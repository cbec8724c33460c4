// What a token manager does with its store: late writes, failed ones, what others put there meanwhile.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InteractionRequiredError, TokenEndpointError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';
import type { FetchTokenRequest, TokenManagerOptions } from './token-manager-options.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

const T0 = Date.UTC(2026, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const down = () => Promise.reject(new Error('down'));
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const tokenSet = (name: string, lifetimeMs = 3_600_000): TokenSet => ({
  accessToken: `at-${name}`,
  refreshToken: `rt-${name}`,
  tokenType: 'Bearer',
  expiresAtMs: Date.now() + lifetimeMs,
});

/** A server that rotates refresh tokens, and says who sent a spent one. */
function rotatingEndpoint(lifetimeMs = 3_600_000) {
  let count = 0;
  const sent: (string | undefined)[] = [];
  async function fetchToken({ current }: FetchTokenRequest): Promise<TokenSet> {
    sent.push(current?.refreshToken);
    if (!current?.refreshToken) throw new InteractionRequiredError('sign in');
    if (current.refreshToken !== `rt-${count}`) throw new InteractionRequiredError('sign in', { error: 'invalid_grant' });
    count += 1;
    return tokenSet(`${count}`, lifetimeMs);
  }
  return { sent, fetchToken };
}

function manager(store: TokenStore, fetchToken: TokenManagerOptions['fetchToken'], options: Partial<TokenManagerOptions> = {}) {
  return createTokenManager({ key: 'k', store, fetchToken, random: () => 0.5, needsRefreshToken: true, ...options });
}

/** The entry of a memory store. */
const entryOf = (store: ReturnType<typeof memoryStore>) => (store.get('k') as { entry: TokenSet } | undefined)?.entry;

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

describe('what another process does meanwhile', () => {
  /** Two processes that share one session, each with a store of its own making. */
  function twoProcesses() {
    const inner = memoryStore();
    inner.set('k', tokenSet('0', 0));
    let isDown = false;
    const { fetchToken, sent } = rotatingEndpoint();
    const gate = { promise: Promise.resolve() };
    const here = manager({ ...inner, set: (...rest) => (isDown ? down() : inner.set(...rest)) }, async (request) => {
      const set = await fetchToken(request);
      await gate.promise;
      return set;
    });
    const fail = (value: boolean): void => {
      isDown = value;
    };
    return { inner, here, there: manager(inner, fetchToken), sent, gate, fail };
  }

  it('a sign-out is not undone by who could not write its token', async () => {
    const { inner, here, there, sent, fail } = twoProcesses();
    fail(true);
    await here.getToken();
    fail(false);
    await there.forget();
    await expect(here.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: undefined });
    expect([sent, entryOf(inner)]).toEqual([['rt-0', undefined], undefined]);
  });

  it('a sign-in wins over a refresh: its token is used at once, and a sign-out of it counts', async () => {
    const { inner, here, there, gate } = twoProcesses();
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.promise = promise;
    const events: string[] = [];
    const refreshing = here.getToken({ emit: ({ type }) => events.push(type) });
    await vi.advanceTimersByTimeAsync(0);
    await there.adopt(tokenSet('other'));
    resolve();
    expect((await refreshing).accessToken).toBe('at-other');
    expect([events, entryOf(inner)?.accessToken]).toEqual([['token-locked', 'token-adopted', 'token-awaited'], 'at-other']);
    await there.forget();
    await expect(here.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: undefined });
  });

  it.each([3_600_000, 0])(
    'a refresh token that is refused takes the older one in the store with it (valid for %s ms)',
    async (lifetimeMs) => {
      const inner = memoryStore();
      const set = vi.fn((...rest: Parameters<TokenStore['set']>) => (rest[1].refreshToken === 'rt-1' ? down() : inner.set(...rest)));
      inner.set('k', tokenSet('0', lifetimeMs));
      const sent: (string | undefined)[] = [];
      const tokens = manager({ ...inner, set }, ({ current }) => {
        sent.push(current?.refreshToken);
        if (current?.refreshToken === 'rt-0' && sent.length === 1) return tokenSet('1', lifetimeMs);
        throw new InteractionRequiredError('sign in', current && { error: 'invalid_grant' });
      });
      const first = await tokens.getToken();
      if (lifetimeMs > 0) await tokens.rejected(first);
      const second = tokens.peek() as TokenSet;
      expect([second.accessToken, entryOf(inner)?.accessToken]).toEqual(['at-1', 'at-0']);
      tokens.accepted(second);
      await expect(tokens.rejected(second)).rejects.toMatchObject({ error: 'invalid_grant' });
      for (let call = 0; call < 3; call += 1)
        await expect(Promise.resolve(tokens.getToken())).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: undefined });
      expect([sent.filter(Boolean), entryOf(inner)]).toEqual([['rt-0', 'rt-1'], undefined]);
    },
  );

  it('a refresh token that is refused is not sent again: not where it cannot be deleted, not where there is no store', async () => {
    for (const store of [{ ...memoryStore(), delete: down }, undefined]) {
      const sent: (string | undefined)[] = [];
      const fetchToken: TokenManagerOptions['fetchToken'] = ({ current }) => {
        sent.push(current?.refreshToken);
        throw new TokenEndpointError('refused', { status: 400, error: 'invalid_grant' });
      };
      const tokens = createTokenManager({ key: 'k', fetchToken, ...(store && { store }) });
      await tokens.adopt(tokenSet('0', 60_000));
      for (let minute = 0; minute < 4; minute += 1) {
        vi.setSystemTime(Date.now() + 60_000);
        await expect(Promise.resolve(tokens.getToken())).rejects.toMatchObject({ error: 'invalid_grant' });
      }
      expect(sent).toEqual(['rt-0', undefined, undefined, undefined]);
    }
  });

  it('the newer refresh token of another process that is refused as well goes too', async () => {
    const { lock: _, ...inner } = memoryStore();
    inner.set('k', tokenSet('0', 0));
    const sent: (string | undefined)[] = [];
    const tokens = manager(inner, ({ current }) => {
      sent.push(current?.refreshToken);
      if (sent.length === 1) inner.set('k', tokenSet('other', 0));
      throw new InteractionRequiredError('sign in', { error: 'invalid_grant' });
    });
    await expect(tokens.getToken()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect([sent, inner.get('k')]).toEqual([['rt-0', 'rt-other'], undefined]);
  });

  it('a refresh that is tried again sends nothing after a sign-out', async () => {
    const store = memoryStore();
    store.set('k', tokenSet('0', 0));
    const sent: unknown[] = [];
    const tokens = manager(store, async ({ current }) => {
      sent.push(current?.refreshToken);
      throw new TokenEndpointError('503', { status: 503, retryAfterMs: 1_000 });
    });
    const refreshing = Promise.resolve(tokens.getToken()).catch(() => {});
    await vi.advanceTimersByTimeAsync(500);
    await tokens.invalidate();
    await vi.advanceTimersByTimeAsync(5_000);
    await refreshing;
    expect(sent.filter(Boolean)).toEqual(['rt-0']);
  });

  it('a sign-out during a refresh: the entry is gone before the lock is, and the token is handed over', async () => {
    const { inner, gate } = twoProcesses();
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.promise = promise;
    const slowly: TokenStore = { ...inner, delete: (key, options) => later(options ? 0 : 1_000).then(() => inner.delete(key, options)) };
    const discarded: string[] = [];
    const { fetchToken, sent } = rotatingEndpoint();
    const options = { onDiscarded: (set: TokenSet) => discarded.push(set.accessToken) };
    const here = manager(slowly, (request) => fetchToken(request).then((set) => promise.then(() => set)), options);
    const refreshing = Promise.resolve(here.getToken()).catch(() => {});
    await vi.advanceTimersByTimeAsync(0);
    const there = Promise.resolve(manager(inner, fetchToken).getToken()).catch((error: unknown) => error);
    const leaving = here.invalidate();
    resolve();
    await vi.advanceTimersByTimeAsync(3_000);
    await Promise.all([refreshing, leaving]);
    expect(await there).toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([sent.filter(Boolean), discarded, entryOf(inner)]).toEqual([['rt-0'], ['at-1'], undefined]);
  });
});

describe('a refresh that is forced', () => {
  it('in a process that has nothing yet replaces what the store holds, once for all who force it', async () => {
    const store = memoryStore();
    store.set('k', tokenSet('0'));
    const { fetchToken, sent } = rotatingEndpoint();
    const managers = [1, 2, 3].map(() => manager(store, (request) => later(50).then(() => fetchToken(request))));
    const all = Promise.all(managers.map((tokens) => tokens.getToken({ forceRefresh: true })));
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await all).map((set) => set.accessToken)).toEqual(['at-1', 'at-1', 'at-1']);
    expect(sent).toEqual(['rt-0']);
  });

  it('replaces an initial token too', async () => {
    const { fetchToken, sent } = rotatingEndpoint();
    const tokens = manager(memoryStore(), fetchToken, { initial: tokenSet('0') });
    expect((await tokens.getToken({ forceRefresh: true })).accessToken).toBe('at-1');
    expect(sent).toEqual(['rt-0']);
  });
});

describe('forget', () => {
  it('tells of what another process wrote while it was being forgotten, so that it can be revoked', async () => {
    const inner = memoryStore();
    let reads = 0;
    const get: TokenStore['get'] = async (key) => {
      const found = inner.get(key);
      reads += 1;
      if (reads === 2) inner.set(key, tokenSet('2')); // between this read and the deletion
      return found;
    };
    inner.set('k', tokenSet('1'));
    const tokens = manager({ ...inner, get }, rotatingEndpoint().fetchToken);
    await tokens.getToken();
    const { tokens: forgotten, failure } = await tokens.forget();
    expect([forgotten.map((set) => set.refreshToken), failure, entryOf(inner)]).toEqual([['rt-2', 'rt-1'], undefined, undefined]);
    expect((await tokens.forget()).tokens).toEqual([]);
  });

  it('tells of what is in memory where the store fails, and that it failed', async () => {
    const inner = memoryStore();
    const tokens = manager({ ...inner, delete: down }, rotatingEndpoint().fetchToken);
    await tokens.adopt(tokenSet('1'));
    const { tokens: forgotten, failure } = await tokens.forget();
    expect([forgotten.map((set) => set.refreshToken), failure]).toMatchObject([['rt-1'], { operation: 'delete' }]);
    expect(tokens.peek()).toBeUndefined();
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
      { type: 'token-awaited', generation: 0, waitedMs: 200 },
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
