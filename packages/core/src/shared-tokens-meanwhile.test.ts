// What other processes do meanwhile: sign in, sign out, refresh, force.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InteractionRequiredError, TokenEndpointError } from './auth-error.ts';
import { down, entryOf, later, manager, rotatingEndpoint, tokenSet } from './fixtures/rotating-endpoint.ts';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';
import type { TokenManagerOptions } from './token-manager-options.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
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
