import { type AuthError, isAuthError, TokenStoreError } from './auth-error.ts';
import { type Found, type StoreOperation, storeEntry } from './store-entry.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenLock, TokenStore } from './token-store.ts';

/** One key of a store, as a token manager uses it. */
export interface SharedTokens {
  /**
   * The refresh transaction: read, lock, read again, request, write, release. What another process refreshed is adopted without a request. The store
   * has the new token before anyone gets it.
   *
   * @returns `undefined` when the token was invalidated meanwhile.
   */
  replace(replaced: StoredToken | undefined, steps: ReplaceSteps): Promise<SharedResult | undefined>;
  /**
   * Writes an entry whatever stands there: somebody has signed in.
   *
   * @param isWanted Asked when it is written: if not, it is taken out again.
   * @returns Its version. @throws {TokenStoreError} and then what arrives late is taken out again too.
   */
  put(set: TokenSet, isWanted: () => boolean): Promise<string>;
  /** Writes again what could not be written. @returns The version of what stands there now; `undefined`: it failed again, or is not wanted any more. */
  save(unsaved: StoredToken, isWanted: () => boolean): Promise<string | undefined>;
  /** Deletes the entry, whoever wrote it. @returns What stood there last, and why it may still stand there. */
  forget(): Promise<{ readonly set: TokenSet | undefined; readonly failure: AuthError | undefined }>;
}

/** A token, and what is known of the store's copy. */
export interface StoredToken {
  readonly set: TokenSet;
  /** Of this token in the store; `undefined` where it never got there. */
  readonly version?: string | undefined;
  /** Of the entry that it should have replaced, where writing it failed: what still has this version is older than what is in memory. */
  readonly outlived?: string | null | undefined;
  /** Its refresh token was refused: it is not sent again. */
  readonly isRefused?: boolean | undefined;
}

interface ReplaceSteps {
  /** Whether the token was not invalidated meanwhile: then nothing is sent or written any more, and there is no result. */
  readonly isWanted: () => boolean;
  /** Whether a token from the store can serve in place of `replaced`. */
  readonly isUsable: (set: TokenSet, replaced: TokenSet | undefined) => boolean;
  /** Whether a valid token will not do either. */
  readonly isForced: boolean;
  readonly now: () => number;
  /** What an empty entry begins with. */
  readonly initial: TokenSet | undefined;
  /** Whether nothing can be fetched without a refresh token. */
  readonly needsRefreshToken: boolean;
  /** @param reread Asks the store for what another process has put there since. */
  readonly request: (current: TokenSet | undefined, reread: () => Promise<TokenSet | undefined>) => Promise<TokenSet>;
  /** @param sinceMs When the wait for the lock began. */
  readonly onLocked: (sinceMs: number) => void;
  readonly onStoreFailed: (operation: StoreOperation) => void;
}

type SharedResult = StoredToken & { readonly isAdopted?: true };

/** What a refresh of another process writes meanwhile is deleted in its turn, so often; then whatever stands there. */
const MOST_DELETIONS = 3;

