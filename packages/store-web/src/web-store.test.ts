import { isAuthError, type TokenSet, type TokenStore } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { oneProcessLocks } from './fixtures/one-process-locks.ts';
import type { WebLocks } from './web-locks.ts';
import { type WebStorage, webStore } from './web-store.ts';

const locks: WebLocks = globalThis.navigator.locks ?? oneProcessLocks();
const token = (accessToken: string): TokenSet => ({ accessToken, tokenType: 'Bearer' });

/** What localStorage does, as far as a store can see. */
function memoryStorage(): WebStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}

let names = 0;
function opened(storage: WebStorage = memoryStorage()): { readonly store: Required<TokenStore>; readonly name: string } {
  const name = `test-${++names}`;
  return { store: webStore({ storage, name, locks }), name };
}

/** Another page that holds a lock and does nothing. */
async function frozenHolder(name: string): Promise<{ readonly isPutOut: () => boolean }> {
  let isPutOut = false;
  await new Promise<void>((resolve) => {
    locks
      .request(name, {}, () => {
        resolve();
        return new Promise(() => {});
      })
      .catch(() => {
        isPutOut = true;
      });
  });
  return { isPutOut: () => isPutOut };
}

async function failure(work: unknown): Promise<{ readonly code: unknown; readonly operation: unknown; readonly text: string }> {
  const error = await Promise.resolve(work).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, 'a rejection').toBeInstanceOf(Error);
  const { operation, stack, cause } = error as { operation?: unknown; stack?: string; cause?: unknown };
  return { code: isAuthError(error) && error.code, operation, text: `${stack} ${cause} ${JSON.stringify(error)}` };
}

