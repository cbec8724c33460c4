// Writes that fail, come late, or are carried out without an answer.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { down, entryOf, later, manager, rotatingEndpoint, tokenSet } from './fixtures/rotating-endpoint.ts';
import { memoryStore } from './memory-store.ts';
import type { TokenStore } from './token-store.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

async function settled<T>(work: PromiseLike<T> | T, ms = 30_000): Promise<T> {
  const got = Promise.resolve(work);
  got.catch(() => {});
  await vi.advanceTimersByTimeAsync(ms);
  return got;
}

it('the first of three that arrives after the other two were fetched is not taken for the newest', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  const downUntilMs = Date.now() + 7_000;
  let writes = 0;
  const set: TokenStore['set'] = async (...rest) => {
    writes += 1;
    if (writes === 1) await later(6_000);
    else if (Date.now() < downUntilMs) return down();
    return inner.set(...rest);
  };
  const { fetchToken, sent } = rotatingEndpoint();
  const here = manager({ ...inner, set }, fetchToken);
  await settled(here.getToken(), 2_000);
  await settled(here.getToken({ forceRefresh: true }), 100);
  await settled(here.getToken({ forceRefresh: true }), 100);
  await vi.advanceTimersByTimeAsync(12_000);
  expect([entryOf(inner)?.accessToken, here.isSettled()]).toEqual(['at-3', true]);
  const there = manager(inner, fetchToken);
  expect((await settled(there.getToken({ forceRefresh: true }))).accessToken).toBe('at-4');
  expect(sent).toEqual(['rt-0', 'rt-1', 'rt-2', 'rt-3']);
});

it('one that is written while the lock is kept is known to be written: a sign-out elsewhere stays one', async () => {
  const inner = memoryStore();
  let answersLost = 1;
  const set: TokenStore['set'] = (...rest) => {
    const version = inner.set(...rest);
    return answersLost-- > 0 ? down() : version;
  };
  const here = manager({ ...inner, set }, async () => tokenSet('1'), { needsRefreshToken: false });
  await here.getToken();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([entryOf(inner)?.accessToken, here.isSettled()]).toEqual(['at-1', true]);
  await manager(inner, async () => tokenSet('2')).invalidate();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(here.getToken()).toMatchObject({ accessToken: 'at-1' }); // until it runs out
  await vi.advanceTimersByTimeAsync(1_000);
  expect(entryOf(inner)).toBeUndefined();
});

it('one of a token that was refreshed meanwhile is followed by the newer one', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  let mode: 'down' | 'slow' | 'up' = 'down';
  const set: TokenStore['set'] = async (...rest) => {
    if (mode === 'down') return down();
    if (mode === 'slow') {
      mode = 'down';
      await later(1_500);
    }
    return inner.set(...rest);
  };
  const { fetchToken, sent } = rotatingEndpoint();
  const here = manager({ ...inner, set }, fetchToken);
  const first = await here.getToken();
  await vi.advanceTimersByTimeAsync(11_000);
  mode = 'slow';
  here.getToken(); // writes it again
  await vi.advanceTimersByTimeAsync(100);
  expect(await settled(here.rejected(first), 1_600)).toBe(true);
  mode = 'up';
  await vi.advanceTimersByTimeAsync(6_000);
  expect(entryOf(inner)?.accessToken).toBe('at-2');
  expect((await settled(manager(inner, fetchToken).getToken())).accessToken).toBe('at-2');
  expect(sent).toEqual(['rt-0', 'rt-1']);
});

it('one that is written while the next token is fetched is still the older one', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  let writes = 0;
  const set: TokenStore['set'] = async (...rest) => {
    writes += 1;
    if (writes === 1 || writes === 3) return down();
    if (writes === 2) await later(300); // of the first token, once more
    return inner.set(...rest);
  };
  const { fetchToken, sent } = rotatingEndpoint({ tookMs: 400 });
  const here = manager({ ...inner, set }, fetchToken);
  await settled(here.getToken(), 700);
  expect((await settled(here.getToken({ forceRefresh: true }), 500)).accessToken).toBe('at-2');
  expect([entryOf(inner)?.accessToken, writes]).toEqual(['at-1', 3]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([entryOf(inner)?.accessToken, here.isSettled(), sent]).toEqual(['at-2', true, ['rt-0', 'rt-1']]);
});

it('one that is written while its refresh looks into the store is not exchanged for the one before it', async () => {
  const inner = memoryStore();
  inner.set('k', { ...tokenSet('0'), receivedAtMs: Date.now() });
  let isDown = true;
  let isSlow = false;
  const store: TokenStore = {
    ...inner,
    set: (...rest) => (isDown ? down() : inner.set(...rest)),
    async get(key) {
      const found = inner.get(key);
      if (isSlow) await later(1_000);
      return found;
    },
  };
  const { fetchToken } = rotatingEndpoint();
  const tokens = manager(store, fetchToken);
  const first = await settled(tokens.getToken({ forceRefresh: true }), 100);
  isDown = false;
  isSlow = true;
  const recovered = tokens.rejected(first); // reads what was there before; meanwhile the first token is written
  await vi.advanceTimersByTimeAsync(0);
  isSlow = false;
  expect(await settled(recovered)).toBe(true);
  expect((await settled(tokens.getToken())).accessToken).toBe('at-2');
});

