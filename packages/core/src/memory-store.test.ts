import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore } from './memory-store.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenLock } from './token-store.ts';

const token = (accessToken: string): TokenSet => ({ accessToken, tokenType: 'Bearer' });

describe('entries', () => {
  it('are found under their own key only', async () => {
    const store = memoryStore();
    await store.set('a', token('one'));
    expect((await store.get('a'))?.entry).toEqual(token('one'));
    expect(await store.get('b')).toBeUndefined();
    expect(await memoryStore().get('a')).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', ''])('may be kept under the key %j', async (key) => {
    const store = memoryStore();
    expect(await store.get(key)).toBeUndefined();
    await store.set(key, token('one'));
    expect((await store.get(key))?.entry.accessToken).toBe('one');
  });

  it('get a new version with each write, also of the same tokens and after a deletion', async () => {
    const store = memoryStore();
    const versions = [await store.set('a', token('one')), await store.set('a', token('one'))];
    await store.delete('a');
    versions.push(await store.set('a', token('one')));
    expect(new Set(versions).size).toBe(3);
    expect((await store.get('a'))?.version).toBe(versions[2]);
  });

  it('are copies: what the caller does to its own later changes nothing', async () => {
    const store = memoryStore();
    const mine = { ...token('one') };
    await store.set('a', mine);
    mine.accessToken = 'two';
    expect((await store.get('a'))?.entry.accessToken).toBe('one');
    const stored = await store.get('a');
    expect(() => Object.assign(stored?.entry ?? {}, { accessToken: 'three' })).toThrow(TypeError);
  });

  it('are written over a given version only', async () => {
    const store = memoryStore();
    const first = (await store.set('a', token('one'))) as string;
    const second = await store.set('a', token('two'), { ifVersion: first });
    expect(second).not.toBe(false);
    expect(await store.set('a', token('three'), { ifVersion: first })).toBe(false);
    expect((await store.get('a'))?.entry.accessToken).toBe('two');
  });

  it('are written only where there is nothing, with `ifVersion: null`', async () => {
    const store = memoryStore();
    expect(await store.set('a', token('one'), { ifVersion: null })).not.toBe(false);
    expect(await store.set('a', token('two'), { ifVersion: null })).toBe(false);
    expect(await store.set('b', token('one'), { ifVersion: '1' })).toBe(false);
    expect((await store.get('a'))?.entry.accessToken).toBe('one');
    expect(await store.get('b')).toBeUndefined();
  });

  it('are deleted, of a given version only where one is given', async () => {
    const store = memoryStore();
    const first = (await store.set('a', token('one'))) as string;
    const second = (await store.set('a', token('two'))) as string;
    expect(await store.delete('a', { ifVersion: first })).toBe(false);
    expect((await store.get('a'))?.entry.accessToken).toBe('two');
    expect(await store.delete('a', { ifVersion: second })).toBe(true);
    expect(await store.get('a')).toBeUndefined();
    expect(await store.delete('a')).toBe(false);
    expect(await store.delete('a', { ifVersion: second })).toBe(false);
  });
});

describe('locks', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const limits = { ttlMs: 30_000, waitMs: 15_000 };
  const settle = () => vi.advanceTimersByTimeAsync(0);

  /** Asks for locks and remembers who got one, or why not, in order. */
  function queue(store = memoryStore()) {
    const log: string[] = [];
    const locks = new Map<string, TokenLock>();
    const ask = (who: string, options: Partial<typeof limits> & { signal?: AbortSignal } = {}, key = 'a'): void => {
      store.lock(key, { ...limits, ...options }).then(
        (lock) => {
          log.push(who);
          locks.set(who, lock);
        },
        (error) => log.push(`${who}: ${error?.name ?? error}`),
      );
    };
    return { log, ask, release: async (who: string) => locks.get(who)?.release() };
  }

  it('are given one at a time, in the order they were asked for', async () => {
    const { log, ask, release } = queue();
    for (const who of ['one', 'two', 'three']) ask(who);
    await settle();
    expect(log).toEqual(['one']);
    await release('one');
    await settle();
    expect(log).toEqual(['one', 'two']);
    await release('two');
    await settle();
    expect(log).toEqual(['one', 'two', 'three']);
  });

  it('of two keys do not wait for each other', async () => {
    const { log, ask } = queue();
    ask('one', {}, 'a');
    ask('two', {}, 'b');
    await settle();
    expect(log).toEqual(['one', 'two']);
  });

  it('run out after their time to live, and a release after that takes nobody else’s away', async () => {
    const { log, ask, release } = queue();
    ask('one', { ttlMs: 5_000 });
    ask('two');
    ask('three');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(log).toEqual(['one']);
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual(['one', 'two']);
    await release('one');
    await settle();
    expect(log).toEqual(['one', 'two']);
  });

  it('are waited for as long as `waitMs`, and then refused with a TokenStoreError', async () => {
    const store = memoryStore();
    await store.lock('a', limits);
    const waiting = store.lock('a', { ...limits, waitMs: 1_000 });
    const refused = expect(waiting).rejects.toMatchObject({ name: 'TokenStoreError', operation: 'lock', code: 'TOKEN_STORE_ERROR' });
    await vi.advanceTimersByTimeAsync(1_000);
    await refused;
  });

  it('are given at once where they are free, even with a wait of 0', async () => {
    const { log, ask } = queue();
    ask('one', { waitMs: 0 });
    await settle();
    expect(log).toEqual(['one']);
  });

  it('are no longer waited for once the signal aborts', async () => {
    const { log, ask } = queue();
    const controller = new AbortController();
    ask('one');
    ask('two', { signal: controller.signal });
    await settle();
    controller.abort('gone');
    ask('three', { signal: AbortSignal.abort('gone before') });
    await settle();
    expect(log).toEqual(['one', 'two: gone', 'three: gone before']);
  });

  it('stay with their holder when one who waited gives up', async () => {
    const { log, ask, release } = queue();
    ask('one');
    ask('two', { waitMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    ask('three');
    await settle();
    expect(log).toEqual(['one', 'two: TokenStoreError']);
    await release('one');
    await settle();
    expect(log).toEqual(['one', 'two: TokenStoreError', 'three']);
  });

  it('pass over one who gave up in the middle of the queue', async () => {
    const { log, ask, release } = queue();
    ask('one');
    ask('two', { waitMs: 1_000 });
    ask('three');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(log).toEqual(['one', 'two: TokenStoreError']);
    await release('one');
    await settle();
    expect(log).toEqual(['one', 'two: TokenStoreError', 'three']);
  });

  it('leave no timer behind once they are released', async () => {
    const { ask, release } = queue();
    ask('one');
    await settle();
    await release('one');
    await settle();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('with a time to live that setTimeout cannot count do not run out at once', async () => {
    const { log, ask } = queue();
    ask('one', { ttlMs: 1e12 });
    ask('two', { waitMs: 60_000 });
    await vi.advanceTimersByTimeAsync(50_000);
    expect(log).toEqual(['one']);
  });
});
