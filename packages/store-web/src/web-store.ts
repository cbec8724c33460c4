// Web Locks API; HTML standard §12.2 (Web Storage).
import {
  ConfigurationError,
  checkKnownKeys,
  isAuthError,
  redactedCause,
  type TokenLockOptions,
  type TokenSet,
  type TokenStore,
  TokenStoreError,
} from '@authseam/core';
import { exclusively } from './exclusive-work.ts';
import { expiringLock } from './expiring-lock.ts';
import { announceWrite, lastWriteArrived, NOTHING } from './last-write.ts';
import { readItem, writtenItem } from './stored-item.ts';
import type { WebLocks } from './web-locks.ts';

/** Where entries lie: `localStorage`, `sessionStorage`, or anything that answers at once like them. */
export interface WebStorage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

/** Options of {@link webStore}. */
export interface WebStoreOptions {
  /**
   * Where the entries are kept, in the clear: every script of the page's origin can read them. There is no default, because that is for you to decide.
   * `localStorage` is shared by all tabs; `sessionStorage` is one tab's.
   */
  readonly storage: WebStorage;
  /** What the names of items and locks begin with, without a colon. Default `'authseam'`. */
  readonly name?: string;
  /** Default `navigator.locks`. */
  readonly locks?: WebLocks;
}

/** Nobody waits longer for his turn to write, in milliseconds. What holds that lock does not wait for anything outside the browser. */
const TURN_MS = 15_000;

/**
 * A store in the browser: the tabs of one origin share tokens, and one refresh.
 *
 * Concurrency: versions are compared and written under a Web Lock of the key, once the last write of another tab has arrived here. `lock` runs out
 * after its `ttlMs` also while its holder is frozen; what that one writes later is refused by its version.
 *
 * @returns A frozen store.
 * @throws {ConfigurationError} at once for options that are unknown or of the wrong kind, and where there are no Web Locks: in pages without https, and before Node 24.5.
 * Its methods reject with a {@link TokenStoreError}: the storage is full or blocked, a lock is not to be had, or an entry is damaged, which that call
 * removes.
 * @example
 * ```ts
 * import { webStore } from '@authseam/store-web';
 *
 * export const store = () => webStore({ storage: localStorage });
 * ```
 */
export function webStore(options: WebStoreOptions): Required<TokenStore> {
  checkKnownKeys(options, ['storage', 'name', 'locks'], { strategy: 'webStore' });
  const { storage, name = 'authseam', locks = globalThis.navigator?.locks } = options;
  check({ storage, name, locks });
  const page = isOwnOfThisPage(storage) ? `${performance.timeOrigin} ` : '';
  const itemOf = (key: string): string => `${name}:${key}`;
  const idOf = (key: string): string => `${page}${name}:${key}`;
  const versionOf = (key: string): string | undefined => readItem(storage.getItem(itemOf(key)))?.version;
  const arrived = (key: string): Promise<void> => lastWriteArrived(locks, idOf(key), () => versionOf(key) ?? NOTHING);

  /** Compares and writes where no other tab does, and tells the others. */
  async function change<T>(
    operation: 'get' | 'set' | 'delete',
    key: string,
    work: (version: string | undefined) => T | false,
  ): Promise<T | false> {
    let result: T | false = false;
    try {
      await exclusively(locks, `authseam turn ${idOf(key)}`, { waitMs: TURN_MS }, async () => {
        await arrived(key);
        result = work(versionOf(key));
        if (result !== false) await announceWrite(locks, idOf(key), versionOf(key) ?? NOTHING);
      });
      return result;
    } catch (error) {
      throw typed(error, operation);
    }
  }

  async function removeDamaged(key: string, text: string): Promise<never> {
    await change('get', key, () => {
      const isSame = storage.getItem(itemOf(key)) === text;
      if (isSame) storage.removeItem(itemOf(key));
      return isSame;
    });
    throw new TokenStoreError('webStore: an entry was damaged, or of another format. It was removed: sign in again.', { operation: 'get' });
  }

  return Object.freeze({
    async get(key: string) {
      let text: string | null;
      try {
        text = storage.getItem(itemOf(key));
      } catch (error) {
        throw typed(error, 'get');
      }
      return text === null ? undefined : (readItem(text) ?? removeDamaged(key, text));
    },
    async set(key: string, entry: TokenSet, { ifVersion }: { readonly ifVersion?: string | null } = {}) {
      return change('set', key, (current) => {
        if (ifVersion !== undefined && ifVersion !== (current ?? null)) return false;
        const version = crypto.randomUUID();
        storage.setItem(itemOf(key), writtenItem(entry, version));
        return version;
      });
    },
    async delete(key: string, { ifVersion }: { readonly ifVersion?: string } = {}) {
      return change('delete', key, (current) => {
        const isMeant = ifVersion === undefined ? storage.getItem(itemOf(key)) !== null : ifVersion === current;
        if (isMeant) storage.removeItem(itemOf(key));
        return isMeant;
      });
    },
    lock: (key: string, options: TokenLockOptions) => expiringLock(locks, `authseam lock ${idOf(key)}`, options, () => arrived(key)),
  });
}

function check({ storage, name, locks }: { readonly storage: unknown; readonly name: unknown; readonly locks: unknown }): void {
  const fail = (option: string, problem: string): never => {
    throw new ConfigurationError(`webStore: ${problem}.`, { option });
  };
  const has = (value: unknown, methods: readonly string[]): boolean =>
    methods.every((method) => typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function');
  if (!has(storage, ['getItem', 'setItem', 'removeItem'])) fail('storage', '`storage` must be localStorage, or work like it');
  if (typeof name !== 'string' || name === '' || name.includes(':')) fail('name', '`name` must be text without a colon');
  if (!has(locks, ['request', 'query']))
    fail(
      'locks',
      'there are no Web Locks here, without which tabs would use up each other’s refresh tokens. Pages have them over https and on localhost',
    );
}

/** sessionStorage is a tab's own, while locks are everybody's: tabs must not wait for each other's writes. */
function isOwnOfThisPage(storage: WebStorage): boolean {
  try {
    return storage === globalThis.sessionStorage;
  } catch {
    return false; // blocked, so it is another one
  }
}

/** Browsers name the item that did not fit, never its value; other storages may do as they like. */
function typed(error: unknown, operation: TokenStoreError['operation']): unknown {
  if (isAuthError(error)) return error;
  const isFull = error instanceof Error && error.name === 'QuotaExceededError';
  const problem = isFull ? 'the storage is full' : 'the storage failed';
  return new TokenStoreError(`webStore: ${problem} (${operation}).`, { operation, cause: isFull ? undefined : redactedCause(error) });
}
