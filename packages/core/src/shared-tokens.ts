import { type AuthError, isAuthError, TokenStoreError } from './auth-error.ts';
import { type RefreshResult, type RefreshSteps, refreshTransaction } from './refresh-transaction.ts';
import { storeEntry } from './store-entry.ts';
import { type StoredToken, saveAgain } from './stored-token.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

/** One key of a store, as a token manager uses it. */
export interface SharedTokens {
  /** @returns `undefined` when the token was invalidated meanwhile. */
  replace(replaced: StoredToken | undefined, steps: RefreshSteps): Promise<RefreshResult | undefined>;
  /**
   * Writes an entry whatever stands there: somebody has signed in.
   *
   * @param isWanted Asked when it is written: if not, it is taken out again.
   * @returns Its version. @throws {TokenStoreError} and then what arrives late is taken out again too: nobody is signed in.
   */
  put(set: TokenSet, isWanted: () => boolean): Promise<string>;
  /** Writes again what could not be written. @returns The version of what stands there now; `undefined`: it failed again, or is not wanted any more. */
  save(unsaved: StoredToken, isWanted: () => boolean): Promise<string | undefined>;
  /**
   * Deletes the entry, whoever wrote it. One that cannot be deleted counts as deleted here.
   *
   * @param held What is in memory.
   * @returns What stood there last, and why it may still stand there.
   */
  forget(held: StoredToken | undefined): Promise<{ readonly set: TokenSet | undefined; readonly failure: AuthError | undefined }>;
}

/** What a refresh of another process writes meanwhile is deleted in its turn, so often; then whatever stands there. */
const MOST_DELETIONS = 3;

/** The entry `key` of `store`. */
export function sharedTokens(store: TokenStore, key: string, strategy: string): SharedTokens {
  const entry = storeEntry(store, key, strategy);

  return Object.freeze({
    replace: (replaced: StoredToken | undefined, steps: RefreshSteps) => refreshTransaction(entry, replaced, steps),

    async put(set: TokenSet, isWanted: () => boolean) {
      // Whoever was told that it failed is not signed in by it.
      const version = await entry.write(set, undefined, (late) => entry.delete(late));
      if (version === false)
        throw new TokenStoreError(`${strategy}: the token store refused an unconditional write.`, { operation: 'set', strategy });
      if (!isWanted()) await entry.delete(version);
      return version;
    },

    save: (unsaved: StoredToken, isWanted: () => boolean) => saveAgain(entry, unsaved, isWanted),

    async forget(held: StoredToken | undefined) {
      let set: TokenSet | undefined;
      let version = held?.version;
      try {
        for (let turn = 1; turn < MOST_DELETIONS; turn += 1) {
          const found = await entry.read().catch(() => undefined);
          set = found?.set ?? set;
          version = found?.version ?? version;
          if (!found) break;
          if (await entry.delete(found.version)) return { set, failure: undefined };
        }
        await entry.delete();
        return { set, failure: undefined };
      } catch (error) {
        if (!isAuthError(error)) throw error;
        if (version !== undefined) entry.disown(version);
        return { set, failure: error };
      }
    },
  });
}