it('a sign-in that fails and arrives late does not touch the next one', async () => {
  const inner = memoryStore();
  let writes = 0;
  const set: TokenStore['set'] = async (...rest) => {
    writes += 1;
    if (writes === 1) await later(3_000);
    return inner.set(...rest);
  };
  const tokens = manager({ ...inner, set }, rotatingEndpoint().fetchToken);
  await expect(settled(tokens.adopt(tokenSet('one')), 2_000)).rejects.toMatchObject({ operation: 'set' });
  await tokens.adopt(tokenSet('two'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(entryOf(inner)?.accessToken).toBe('at-two');
});

it('a sign-in that fails though it was carried out signs nobody in', async () => {
  const inner = memoryStore();
  const set: TokenStore['set'] = (...rest) => {
    inner.set(...rest);
    return down();
  };
  const tokens = manager({ ...inner, set }, rotatingEndpoint().fetchToken);
  await expect(tokens.adopt(tokenSet('one'))).rejects.toMatchObject({ operation: 'set' });
  expect(entryOf(inner)).toBeUndefined();
  await expect(tokens.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
});

it('a sign-in over others that write at the same time goes through, or says so', async () => {
  const inner = memoryStore();
  let others = 2;
  const set: TokenStore['set'] = (key, set, options) => {
    if (others-- > 0) inner.set(key, tokenSet('other'));
    return inner.set(key, set, options);
  };
  const tokens = manager({ ...inner, set }, rotatingEndpoint().fetchToken);
  await tokens.adopt(tokenSet('one'));
  expect(entryOf(inner)?.accessToken).toBe('at-one');
  others = Infinity;
  await expect(tokens.adopt(tokenSet('two'))).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'set' });
});

it('a sign-out that arrives late does not end the next session, also where nobody was signed in', async () => {
  for (const before of [tokenSet('old'), undefined]) {
    const inner = memoryStore();
    if (before) inner.set('k', before);
    let deletions = 0;
    const remove: TokenStore['delete'] = async (...rest) => {
      deletions += 1;
      if (deletions === 1) await later(3_000);
      return inner.delete(...rest);
    };
    const tokens = manager({ ...inner, delete: remove }, rotatingEndpoint().fetchToken);
    await settled(tokens.invalidate(), 2_000).catch(() => {});
    await tokens.adopt(tokenSet('new'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(entryOf(inner)?.accessToken).toBe('at-new');
  }
});

it('a sign-in that a sign-out overtook stays signed out, though it cannot be taken out of the store at once', async () => {
  const inner = memoryStore();
  let failures = 1;
  const store: TokenStore = {
    ...inner,
    set: async (...rest) => {
      await later(200);
      return inner.set(...rest);
    },
    delete: (key, options) => (options?.ifVersion && failures-- > 0 ? down() : inner.delete(key, options)),
  };
  const tokens = manager(store, rotatingEndpoint().fetchToken);
  const signIn = tokens.adopt(tokenSet('one'));
  await vi.advanceTimersByTimeAsync(50);
  await tokens.invalidate();
  await settled(signIn);
  await expect(tokens.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  await vi.advanceTimersByTimeAsync(100);
  expect(entryOf(inner)).toBeUndefined();
});

it('what could not be deleted is there for the next sign-out, and no obstacle to the next sign-in', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('old'));
  const tokens = manager({ ...inner, delete: down }, rotatingEndpoint().fetchToken);
  for (let time = 0; time < 2; time += 1) await expect(tokens.invalidate()).rejects.toMatchObject({ operation: 'delete' });
  await tokens.adopt(tokenSet('new'));
  expect(entryOf(inner)?.accessToken).toBe('at-new');
});

it('a lock that is kept when its process signs out is given back after what is spent is gone', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  const steps: string[] = [];
  const here = manager(
    {
      ...inner,
      set: down,
      get: async (key) => {
        await later(1_500); // its sign-out reads while the lock is given back
        return inner.get(key);
      },
      delete: (...rest) => {
        steps.push('deleted');
        return inner.delete(...rest);
      },
      lock: async (...rest) => {
        const { release } = await inner.lock!(...rest);
        return {
          release() {
            steps.push('released');
            return release();
          },
        };
      },
    },
    rotatingEndpoint().fetchToken,
  );
  await settled(here.getToken(), 4_000);
  await settled(here.invalidate(), 10_000);
  expect(steps[0]).toBe('deleted');
  expect(steps).toContain('released');
});