/** The entry `key` of `store`. */
export function sharedTokens(store: TokenStore, key: string, strategy: string): SharedTokens {
  const entry = storeEntry(store, key, strategy);

  async function replace(held: StoredToken | undefined, steps: ReplaceSteps): Promise<SharedResult | undefined> {
    const { initial, isForced, isWanted, needsRefreshToken, now, onStoreFailed } = steps;
    let isRotating = needsRefreshToken || held?.set.refreshToken !== undefined;
    /** A store that is down must not stop a grant that needs no state; a refresh token that may be used once must not be sent without it. */
    const tolerate = (operation: StoreOperation) => (error: unknown) => {
      if (isRotating) throw error;
      onStoreFailed(operation);
      return undefined;
    };
    const read = async (): Promise<Found | undefined> => {
      const found = await entry.read().catch(tolerate('get'));
      if (found && !found.set) onStoreFailed('get');
      return found;
    };

    let stored = await read();
    // Who has nothing at hand and wants another one means the one that stands here.
    const replaced = held ?? (isForced && stored?.set ? { set: stored.set, version: stored.version } : undefined);
    const early = adopted(stored, replaced, steps);
    if (early) return early;
    isRotating ||= stored?.set?.refreshToken !== undefined;
    // Nothing will be sent: whoever asks for subjects that never signed in leaves no locks behind.
    const isHopeless = needsRefreshToken && !stored?.set && !replaced && !initial;
    const sinceMs = now();
    const lock = isHopeless ? undefined : await entry.lock().catch(tolerate('lock'));
    try {
      if (lock) {
        steps.onLocked(sinceMs);
        stored = await read();
      }
      const late = adopted(stored, replaced, steps);
      if (late || !isWanted()) return late;
      // What was in the store, or followed what was there, and is there no more was signed out, by another process say: it must not come back from memory.
      const wasStored = replaced?.version !== undefined || typeof replaced?.outlived === 'string';
      const isGone = replaced?.isRefused || (isRotating && stored === undefined && wasStored);
      const remembered = isGone ? undefined : (replaced?.set ?? (stored ? undefined : initial));
      const current = isOutlived(stored, replaced) ? remembered : (stored?.set ?? remembered);
      return await requested(current, stored, replaced, steps);
    } finally {
      await release(lock, steps);
    }
  }

  async function requested(
    current: TokenSet | undefined,
    stored: Found | undefined,
    replaced: StoredToken | undefined,
    steps: ReplaceSteps,
  ): Promise<SharedResult | undefined> {
    let known = stored;
    /** After a connection that was lost: what another process has refreshed since need not be asked for again. */
    const reread = async (): Promise<TokenSet | undefined> => {
      const found = await entry.read();
      if (!found?.set || found.version === known?.version) return undefined;
      known = found;
      return found.set;
    };
    try {
      const set = await steps.request(current, reread);
      if (known?.set === set) return { set, version: known.version, isAdopted: true };
      return await write(set, known, replaced, steps);
    } catch (error) {
      if (!isRefused(error) || !steps.isWanted()) throw error;
      return afterRefusal(error, current, known, replaced, steps);
    }
  }

  /** The refresh token was refused: another process has a newer one, which is used instead, or it is worth nothing and goes. */
  async function afterRefusal(
    error: unknown,
    refused: TokenSet | undefined,
    known: Found | undefined,
    replaced: StoredToken | undefined,
    steps: ReplaceSteps,
  ): Promise<SharedResult | undefined> {
    const found = await entry.read().catch(() => undefined);
    // Left standing it would only be refused again.
    const clear = async (version: string | undefined): Promise<void> => {
      if (version !== undefined) await entry.delete(version).catch(() => {});
    };
    const isNewer = found?.set && !isOutlived(found, replaced) && found.set.refreshToken !== refused?.refreshToken;
    if (!isNewer) {
      await clear(known?.version);
      throw error;
    }
    const newer = adopted(found, replaced, steps);
    if (newer || !steps.isWanted()) return newer;
    try {
      return await write(await steps.request(found.set, async () => undefined), found, replaced, steps);
    } catch (again) {
      if (isRefused(again)) await clear(found.version);
      throw again;
    }
  }

  /** A failing store leaves the token in memory: it was paid for, and serves this process. Who loses a race uses what the winner has. */
  async function write(
    set: TokenSet,
    over: Found | undefined,
    replaced: StoredToken | undefined,
    steps: ReplaceSteps,
  ): Promise<SharedResult | undefined> {
    const { isWanted, onStoreFailed } = steps;
    // Before the lock is released: whoever has it next would send what is spent.
    const discard = async (version: string | undefined): Promise<undefined> => {
      if (version !== undefined) await entry.delete(version).catch(() => {}); // whoever signs out deletes it too, and tells
    };
    if (!isWanted()) return discard(over?.version);
    const version = await entry.write(set, over?.version ?? null, isWanted).catch(() => undefined);
    if (version) return isWanted() ? { set, version } : discard(version);
    if (version === false) {
      const found = await entry.read().catch(() => over);
      if (!found && over) return undefined; // signed out meanwhile, by another process
      const winner = found === over ? undefined : adopted(found, replaced, steps);
      if (winner) return winner;
    }
    onStoreFailed('set');
    return { set, outlived: over?.version ?? null };
  }

  /** After a write that nobody waits for any more: whoever has the lock next would send a spent refresh token. A lock runs out by itself. */
  async function release(lock: TokenLock | undefined, { onStoreFailed }: ReplaceSteps): Promise<void> {
    if (!lock) return;
    const letGo = (): Promise<void> => entry.release(lock).catch(() => onStoreFailed('release'));
    const writing = entry.writing();
    if (writing) void writing.then(letGo);
    else await letGo();
  }

  return Object.freeze({
    replace,

    async put(set: TokenSet, isWanted: () => boolean) {
      const version = await entry.write(set, undefined, () => false);
      if (version === false)
        throw new TokenStoreError(`${strategy}: the token store refused an unconditional write.`, { operation: 'set', strategy });
      if (!isWanted()) await entry.delete(version);
      return version;
    },

    async save({ set, outlived = null }: StoredToken, isWanted: () => boolean) {
      try {
        const found = await entry.read();
        // The first write has arrived after all, or somebody wrote or signed out since: that is newer than what is here.
        if ((found?.version ?? null) !== outlived) return found?.version ?? 'gone';
        const version = await entry.write(set, outlived, isWanted);
        if (version !== false && !isWanted()) await entry.delete(version);
        return version === false ? undefined : version;
      } catch {
        return undefined;
      }
    },

    async forget() {
      let set: TokenSet | undefined;
      try {
        for (let turn = 1; turn < MOST_DELETIONS; turn += 1) {
          const found = await entry.read().catch(() => undefined);
          set = found?.set ?? set;
          if (!found) break;
          if (await entry.delete(found.version)) return { set, failure: undefined };
        }
        await entry.delete();
        return { set, failure: undefined };
      } catch (error) {
        if (!isAuthError(error)) throw error;
        return { set, failure: error };
      }
    },
  });
}

/** What another process has put there. */
function adopted(found: Found | undefined, replaced: StoredToken | undefined, { isUsable }: ReplaceSteps): SharedResult | undefined {
  const isFit = found?.set && !isOutlived(found, replaced) && isUsable(found.set, replaced?.set);
  return isFit ? { set: found.set as TokenSet, version: found.version, isAdopted: true } : undefined;
}

/** Whether what stands in the store is older than what is in memory, or was refused with it. */
function isOutlived(found: Found | undefined, replaced: StoredToken | undefined): boolean {
  if (replaced?.isRefused && found?.set && found.set.refreshToken === replaced.set.refreshToken) return true;
  return replaced?.outlived !== undefined && replaced.outlived === (found?.version ?? null);
}

/** Whether the grant is worth nothing any more (RFC 6749 §5.2). */
export function isRefused(error: unknown): boolean {
  return isAuthError(error, 'INTERACTION_REQUIRED') || (isAuthError(error, 'TOKEN_ENDPOINT_ERROR') && error.error === 'invalid_grant');
}
