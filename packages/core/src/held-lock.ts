import { LOCK, type StoreEntry } from './store-entry.ts';
import { type StoredToken, saveAgain } from './stored-token.ts';
import type { TokenLock } from './token-store.ts';
import { pauseFor } from './wait-for.ts';

/** The lock of an entry, which this process has. */
export interface HeldLock {
  readonly granted: TokenLock;
  /** Milliseconds since it was asked for: it may have been granted long before that was known. */
  readonly ageMs: () => number;
}

/** What {@link keepSaving} asks and tells. */
export interface SavingSteps {
  readonly isWanted: () => boolean;
  readonly onSaved: (token: StoredToken, version: string) => void;
  /** Gives the lock back. */
  readonly release: (lock: HeldLock) => Promise<void>;
}

/**
 * While the store holds a refresh token that is spent nobody else may have the lock: it is kept until the new token is written, until the next refresh of
 * this process takes it over, or until it runs out.
 */
export async function keepSaving(entry: StoreEntry, token: StoredToken, held: HeldLock, steps: SavingSteps): Promise<void> {
  const lock = { ...held }; // one that was taken over, and is kept again, is another
  entry.kept = lock;
  const isKept = (): boolean => entry.kept === lock && steps.isWanted() && lock.ageMs() < LOCK.ttlMs;
  for (let pauseMs = 250; isKept(); pauseMs = Math.min(2 * pauseMs, 4_000)) {
    await entry.writing();
    await pauseFor(pauseMs);
    const version = isKept() ? await saveAgain(entry, token, steps.isWanted) : undefined;
    if (version === undefined) continue;
    steps.onSaved(token, version);
    break;
  }
  if (entry.kept !== lock) return; // taken over
  entry.kept = undefined;
  // Signed out: whoever has the lock next would send what is spent.
  if (!steps.isWanted() && token.outlived) await entry.delete(token.outlived).catch(() => {});
  await steps.release(lock);
}
