import { isAuthError, TokenStoreError } from './auth-error.ts';
import { type HeldLock, keepSaving } from './held-lock.ts';
import type { RefreshResult, RefreshSteps, RequestLimits } from './refresh-steps.ts';
import { stopwatch } from './stopwatch.ts';
import { type Found, LOCK, STORE_TIMEOUT_MS, type StoreEntry, type StoreOperation } from './store-entry.ts';
import { isOutlived, type StoredToken } from './stored-token.ts';
import type { TokenSet } from './token-set.ts';
import { pauseFor } from './wait-for.ts';

/** The transaction has to begin again. */
const AGAIN = Symbol();
/** `undefined`: nobody wants a token any more. */
type Outcome = RefreshResult | typeof AGAIN | undefined;

/** So often: then the store is no good. */
const MOST_TURNS = 4;
/** Whoever waits for the lock looks into the store as often as this: of a fleet one refreshes, and the others need no lock to take what it got. */
const LOOK_EVERY_MS = 150;
/** Between the last moment to send and the end of the lock: a write has to fit in. */
const WRITE_MARGIN_MS = 2 * STORE_TIMEOUT_MS;
/** A request that may have less time than this is not sent: its answer would be lost, and with it the refresh token. */
const LEAST_REQUEST_MS = 6_000;
/** A read takes no longer, unless this process was stopped. */
const LONGEST_READ_MS = STORE_TIMEOUT_MS + 500;

/** Read, lock, read again, request, write, release: what another process refreshed is adopted, and nobody gets a token that is not stored. */
export async function refreshTransaction(
  entry: StoreEntry,
  held: StoredToken | undefined,
  steps: RefreshSteps,
): Promise<RefreshResult | undefined> {
  for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
    const outcome = await new Turn(entry, held, steps).run();
    if (outcome !== AGAIN) return outcome;
  }
  const { strategy } = steps;
  throw new TokenStoreError(`${strategy}: no lock was held for long enough. It is safe to try again.`, { operation: 'lock', strategy });
}

/** One try of the transaction. */
class Turn {
  readonly #entry: StoreEntry;
  readonly #held: StoredToken | undefined;
  readonly #steps: RefreshSteps;
  /** A refresh token is at stake, which may be used once: nothing is sent unless the store works. */
  #isRotating: boolean;
  #isUnreadable = false;
  /** What the store held when it was read last. */
  #stored: Found | undefined;
  /** The token that is to be replaced. */
  #replaced: StoredToken | undefined;
  #lock: HeldLock | undefined;
  /** The lock is that of this process's last refresh, whose token is not written yet. */
  #isTakenOver = false;
  /** Nothing will be sent: whoever asks for subjects that never signed in leaves no locks behind. */
  #isHopeless = false;

  constructor(entry: StoreEntry, held: StoredToken | undefined, steps: RefreshSteps) {
    this.#entry = entry;
    this.#held = held;
    this.#steps = steps;
    this.#isRotating = [held?.set, steps.initial].some((set) => set?.refreshToken !== undefined) || steps.needsRefreshToken;
  }

