import { isAuthError, TokenStoreError } from './auth-error.ts';
import { type Found, type KeptLock, LOCK, STORE_TIMEOUT_MS, type StoreEntry, type StoreOperation } from './store-entry.ts';
import { isOutlived, type StoredToken, saveAgain } from './stored-token.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenLock } from './token-store.ts';
import { pauseFor } from './wait-for.ts';

/** What a token manager does in a refresh, and is told of it. */
export interface RefreshSteps {
  readonly now: () => number;
  readonly strategy: string;
  /** Whether the token was not invalidated meanwhile: then nothing is sent or written any more, and there is no result. */
  readonly isWanted: () => boolean;
  /** Whether a token from the store can serve in place of `replaced`. */
  readonly isUsable: (set: TokenSet, replaced: TokenSet | undefined) => boolean;
  /** Whether a valid token will not do either. */
  readonly isForced: boolean;
  /** What an empty entry begins with. */
  readonly initial: TokenSet | undefined;
  /** Whether nothing can be fetched without a refresh token. */
  readonly needsRefreshToken: boolean;
  readonly request: (current: TokenSet | undefined, limits: RequestLimits) => Promise<TokenSet>;
  /** @param sinceMs When the wait for the lock began. */
  readonly onLocked: (sinceMs: number) => void;
  readonly onStoreFailed: (operation: StoreOperation) => void;
}

/** What a token request has to keep to. */
export interface RequestLimits {
  /** For how long the lock is ours for certain, in milliseconds: nothing is sent after that. */
  readonly timeoutMs: number;
  /** Asks the store for what another process has put there since. */
  readonly reread: () => Promise<TokenSet | undefined>;
}

/** A new token; `isAdopted`: of another process. */
export type RefreshResult = StoredToken & { readonly isAdopted?: true };

/** The transaction has to begin again. */
const AGAIN = Symbol();
type Again = typeof AGAIN;

/** So often: then the store is no good. */
const MOST_TURNS = 4;
/** Whoever waits for the lock looks into the store as often as this: of a fleet one refreshes, and the others need no lock to take what it got. */
const LOOK_EVERY_MS = 150;
/** Between the last moment to send and the end of the lock: a write has to fit in. */
const WRITE_MARGIN_MS = 2 * STORE_TIMEOUT_MS;
/** A lock that was kept for so long is not taken over any more, in milliseconds. */
const LATEST_TAKE_MS = LOCK.ttlMs - WRITE_MARGIN_MS - 6_000;
/** A read takes no longer, unless this process was stopped. */
const LONGEST_READ_MS = STORE_TIMEOUT_MS + 500;

/** Read, lock, read again, request, write, release: what another process refreshed is adopted, and nobody gets a token that is not stored. */
export async function refreshTransaction(
  entry: StoreEntry,
  held: StoredToken | undefined,
  steps: RefreshSteps,
): Promise<RefreshResult | undefined> {
  for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
    const result = await refreshOnce(entry, held, steps);
    if (result !== AGAIN) return result;
  }
  const { strategy } = steps;
  throw new TokenStoreError(`${strategy}: no lock was held for long enough. It is safe to try again.`, { operation: 'lock', strategy });
}

