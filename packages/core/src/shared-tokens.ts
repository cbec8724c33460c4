import { type AuthError, isAuthError, TokenStoreError } from './auth-error.ts';
import type { RefreshResult, RefreshSteps } from './refresh-steps.ts';
import { refreshTransaction } from './refresh-transaction.ts';
import { storeEntry } from './store-entry.ts';
import { type StoredToken, saveAgain } from './stored-token.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

/** One key of a store, as a token manager uses it. */
export interface SharedTokens {
  /**
   * @param replaced As it was when the refresh began: what is learnt of it meanwhile must not make what was read before look newer.
   * @returns `undefined` when the token was invalidated meanwhile.
   */
  replace(replaced: StoredToken | undefined, steps: RefreshSteps): Promise<RefreshResult | undefined>;
  /**
   * Writes an entry in place of whatever stands there: somebody has signed in.
   *
   * @param isWanted Asked when it is written: if not, it is taken out again.
   * @returns Its version. @throws {TokenStoreError} and then what arrives late is taken out again too: nobody is signed in.
   */
  put(set: TokenSet, isWanted: () => boolean): Promise<string>;
  /** Writes again what could not be written. @returns The version of what stands there now; `undefined`: it failed again, or is not wanted any more. */
  save(unsaved: StoredToken, isWanted: () => boolean): Promise<string | undefined>;
  /**
   * Deletes the entry, whoever wrote it. One that cannot be deleted counts as deleted here, if it was ever seen here.
   *
   * @param held What is in memory.
   * @returns What stood there last, and why it may still stand there.
   */
  forget(held: StoredToken | undefined): Promise<{ readonly set: TokenSet | undefined; readonly failure: AuthError | undefined }>;
}

/** Others may write at the same time: so often it is tried again. */
const MOST_TURNS = 4;

/** The entry `key` of `store`. */
export function sharedTokens(store: TokenStore, key: string, strategy: string): SharedTokens {
  const entry = storeEntry(store, key, strategy);
  /** What cannot be deleted counts as gone here. */
  const remove = (version: string): Promise<unknown> => entry.delete(version).catch(() => entry.disown(version));

  return Object.freeze({
    replace: (replaced: StoredToken | undefined, steps: RefreshSteps) => refreshTransaction(entry, replaced, steps),

    async put(set: TokenSet, isWanted: () => boolean) {
      for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
        // Only over what stands there now: a write that arrives late must not replace a newer sign-in. What cannot be read is written over.
        const ifVersion = await entry.look().then(
          (found) => found?.version ?? null,
          () => undefined,
        );
        const version = await entry
          .write(set, ifVersion, (late) => entry.delete(late))
          .catch(async (error: unknown) => {
            // Whoever is told that it failed is not signed in by it: it may have been carried out all the same.
            const found = await entry.look().catch(() => undefined);
            if (found?.set?.accessToken === set.accessToken) await remove(found.version);
            throw error;
          });
        if (version === false) continue;
        if (!isWanted()) await remove(version);
        return version;
      }
      const message = `${strategy}: the token store took no write, for others wrote at the same time. It is safe to try again.`;
      throw new TokenStoreError(message, { operation: 'set', strategy });
    },

    save: (unsaved: StoredToken, isWanted: () => boolean) => saveAgain(entry, unsaved, isWanted),

    async forget(held: StoredToken | undefined) {
      let set: TokenSet | undefined;
      let version = held?.version;
      try {
        for (let turn = 1; turn < MOST_TURNS; turn += 1) {
          const seen = await entry.look().then(
            (found) => ({ found }),
            () => undefined,
          );
          if (!seen) break;
          const { found } = seen;
          set = found?.set ?? set;
          version = found?.version ?? version;
          // By its version: a sign-out that arrives late must not end the next session.
          const isDeleted = version !== undefined && (await entry.delete(version));
          if (isDeleted || !found) return { set, failure: undefined };
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