  async run(): Promise<Outcome> {
    const { isForced, initial, needsRefreshToken, now, onLocked } = this.#steps;
    const stored = await this.#read();
    // Who has nothing at hand and wants another one means the one that stands here.
    this.#replaced = this.#held ?? (isForced && stored?.set ? { set: stored.set, version: stored.version } : undefined);
    const early = this.#adoptable(stored);
    if (early) return early;
    this.#isRotating ||= stored?.set?.refreshToken !== undefined;
    this.#isHopeless = needsRefreshToken && !stored?.set && !this.#replaced && !initial;
    const waited = stopwatch(now);
    const meanwhile = this.#isHopeless || this.#takeKept() ? undefined : await this.#lockOrAdopt();
    if (meanwhile) return meanwhile;
    if (this.#lock) onLocked(Math.round(waited()));
    try {
      const outcome = await this.#refresh();
      if (outcome === AGAIN) this.#keepTakenOver();
      return outcome;
    } catch (error) {
      if (!isRefused(error)) this.#keepTakenOver();
      throw error;
    } finally {
      await this.#release();
    }
  }

  /** What follows once the lock is held, or cannot be had. */
  async #refresh(): Promise<Outcome> {
    const { isWanted, now } = this.#steps;
    const read = stopwatch(now);
    const stored = this.#lock ? await this.#read() : this.#stored;
    const late = this.#adoptable(stored);
    if (late || !isWanted()) return late;
    // This process was stopped: others may have taken the lock, and refreshed, since it looked.
    if (this.#lock && (read() > LONGEST_READ_MS || !this.#hasTimeFor(0))) return AGAIN;
    return this.#request(this.#current());
  }

  /** What is refreshed; `undefined`: there is nothing, and a token is fetched from scratch. */
  #current(): TokenSet | undefined {
    const [stored, replaced] = [this.#stored, this.#replaced];
    // What was in the store, or followed what was there, and is there no more was signed out, by another process say: it must not come back from memory.
    const wasStored = replaced?.version !== undefined || typeof replaced?.outlived === 'string';
    const isGone = replaced?.isRefused || (this.#isRotating && stored === undefined && wasStored);
    const remembered = isGone ? undefined : (replaced?.set ?? (stored ? undefined : this.#steps.initial));
    return isOutlived(stored, replaced) ? remembered : (stored?.set ?? remembered);
  }

  async #request(current: TokenSet | undefined): Promise<Outcome> {
    /** After a connection that was lost: what another process has refreshed since need not be asked for again. */
    const reread = async (): Promise<TokenSet | undefined> => {
      const found = await this.#entry.read();
      if (!found?.set || found.version === this.#stored?.version) return undefined;
      this.#stored = found;
      return found.set;
    };
    try {
      const set = await this.#steps.request(current, { reread, ...this.#limits(current) });
      const stored = this.#stored;
      return stored?.set === set ? { set, version: stored.version, isAdopted: true } : await this.#write(set, stored);
    } catch (error) {
      if (!isRefused(error) || !this.#steps.isWanted()) throw error;
      return this.#afterRefusal(error, current);
    }
  }

  #limits(current: TokenSet | undefined): Omit<RequestLimits, 'reread'> {
    if (current?.refreshToken === undefined) return { timeoutMs: Infinity, hasTimeFor: () => true };
    return { timeoutMs: leftMs(this.#lock), hasTimeFor: (pauseMs) => this.#hasTimeFor(pauseMs) };
  }

  #hasTimeFor(pauseMs: number): boolean {
    return leftMs(this.#lock) - pauseMs >= LEAST_REQUEST_MS;
  }

  /** The refresh token was refused: another process has a newer one, which is used instead, or it is worth nothing and goes. */
  async #afterRefusal(error: unknown, refused: TokenSet | undefined): Promise<Outcome> {
    const { isUsable, isWanted, request } = this.#steps;
    const known = this.#stored;
    const found = await this.#entry.read().catch(() => undefined);
    const isNewer = found?.set && !isOutlived(found, this.#replaced) && found.set.refreshToken !== refused?.refreshToken;
    if (!isNewer) {
      // Left standing it would only be refused again. One without a refresh token was not refused, and serves until it runs out.
      const isWorthless = refused?.refreshToken !== undefined || (known?.set && !isUsable(known.set, undefined));
      if (isWorthless) await this.#clear(known?.version);
      throw error;
    }
    const newer = this.#adoptable(found);
    if (newer || !isWanted()) return newer;
    // Somebody has signed in: what is sent now is sent under the lock, and while it lives.
    if (this.#isHopeless || !this.#hasTimeFor(0)) return AGAIN;
    try {
      return await this.#write(await request(found.set, { reread: async () => undefined, ...this.#limits(found.set) }), found);
    } catch (again) {
      if (isRefused(again)) await this.#clear(found.version);
      throw again;
    }
  }

  /** A failing store leaves the token in memory: it was paid for, and serves this process. Who loses a race uses what the winner has. */
  async #write(set: TokenSet, over: Found | undefined): Promise<RefreshResult | undefined> {
    const { initial, isWanted, onStoreFailed } = this.#steps;
    const replaced = this.#replaced;
    // Before the lock is released: whoever has it next would send what is spent.
    const discard = async (version: string | undefined): Promise<undefined> => {
      await this.#clear(version); // whoever signs out deletes it too, and tells
    };
    if (!isWanted()) return discard(over?.version);
    // A token that anybody can fetch replaces what nobody can read.
    const isForAll = this.#isUnreadable && set.refreshToken === undefined && set.accessToken !== initial?.accessToken;
    const onLate = (late: string): unknown => isWanted() || discard(late);
    let failure: unknown;
    const version = await this.#entry.write(set, isForAll ? undefined : (over?.version ?? null), onLate).catch((error: unknown) => {
      failure = error;
      return undefined;
    });
    if (version) return isWanted() ? { set, version } : discard(version);
    if (version === undefined && !isWanted()) return discard(over?.version); // what stands there is spent
    const older = [...(replaced?.predecessors ?? []), replaced?.set.accessToken, over?.set?.accessToken];
    const predecessors = older.filter((token) => token !== undefined);
    if (version === false) {
      const found = await this.#entry.read().catch(() => over);
      if (!found && over) return undefined; // signed out meanwhile, by another process
      // An earlier write of the token that is replaced here, or of one before it, has arrived after all.
      const isOlder = found?.set && predecessors.includes(found.set.accessToken);
      if (isOlder && found.version !== over?.version) return this.#write(set, found);
      const winner = found === over ? undefined : this.#adoptable(found);
      if (winner) return winner;
    }
    onStoreFailed('set', failure);
    const result = { set, outlived: over?.version ?? null, predecessors };
    if (this.#lock && version === undefined && set.refreshToken !== undefined) this.#keep(result, this.#lock);
    return result;
  }

  async #read(): Promise<Found | undefined> {
    this.#stored = await this.#entry.read().catch((error: unknown) => this.#tolerate('get', error));
    if (this.#stored && !this.#stored.set) this.#steps.onStoreFailed('get', undefined);
    return this.#stored;
  }

  /** A store that is down must not stop a grant that needs no state; a refresh token that may be used once must not be sent without it. */
  #tolerate(operation: StoreOperation, error: unknown): undefined {
    if (this.#isRotating) throw error;
    if (operation === 'get') this.#isUnreadable = true;
    this.#steps.onStoreFailed(operation, error);
  }

  #adoptable(found: Found | undefined): RefreshResult | undefined {
    return found?.set && !isOutlived(found, this.#replaced) && this.#steps.isUsable(found.set, this.#replaced?.set)
      ? { set: found.set, version: found.version, isAdopted: true }
      : undefined;
  }

  async #clear(version: string | undefined): Promise<void> {
    if (version !== undefined) await this.#entry.delete(version).catch(() => {});
  }

  /** The lock of this process's last refresh, whose token could not be written: that is no reason to wait for oneself. */
  #takeKept(): boolean {
    const lock = this.#entry.kept;
    // What is left of it is too short for a request: it runs out, and is waited for like anybody else's.
    if (!lock || leftMs(lock) < LEAST_REQUEST_MS) return false;
    this.#entry.kept = undefined;
    this.#lock = lock;
    this.#isTakenOver = true;
    return true;
  }

  /** The lock, or what its holder wrote. */
  async #lockOrAdopt(): Promise<RefreshResult | undefined> {
    const giveUp = new AbortController();
    const ageMs = stopwatch(this.#steps.now);
    const locking = this.#entry.lock(giveUp.signal).then((granted) => ({ granted }));
    for (;;) {
      const got = await Promise.race([locking, pauseFor(LOOK_EVERY_MS)]).catch((error) => ({ granted: this.#tolerate('lock', error) }));
      if (got) {
        if (got.granted) this.#lock = { granted: got.granted, ageMs };
        return undefined;
      }
      const found = this.#adoptable(await this.#entry.read().catch(() => undefined));
      if (!found) continue;
      locking.then(({ granted }) => granted?.release()).catch(() => {});
      giveUp.abort();
      return found;
    }
  }

  /** What the last refresh brought is not written yet. */
  #keepTakenOver(): void {
    if (this.#isTakenOver && this.#lock && this.#held?.outlived !== undefined) this.#keep(this.#held, this.#lock);
  }

  /** The lock goes on to whoever saves `token`. */
  #keep(token: StoredToken, lock: HeldLock): void {
    const { isWanted, onSaved } = this.#steps;
    this.#lock = undefined;
    void keepSaving(this.#entry, token, lock, { isWanted, onSaved, release: (kept) => this.#letGo(kept) });
  }

  /** After a write that nobody waits for any more: whoever has the lock next would send a spent refresh token. */
  async #release(): Promise<void> {
    const lock = this.#lock;
    const writing = lock && this.#entry.writing();
    if (writing) void writing.then(() => this.#letGo(lock));
    else if (lock) await this.#letGo(lock);
  }

  /** A lock that cannot be released runs out by itself. */
  #letGo({ granted }: HeldLock): Promise<void> {
    return this.#entry.release(granted).catch((error: unknown) => this.#steps.onStoreFailed('release', error));
  }
}

/** For how long the lock is ours for certain, and a write fits in after that, in milliseconds. */
function leftMs(lock: HeldLock | undefined): number {
  return lock ? LOCK.ttlMs - WRITE_MARGIN_MS - lock.ageMs() : Infinity;
}

/** Whether the grant is worth nothing any more (RFC 6749 §5.2). */
export function isRefused(error: unknown): boolean {
  return isAuthError(error, 'INTERACTION_REQUIRED') || (isAuthError(error, 'TOKEN_ENDPOINT_ERROR') && error.error === 'invalid_grant');
}