async function refreshOnce(
  entry: StoreEntry,
  held: StoredToken | undefined,
  steps: RefreshSteps,
): Promise<RefreshResult | Again | undefined> {
  const { initial, isForced, isUsable, isWanted, needsRefreshToken, now, onStoreFailed } = steps;
  let isRotating = needsRefreshToken || held?.set.refreshToken !== undefined;
  let isUnreadable = false;
  let lock: TokenLock | undefined;
  let isTakenOver = false;
  /** When the lock was asked for, and when it was known to be ours. */
  let sinceMs = now();
  let lockedMs = sinceMs;

  /** A store that is down must not stop a grant that needs no state; a refresh token that may be used once must not be sent without it. */
  const tolerate = (operation: StoreOperation) => (error: unknown) => {
    if (isRotating) throw error;
    if (operation === 'get') isUnreadable = true;
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
  const adopted = (found: Found | undefined): RefreshResult | undefined =>
    found?.set && !isOutlived(found, replaced) && isUsable(found.set, replaced?.set)
      ? { set: found.set, version: found.version, isAdopted: true }
      : undefined;

  const early = adopted(stored);
  if (early) return early;
  isRotating ||= stored?.set?.refreshToken !== undefined;
  // Nothing will be sent: whoever asks for subjects that never signed in leaves no locks behind.
  const isHopeless = needsRefreshToken && !stored?.set && !replaced && !initial;
  try {
    sinceMs = now();
    const meanwhile = isHopeless || takeKept() ? undefined : await lockOrAdopt();
    if (meanwhile) return meanwhile;
    if (lock) {
      lockedMs = now();
      steps.onLocked(sinceMs);
      stored = await read();
    }
    const late = adopted(stored);
    if (late || !isWanted()) return late;
    // This process was stopped: others may have taken the lock, and refreshed, since it looked.
    if (lock && now() - lockedMs > LONGEST_READ_MS) return AGAIN;
    // What was in the store, or followed what was there, and is there no more was signed out, by another process say: it must not come back from memory.
    const wasStored = replaced?.version !== undefined || typeof replaced?.outlived === 'string';
    const isGone = replaced?.isRefused || (isRotating && stored === undefined && wasStored);
    const remembered = isGone ? undefined : (replaced?.set ?? (stored ? undefined : initial));
    return await requested(isOutlived(stored, replaced) ? remembered : (stored?.set ?? remembered));
  } catch (error) {
    // What the last refresh brought is not written yet.
    if (isTakenOver && lock && held?.outlived !== undefined && !isRefused(error)) {
      void keepSaving(held, { granted: lock, sinceMs });
      lock = undefined;
    }
    throw error;
  } finally {
    await release();
  }

  /** The lock of this process's last refresh, whose token could not be written: that is no reason to wait for oneself. */
  function takeKept(): boolean {
    const { kept } = entry;
    // What is left of it is too short for a request: it runs out, and is waited for like anybody else's.
    if (!kept || now() - kept.sinceMs > LATEST_TAKE_MS) return false;
    entry.kept = undefined;
    lock = kept.granted;
    isTakenOver = true;
    sinceMs = kept.sinceMs;
    return true;
  }

  /** The lock, or what its holder wrote. */
  async function lockOrAdopt(): Promise<RefreshResult | undefined> {
    const giveUp = new AbortController();
    const locking = entry.lock(giveUp.signal).then((granted) => ({ granted }));
    for (;;) {
      const got = await Promise.race([locking, pauseFor(LOOK_EVERY_MS)]).catch((error) => ({ granted: tolerate('lock')(error) }));
      if (got) {
        lock = got.granted;
        return undefined;
      }
      const found = adopted(await entry.read().catch(() => undefined));
      if (!found) continue;
      locking.then(({ granted }) => granted?.release()).catch(() => {});
      giveUp.abort();
      return found;
    }
  }

  async function requested(current: TokenSet | undefined): Promise<RefreshResult | Again | undefined> {
    let known = stored;
    /** After a connection that was lost: what another process has refreshed since need not be asked for again. */
    const reread = async (): Promise<TokenSet | undefined> => {
      const found = await entry.read();
      if (!found?.set || found.version === known?.version) return undefined;
      known = found;
      return found.set;
    };
    try {
      const set = await steps.request(current, { reread, timeoutMs: leftMs(current) });
      if (known?.set === set) return { set, version: known.version, isAdopted: true };
      return await write(set, known);
    } catch (error) {
      if (!isRefused(error) || !isWanted()) throw error;
      return afterRefusal(error, current, known);
    }
  }

  /** Counted from the moment that the lock was asked for: it may have been granted long before that was known. */
  function leftMs(current: TokenSet | undefined): number {
    return lock && current?.refreshToken !== undefined ? LOCK.ttlMs - WRITE_MARGIN_MS - (now() - sinceMs) : Infinity;
  }

  /** The refresh token was refused: another process has a newer one, which is used instead, or it is worth nothing and goes. */
  async function afterRefusal(
    error: unknown,
    refused: TokenSet | undefined,
    known: Found | undefined,
  ): Promise<RefreshResult | Again | undefined> {
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
    const newer = adopted(found);
    if (newer || !isWanted()) return newer;
    if (isHopeless) return AGAIN; // somebody has signed in: what is sent now is sent under the lock
    try {
      const limits = { reread: async () => undefined, timeoutMs: leftMs(found.set) };
      return await write(await steps.request(found.set, limits), found);
    } catch (again) {
      if (isRefused(again)) await clear(found.version);
      throw again;
    }
  }

  /** A failing store leaves the token in memory: it was paid for, and serves this process. Who loses a race uses what the winner has. */
  async function write(set: TokenSet, over: Found | undefined): Promise<RefreshResult | undefined> {
    // Before the lock is released: whoever has it next would send what is spent.
    const discard = async (version: string | undefined): Promise<undefined> => {
      if (version !== undefined) await entry.delete(version).catch(() => {}); // whoever signs out deletes it too, and tells
    };
    if (!isWanted()) return discard(over?.version);
    // A token that anybody can fetch replaces what nobody can read.
    const ifVersion = isUnreadable && set.refreshToken === undefined ? undefined : (over?.version ?? null);
    const onLate = (late: string): unknown => isWanted() || discard(late);
    const version = await entry.write(set, ifVersion, onLate).catch(() => undefined);
    if (version) return isWanted() ? { set, version } : discard(version);
    if (version === undefined && !isWanted()) return discard(over?.version); // what stands there is spent
    if (version === false) {
      const found = await entry.read().catch(() => over);
      if (!found && over) return undefined; // signed out meanwhile, by another process
      // An earlier write of the token that is replaced here has arrived after all.
      const isOwn = replaced && found?.set?.accessToken === replaced.set.accessToken && found.version !== over?.version;
      if (isOwn) return write(set, found);
      const winner = found === over ? undefined : adopted(found);
      if (winner) return winner;
    }
    onStoreFailed('set');
    const predecessor = replaced?.outlived === undefined ? undefined : replaced.set.accessToken;
    const result = { set, outlived: over?.version ?? null, predecessor };
    if (lock && version === undefined && set.refreshToken !== undefined) {
      void keepSaving(result, { granted: lock, sinceMs });
      lock = undefined;
    }
    return result;
  }

  /** While the store holds a refresh token that is spent nobody else may have the lock: it is kept until the new one is written, or until it runs out. */
  async function keepSaving(token: StoredToken, mine: KeptLock): Promise<void> {
    entry.kept = mine;
    const isKept = (): boolean => entry.kept === mine && isWanted() && now() - mine.sinceMs < LOCK.ttlMs;
    for (let pauseMs = 250; isKept(); pauseMs = Math.min(2 * pauseMs, 4_000)) {
      await entry.writing();
      await pauseFor(pauseMs);
      if (isKept() && (await saveAgain(entry, token, isWanted)) !== undefined) break;
    }
    if (entry.kept !== mine) return; // taken over
    entry.kept = undefined;
    await letGo(mine.granted);
  }

  /** After a write that nobody waits for any more: whoever has the lock next would send a spent refresh token. */
  async function release(): Promise<void> {
    const granted = lock;
    const writing = granted && entry.writing();
    if (writing) void writing.then(() => letGo(granted));
    else if (granted) await letGo(granted);
  }

  /** A lock that cannot be released runs out by itself. */
  function letGo(granted: TokenLock): Promise<void> {
    return entry.release(granted).catch(() => onStoreFailed('release'));
  }
}

/** Whether the grant is worth nothing any more (RFC 6749 §5.2). */
export function isRefused(error: unknown): boolean {
  return isAuthError(error, 'INTERACTION_REQUIRED') || (isAuthError(error, 'TOKEN_ENDPOINT_ERROR') && error.error === 'invalid_grant');
}
