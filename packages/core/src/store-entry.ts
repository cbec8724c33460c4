import { isAuthError, TokenStoreError } from './auth-error.ts';
import type { Awaitable } from './auth-strategy.ts';
import { foreignCause } from './foreign-cause.ts';
import type { HeldLock } from './held-lock.ts';
import { redact } from './redact.ts';
import { isTokenSet, type TokenSet } from './token-set.ts';
import type { TokenLock, TokenStore } from './token-store.ts';
import { waitFor } from './wait-for.ts';

export type StoreOperation = TokenStoreError['operation'];

/** What stands in the store. */
export interface Found {
  /** `undefined`: something that is no token set. */
  readonly set: TokenSet | undefined;
  readonly version: string;
}

/** One entry of a store: each wait for it is bounded, each failure a {@link TokenStoreError} that carries nothing of the foreign error but its words. */
export interface StoreEntry {
  read(): Promise<Found | undefined>;
  /** As {@link StoreEntry.read}, and what is disowned as well. */
  look(): Promise<Found | undefined>;
  /**
   * @param ifVersion As in {@link TokenStore.set}.
   * @param onLate Is given the version of a write that arrives after its wait has ended in an error.
   */
  write(set: TokenSet, ifVersion: string | null | undefined, onLate: (version: string) => unknown): Promise<string | false>;
  delete(ifVersion?: string): Promise<boolean>;
  /** What could not be deleted counts as gone from now on; deleting it is tried again with the next read. */
  disown(version: string): void;
  /** @returns `undefined` where the store has no locks. */
  lock(signal: AbortSignal): Promise<TokenLock | undefined>;
  release(lock: TokenLock): Promise<void>;
  /** A lock that is kept while a write is tried again. The next refresh of this process takes it over. */
  kept: HeldLock | undefined;
  /** The write that is under way, awaited or not, where there is one. It never rejects. */
  writing(): Promise<unknown> | undefined;
}

/** Milliseconds. A lock outlives the longest refresh, a wait for it outlasts a token request. */
export const LOCK: { readonly ttlMs: number; readonly waitMs: number } = { ttlMs: 30_000, waitMs: 15_000 };
/** Longest wait for anything but a lock, in milliseconds. */
export const STORE_TIMEOUT_MS = 2_000;

/** The entry `key` of `store`. */
export function storeEntry(store: TokenStore, key: string, strategy: string): StoreEntry {
  let lastSeen: TokenSet | undefined;

  async function bounded<T>(operation: StoreOperation, work: Promise<T>, timeoutMs = STORE_TIMEOUT_MS, written?: TokenSet): Promise<T> {
    const timeoutError = (): Error =>
      new TokenStoreError(`${strategy}: the token store did not answer within ${timeoutMs} ms (${operation}).`, { operation, strategy });
    try {
      return await waitFor(work, { timeoutMs, timeoutError });
    } catch (error) {
      if (isAuthError(error)) throw error;
      const message = `${strategy}: the token store failed (${operation}). It is safe to try again.`;
      // Database clients quote what they could not write, and parsers what they could not read.
      const clean = (text: string): string => redact(operation === 'get' ? text.replace(/\{.*/s, '…') : text, secretsOf(written, lastSeen));
      throw new TokenStoreError(message, { operation, strategy, cause: foreignCause(error, clean) });
    }
  }

  async function remove(ifVersion?: string): Promise<boolean> {
    return bounded(
      'delete',
      begin(() => store.delete(key, ifVersion === undefined ? undefined : { ifVersion })),
    );
  }

  async function look(): Promise<Found | undefined> {
    const found = await bounded(
      'get',
      begin(() => store.get(key)),
    );
    if (!found) return undefined; // databases say `null`
    const set = isTokenSet(found.entry) ? found.entry : undefined;
    lastSeen = set ?? lastSeen;
    return { set, version: found.version };
  }

  let writing: Promise<unknown> | undefined;
  let disowned: string | undefined;

  return {
    async read() {
      const found = await look();
      if (found === undefined || found.version !== disowned) return found;
      remove(disowned).catch(() => {});
      return undefined;
    },
    look,

    async write(set, ifVersion, onLate) {
      const work = begin(() => store.set(key, set, ifVersion === undefined ? undefined : { ifVersion }));
      const current = work
        .catch(() => {})
        .then(() => {
          if (writing === current) writing = undefined;
        });
      writing = current;
      try {
        return await bounded('set', work, STORE_TIMEOUT_MS, set);
      } catch (error) {
        work.then((late) => late !== false && onLate(late)).catch(() => {});
        throw error;
      }
    },

    delete: remove,
    disown(version) {
      disowned = version;
    },

    /** A lock that is granted after nobody waits for it any more is given back. */
    async lock(signal) {
      const locking = begin(() => store.lock?.(key, { ...LOCK, signal }));
      try {
        return await bounded('lock', locking, LOCK.waitMs);
      } catch (error) {
        locking.then((lock) => lock?.release()).catch(() => {}); // it runs out by itself
        throw error;
      }
    },

    release: (lock) =>
      bounded(
        'release',
        begin(() => lock.release()),
      ),

    kept: undefined,
    writing: () => writing,
  };
}

function secretsOf(...sets: readonly (TokenSet | undefined)[]): string[] {
  return sets.flatMap((set) => [set?.accessToken, set?.refreshToken, set?.idToken].filter((secret) => secret !== undefined));
}

/** A store that throws at once fails like one that rejects. */
function begin<T>(work: () => Awaitable<T>): Promise<T> {
  return Promise.resolve().then(work);
}