describe('options', () => {
  it.each([
    ['storage', {}],
    ['storage', { storage: null }],
    ['storage', { storage: { getItem: () => null } }],
    ['name', { storage: memoryStorage(), name: '' }],
    ['name', { storage: memoryStorage(), name: 'a:b' }],
    ['locks', { storage: memoryStorage(), locks: null }],
    ['locks', { storage: memoryStorage(), locks: { request: () => {} } }],
  ])('a wrong `%s` is refused at once', (option, options) => {
    expect(() => webStore({ locks, ...options } as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR', option }));
  });

  it('no options at all, and a misspelt one, are refused', () => {
    expect(() => webStore(undefined as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'options' }));
    const misspelt = { locks, storage: memoryStorage(), names: 'mine' } as never;
    expect(() => webStore(misspelt)).toThrow('webStore: `names` is not an option. Did you mean `name`?');
  });

  it('a page without Web Locks is told so, and what to do', () => {
    vi.stubGlobal('navigator', {});
    try {
      expect(() => webStore({ storage: memoryStorage() })).toThrow(/Web Locks.*https/);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('stores of different names do not see each other', async () => {
    const storage = memoryStorage();
    const [one, other] = [opened(storage).store, opened(storage).store];
    await one.set('a', token('one'));
    expect(await other.get('a')).toBeUndefined();
  });
});

describe('what lies in the storage', () => {
  it('is one item per key, with its format', async () => {
    const storage = memoryStorage();
    const { store, name } = opened(storage);
    const version = await store.set('a', token('one'));
    expect([...storage.items.keys()]).toEqual([`${name}:a`]);
    expect(JSON.parse(storage.items.get(`${name}:a`)!)).toEqual({ format: 1, version, entry: token('one') });
    await store.delete('a');
    expect(storage.items.size).toBe(0);
  });

  it.each([
    'not JSON',
    '',
    'null',
    '{"format":1,"version":"v","entry":{"accessTok',
    '{"format":2,"version":"v","entry":{"accessToken":"secret-of-another-format"}}',
    '{"format":1,"version":7,"entry":{"accessToken":"a"}}',
    '{"format":1,"version":"v","entry":{"accessToken":7}}',
    '{"format":1,"version":"v"}',
  ])('%s fails once, with a typed error that does not quote it, and is gone then', async (text) => {
    const storage = memoryStorage();
    const { store, name } = opened(storage);
    storage.setItem(`${name}:a`, text);
    const { code, operation, text: said } = await failure(store.get('a'));
    expect([code, operation]).toEqual(['TOKEN_STORE_ERROR', 'get']);
    expect(said).not.toContain('secret-of-another-format');
    expect(storage.items.size).toBe(0);
    expect(await store.get('a')).toBeUndefined();
    expect(await store.set('a', token('one'), { ifVersion: null })).toEqual(expect.any(String));
  });

  it('damaged, it is written over and deleted like nothing at all', async () => {
    const storage = memoryStorage();
    const { store, name } = opened(storage);
    storage.setItem(`${name}:a`, 'damaged');
    expect(await store.delete('a')).toBe(true);
    storage.setItem(`${name}:a`, 'damaged');
    expect(await store.set('a', token('one'), { ifVersion: null })).toEqual(expect.any(String));
  });

  it('a damaged entry that another tab has replaced meanwhile is not removed', async () => {
    const storage = memoryStorage();
    const { store, name } = opened(storage);
    storage.setItem(`${name}:a`, 'damaged');
    const written = store.set('a', token('new'));
    expect(await failure(store.get('a'))).toMatchObject({ operation: 'get' });
    await written;
    expect((await store.get('a'))?.entry).toEqual(token('new'));
  });
});

describe('a storage that fails', () => {
  const full = Object.assign(new Error('the value secret-token-abcdef did not fit'), { name: 'QuotaExceededError' });

  it('a full one: typed, without the value, and the old entry stays', async () => {
    const storage = memoryStorage();
    const { store } = opened(storage);
    const version = await store.set('a', token('old'));
    storage.setItem = () => {
      throw full;
    };
    const { code, operation, text } = await failure(store.set('a', token('secret-token-abcdef')));
    expect([code, operation]).toEqual(['TOKEN_STORE_ERROR', 'set']);
    expect(text).toContain('full');
    expect(text).not.toContain('secret-token-abcdef');
    expect(await store.get('a')).toEqual({ entry: token('old'), version });
  });

  it('a blocked one: typed', async () => {
    const blocked = (): never => {
      throw Object.assign(new Error('Access is denied'), { name: 'SecurityError' });
    };
    const { store } = opened({ getItem: blocked, setItem: blocked, removeItem: blocked });
    const failures = [await failure(store.get('a')), await failure(store.set('a', token('one'))), await failure(store.delete('a'))];
    expect(failures.map(({ code }) => code)).toEqual(Array(3).fill('TOKEN_STORE_ERROR'));
    expect(failures.map(({ operation }) => operation)).toEqual(['get', 'set', 'delete']);
    expect(failures[0]?.text).toContain('Access is denied');
  });

  it('lets go of the lock that it could not use', async () => {
    const storage = memoryStorage();
    const { store } = opened(storage);
    const { getItem } = storage;
    await store.set('a', token('one'));
    storage.getItem = () => {
      throw new Error('not now');
    };
    expect(await failure(store.lock('a', { ttlMs: 60_000, waitMs: 1_000 }))).toMatchObject({ operation: 'lock' });
    const { held = [] } = await locks.query();
    expect(held.filter((lock) => lock.name?.includes(' until '))).toEqual([]);
    storage.getItem = getItem;
    await (await store.lock('a', { ttlMs: 1_000, waitMs: 500 })).release();
  });
});

describe('writes of other tabs that arrive late', () => {
  /** Two tabs whose storages agree only after `delayMs`. */
  function lagging(delayMs: number): readonly [Required<TokenStore>, Required<TokenStore>] {
    const [here, there] = [memoryStorage(), memoryStorage()];
    const carried = (from: typeof here, to: typeof here): WebStorage => ({
      ...from,
      setItem(name, value) {
        from.setItem(name, value);
        setTimeout(() => to.setItem(name, value), delayMs);
      },
      removeItem(name) {
        from.removeItem(name);
        setTimeout(() => to.removeItem(name), delayMs);
      },
    });
    const name = `lag-${++names}`;
    return [webStore({ storage: carried(here, there), name, locks }), webStore({ storage: carried(there, here), name, locks })];
  }

  it('are waited for before versions are compared', async () => {
    const [one, other] = lagging(60);
    const first = (await one.set('a', token('one'))) as string;
    expect(await other.set('a', token('two'), { ifVersion: null })).toBe(false);
    expect(await other.set('a', token('two'), { ifVersion: first })).toEqual(expect.any(String));
    expect(await one.set('a', token('three'), { ifVersion: first })).toBe(false);
    expect(await one.delete('a')).toBe(true);
    expect(await other.set('a', token('four'), { ifVersion: null })).toEqual(expect.any(String));
  });

  it('are there once the lock is', async () => {
    const [one, other] = lagging(60);
    const held = await one.lock('a', { ttlMs: 5_000, waitMs: 5_000 });
    const waiting = other.lock('a', { ttlMs: 5_000, waitMs: 5_000 });
    await one.set('a', token('one'));
    await held.release();
    const lock = await waiting;
    expect((await other.get('a'))?.entry).toEqual(token('one'));
    await lock.release();
  });

  it('that never arrive hold nobody up for good', async () => {
    const [one, other] = lagging(60_000);
    await one.set('a', token('one'));
    const startMs = performance.now();
    expect(await other.set('a', token('two'), { ifVersion: null })).toEqual(expect.any(String));
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});

describe('a page that stands still', () => {
  it('is put out when its time is over', async () => {
    const { store, name } = opened();
    const lock = `authseam lock ${name}:a`;
    const frozen = await frozenHolder(lock);
    await frozenHolder(`${Date.now() + 2_000} until ${lock}`);
    expect(await failure(store.lock('a', { ttlMs: 1_000, waitMs: 100 }))).toMatchObject({ operation: 'lock' });
    expect(frozen.isPutOut()).toBe(false);
    const second = await store.lock('a', { ttlMs: 60_000, waitMs: 5_000 });
    expect(frozen.isPutOut()).toBe(true);
    await second.release();
  });

  it('is not put out before', async () => {
    const { store, name } = opened();
    const lock = `authseam lock ${name}:a`;
    const busy = await frozenHolder(lock);
    await frozenHolder(`${Date.now() + 60_000} until ${lock}`);
    expect(await failure(store.lock('a', { ttlMs: 1_000, waitMs: 1_500 }))).toMatchObject({ operation: 'lock' });
    expect(busy.isPutOut()).toBe(false);
  });

  it('makes way to one after the other, also when one of them is slow to put it out', async () => {
    const storage = memoryStorage();
    const { store, name } = opened(storage);
    const slow: WebLocks = {
      query: () => locks.query(),
      async request(lockName, options, work) {
        if (options.steal) await new Promise((resolve) => setTimeout(resolve, 200));
        return locks.request(lockName, options, work);
      },
    };
    const lock = `authseam lock ${name}:a`;
    await frozenHolder(lock);
    await frozenHolder(`${Date.now() - 1} until ${lock}`);
    let inside = 0;
    let most = 0;
    const turn = async ({ lock: take }: Required<TokenStore>): Promise<void> => {
      const held = await take('a', { ttlMs: 60_000, waitMs: 10_000 });
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 700)); // longer than between two checks
      inside--;
      await held.release();
    };
    await Promise.all([turn(webStore({ storage, name, locks: slow })), turn(store), turn(store)]);
    expect(most).toBe(1);
  });

  it('is put out without a time, too, but only after ten seconds', async () => {
    const { store, name } = opened();
    const frozen = await frozenHolder(`authseam turn ${name}:a`);
    const startMs = performance.now();
    expect(await store.set('a', token('one'))).toEqual(expect.any(String));
    expect(frozen.isPutOut()).toBe(true);
    expect(performance.now() - startMs).toBeGreaterThan(9_500);
  });
});

it('an aborted wait ends with the reason of the signal', async () => {
  const { store } = opened();
  const held = await store.lock('a', { ttlMs: 60_000, waitMs: 1_000 });
  const reason = new Error('left');
  const controller = new AbortController();
  const waiting = store.lock('a', { ttlMs: 1_000, waitMs: 10_000, signal: controller.signal });
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(store.lock('a', { ttlMs: 1_000, waitMs: 0, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await held.release();
});
