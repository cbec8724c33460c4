import { isAuthError, TokenStoreError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import type { Awaitable } from './auth-strategy.ts';
import { foreignCause } from './foreign-cause.ts';
import { redact } from './redact.ts';
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
  /**
   * Writes an entry whatever stands there: somebody has signed in.
   *
   * @param isWanted Asked when it is written: if not, it is taken out again.
   * @returns Its version. @throws {TokenStoreError}
   */
  put(set: TokenSet, isWanted: () => boolean): Promise<string>;
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
  async function run<T>(
    operation: TokenStoreError['operation'],
    work: () => Awaitable<T>,
    timeoutMs = STORE_TIMEOUT_MS,
    secrets: readonly string[] = [],
  ): Promise<T> {
    const timeoutError = (): Error =>
      new TokenStoreError(`${strategy}: the token store did not answer within ${timeoutMs} ms (${operation}).`, { operation, strategy });
    try {
      return await waitFor(Promise.resolve().then(work), { timeoutMs, timeoutError });
    } catch (error) {
      if (isAuthError(error)) throw error;
      const message = `${strategy}: the token store failed (${operation}). It is safe to try again.`;
      throw new TokenStoreError(message, { operation, strategy, cause: foreignCause(error, (text) => redact(text, secrets)) });
    }
  }

  /** A write that has not settled. */
  let writing: Promise<void> | undefined;

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
      // What was in the store and is there no more was signed out, by another process say: it must not come back from memory.
      const isSignedOut = isRotating && stored === undefined && replaced?.version !== undefined;
      const remembered = isSignedOut ? undefined : replaced?.set;
      const current = isOutlived(stored?.version) ? remembered : (stored?.entry ?? remembered);
      let set: TokenSet;
      try {
        set = await request(current);
      } catch (error) {
        return await afterRefusal(error, current, stored?.version, steps);
      }
      return isWanted() ? await write(set, stored?.version ?? null, steps) : undefined;
    } finally {
      // A write that nobody waits for any more is still under way: whoever has the lock next would send a spent refresh token.
      const isStuck = writing !== undefined;
      const released = lock && Promise.resolve(writing).then(() => release(lock, emit));
      if (!isStuck) await released;
    }
  }

  /** The refresh token was refused: another process has a newer one, which is used instead, or it is worth nothing and goes. */
  async function afterRefusal(
    error: unknown,
    refused: TokenSet | undefined,
    ifVersion: string | undefined,
    steps: ReplaceSteps,
  ): Promise<SharedResult | undefined> {
    const isFinal =
      isAuthError(error, 'INTERACTION_REQUIRED') || (isAuthError(error, 'TOKEN_ENDPOINT_ERROR') && error.error === 'invalid_grant');
    if (!isFinal) throw error;
    const found = await run('get', () => store.get(key)).catch(() => undefined);
    if (found && isTokenSet(found.entry) && found.entry.refreshToken !== refused?.refreshToken) {
      if (steps.isUsable(found.entry)) return { set: found.entry, version: found.version, isAdopted: true };
      return steps.isWanted() ? write(await steps.request(found.entry), found.version, steps) : undefined;
    }
    // Left standing it would only be refused again.
    if (ifVersion !== undefined) await run('delete', () => store.delete(key, { ifVersion })).catch(() => {});
    throw error;
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
    const work = Promise.resolve().then(() => store.set(key, set, { ifVersion }));
    const settled = work.then(
      () => {},
      () => {},
    );
    writing = settled;
    void settled.then(() => {
      if (writing === settled) writing = undefined;
    });
    const version = await run('set', () => work).catch(() => undefined);
    if (!version) {
      if (version === false && ifVersion !== null && (await isEmpty())) return undefined; // signed out meanwhile, by another process
      emit({ type: 'token-store-failed', strategy, operation: 'set' });
      return { set, outlived: ifVersion };
    }
    if (isWanted()) return { set, version };
    await run('delete', () => store.delete(key, { ifVersion: version }));
    return undefined;
  }

  async function isEmpty(): Promise<boolean> {
    return run('get', () => store.get(key)).then(
      (found) => found === undefined,
      () => false,
    );
  }

  /** A lock that cannot be released runs out by itself. */
  async function release(lock: TokenLock, emit: ReplaceSteps['emit']): Promise<void> {
    await run('release', () => lock.release()).catch(() => emit({ type: 'token-store-failed', strategy, operation: 'release' }));
  }

  return Object.freeze({
    replace,
    async put(set: TokenSet, isWanted: () => boolean) {
      const work = Promise.resolve().then(() => store.set(key, set));
      // Database clients quote what they could not write.
      const secrets = [set.accessToken, set.refreshToken, set.idToken].filter((secret) => secret !== undefined);
      const version = await run('set', () => work, STORE_TIMEOUT_MS, secrets).catch((error: unknown) => {
        // A write that arrives after all would sign in whoever was told that it failed.
        work.then((late) => late && store.delete(key, { ifVersion: late })).catch(() => {});
        throw error;
      });
      if (version === false)
        throw new TokenStoreError(`${strategy}: the token store refused an unconditional write.`, { operation: 'set', strategy });
      if (!isWanted()) await run('delete', () => store.delete(key, { ifVersion: version }));
      return version;
    },
    async forget() {
      await run('delete', () => store.delete(key));
    },
  });
}
