import { isAuthError, TokenStoreError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import type { Awaitable } from './auth-strategy.ts';
import { foreignCause } from './foreign-cause.ts';
import { isTokenSet, type TokenSet } from './token-set.ts';
import type { TokenLock, TokenStore } from './token-store.ts';
import { waitFor } from './wait-for.ts';

/** One key of a store, as a token manager uses it. */
export interface SharedTokens {
  /**
   * The refresh transaction: read, lock, read again, request, write, release. What another process refreshed is adopted without a request. The store
   * has the new token before anyone gets it.
   */
  replace(replaced: StoredToken | undefined, steps: ReplaceSteps): Promise<SharedResult | undefined>;
  /** Deletes the entry. @throws {TokenStoreError} */
  forget(): Promise<void>;
}

/** A token, and what is known of the store's copy. */
export interface StoredToken {
  readonly set: TokenSet;
  /** Of this token in the store; `undefined` where it never got there. */
  readonly version?: string | undefined;
  /** Of the entry that it should have replaced, where writing it failed: what still has this version is older than what is in memory. */
  readonly outlived?: string | null | undefined;
}

interface ReplaceSteps {
  /** Whether the token was not invalidated meanwhile: then nothing is sent or written any more, and there is no result. */
  readonly isWanted: () => boolean;
  /** Whether a token from the store can serve. */
  readonly isUsable: (set: TokenSet) => boolean;
  readonly request: (current: TokenSet | undefined) => Promise<TokenSet>;
  readonly emit: (event: AuthEvent) => void;
}

type SharedResult = StoredToken & { readonly isAdopted?: true };

/** Lock and store limits, in milliseconds: a lock outlives the longest refresh, a wait for it outlasts a token request. */
const LOCK = { ttlMs: 30_000, waitMs: 15_000 };
const STORE_TIMEOUT_MS = 2_000;

/** The entry `key` of `store`. */
export function sharedTokens(store: TokenStore, key: string, strategy: string): SharedTokens {
  /** One store operation with a bounded wait; a failure is typed and carries nothing of the foreign error but its words. */
  async function run<T>(operation: TokenStoreError['operation'], work: () => Awaitable<T>, timeoutMs = STORE_TIMEOUT_MS): Promise<T> {
    const timeoutError = (): Error =>
      new TokenStoreError(`${strategy}: the token store did not answer within ${timeoutMs} ms (${operation}).`, { operation, strategy });
    try {
      return await waitFor(Promise.resolve().then(work), { timeoutMs, timeoutError });
    } catch (error) {
      if (isAuthError(error)) throw error;
      const message = `${strategy}: the token store failed (${operation}). It is safe to try again.`;
      throw new TokenStoreError(message, { operation, strategy, cause: foreignCause(error) });
    }
  }

  async function replace(replaced: StoredToken | undefined, steps: ReplaceSteps): Promise<SharedResult | undefined> {
    const { isUsable, isWanted, request, emit } = steps;
    let isRotating = replaced?.set.refreshToken !== undefined;
    /** A store that is down must not stop a grant that needs no state; a refresh token that may be used once must not be sent without it. */
    const tolerate = (error: unknown): undefined => {
      if (isRotating) throw error;
      emit({ type: 'token-store-failed', strategy, operation: (error as TokenStoreError).operation });
    };
    const read = async () => {
      const found = await run('get', () => store.get(key)).catch(tolerate);
      if (!found || isTokenSet(found.entry)) return found;
      emit({ type: 'token-store-failed', strategy, operation: 'get' });
      return { ...found, entry: undefined };
    };
    const isOutlived = (version: string | undefined): boolean =>
      replaced?.outlived !== undefined && replaced.outlived === (version ?? null);
    const adopt = (found: Awaited<ReturnType<typeof read>>): SharedResult | undefined => {
      const { entry: set, version } = found ?? {};
      return set && !isOutlived(version) && isUsable(set) ? { set, version, isAdopted: true } : undefined;
    };

    let stored = await read();
    const early = adopt(stored);
    if (early) return early;
    isRotating ||= stored?.entry?.refreshToken !== undefined;
    const lock = await acquire().catch(tolerate);
    try {
      if (lock) stored = await read();
      const late = adopt(stored);
      if (late || !isWanted()) return late;
      const set = await request(isOutlived(stored?.version) ? replaced?.set : (stored?.entry ?? replaced?.set));
      return isWanted() ? await write(set, stored?.version ?? null, steps) : undefined;
    } finally {
      if (lock) await release(lock, emit);
    }
  }

  /** A lock that is granted after nobody waits for it any more is given back. */
  async function acquire(): Promise<TokenLock | undefined> {
    const locking = Promise.resolve().then(() => store.lock?.(key, LOCK));
    try {
      return await run('lock', () => locking, LOCK.waitMs);
    } catch (error) {
      locking.then((lock) => lock?.release()).catch(() => {}); // it runs out by itself
      throw error;
    }
  }

  /** A lost race or a failing store leaves the token in memory: it was paid for, and serves this process. */
  async function write(set: TokenSet, ifVersion: string | null, { isWanted, emit }: ReplaceSteps): Promise<StoredToken | undefined> {
    const version = await run('set', () => store.set(key, set, { ifVersion })).catch(() => false as const);
    if (version === false) {
      emit({ type: 'token-store-failed', strategy, operation: 'set' });
      return { set, outlived: ifVersion };
    }
    if (isWanted()) return { set, version };
    await run('delete', () => store.delete(key, { ifVersion: version }));
    return undefined;
  }

  /** A lock that cannot be released runs out by itself. */
  async function release(lock: TokenLock, emit: ReplaceSteps['emit']): Promise<void> {
    await run('release', () => lock.release()).catch(() => emit({ type: 'token-store-failed', strategy, operation: 'release' }));
  }

  return Object.freeze({
    replace,
    async forget() {
      await run('delete', () => store.delete(key));
    },
  });
}
