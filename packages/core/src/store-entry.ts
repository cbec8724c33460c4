import { isAuthError, TokenStoreError } from './auth-error.ts';
import type { Awaitable } from './auth-strategy.ts';
import { foreignCause } from './foreign-cause.ts';
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
  /**
   * @param ifVersion As in {@link TokenStore.set}.
   * @param isLateWelcome Asked when the write arrives after its wait has ended in an error: if not, it is taken back.
   */
  write(set: TokenSet, ifVersion: string | null | undefined, isLateWelcome: () => boolean): Promise<string | false>;
  delete(ifVersion?: string): Promise<boolean>;
  /** @returns `undefined` where the store has no locks. */
  lock(): Promise<TokenLock | undefined>;
  release(lock: TokenLock): Promise<void>;
  /** The write that is under way, awaited or not, where there is one. It never rejects. */
  writing(): Promise<unknown> | undefined;
}

/** Milliseconds. A lock outlives the longest refresh, a wait for it outlasts a token request. */
const LOCK = { ttlMs: 30_000, waitMs: 15_000 };
const TIMEOUT_MS = 2_000;

/** The entry `key` of `store`. */
export function storeEntry(store: TokenStore, key: string, strategy: string): StoreEntry {
  async function bounded<T>(
    operation: StoreOperation,
    work: Promise<T>,
    { timeoutMs = TIMEOUT_MS, secrets = [] as string[] } = {},
  ): Promise<T> {
    const timeoutError = (): Error =>
      new TokenStoreError(`${strategy}: the token store did not answer within ${timeoutMs} ms (${operation}).`, { operation, strategy });
    try {
      return await waitFor(work, { timeoutMs, timeoutError });
    } catch (error) {
      if (isAuthError(error)) throw error;
      const message = `${strategy}: the token store failed (${operation}). It is safe to try again.`;
      throw new TokenStoreError(message, { operation, strategy, cause: foreignCause(error, (text) => redact(text, secrets)) });
    }
  }

  async function remove(ifVersion?: string): Promise<boolean> {
    return bounded(
      'delete',
      begin(() => store.delete(key, ifVersion === undefined ? undefined : { ifVersion })),
    );
  }

  let writing: Promise<unknown> | undefined;

  return {
    async read() {
      const found = await bounded(
        'get',
        begin(() => store.get(key)),
      );
      return found && { set: isTokenSet(found.entry) ? found.entry : undefined, version: found.version };
    },

    async write(set, ifVersion, isLateWelcome) {
      const work = begin(() => store.set(key, set, ifVersion === undefined ? undefined : { ifVersion }));
      const current = work
        .catch(() => {})
        .then(() => {
          if (writing === current) writing = undefined;
        });
      writing = current;
      try {
        // Database clients quote what they could not write.
        const secrets = [set.accessToken, set.refreshToken, set.idToken].filter((secret) => secret !== undefined);
        return await bounded('set', work, { secrets });
      } catch (error) {
        work.then((late) => late !== false && !isLateWelcome() && remove(late)).catch(() => {});
        throw error;
      }
    },

    delete: remove,

    /** A lock that is granted after nobody waits for it any more is given back. */
    async lock() {
      const locking = begin(() => store.lock?.(key, LOCK));
      try {
        return await bounded('lock', locking, { timeoutMs: LOCK.waitMs });
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

    writing: () => writing,
  };
}

/** A store that throws at once fails like one that rejects. */
function begin<T>(work: () => Awaitable<T>): Promise<T> {
  return Promise.resolve().then(work);
}
