import type { TokenSet } from './token-set.ts';

/** When a token is refreshed. Milliseconds since the epoch; `Infinity` for a token that does not expire. */
export interface TokenSchedule {
  /** From here on a refresh starts in the background while the token still serves. */
  readonly refreshAtMs: number;
  /** From here on callers wait for the refresh. */
  readonly blockAtMs: number;
  readonly expiresAtMs: number;
}

/** Clocks that differ by more, or are set back further, make an expiry worthless. */
export const CLOCK_TOLERANCE_MS = 60_000;
/** Clocks of machines that share tokens differ by no more than this. */
const MOST_SKEW_MS = 600_000;
/** Lifetimes past this are as good as this: arithmetic on them stays exact. */
const LONGEST_LIFETIME_MS = 10 * 365 * 24 * 3_600_000;

/**
 * Early refresh when less than min(5 min, 20 % of the lifetime) is left, jittered by ±10 % so that a fleet spreads out; blocking inside the last
 * min(10 s, 10 %).
 *
 * @param nowMs Stands in for a missing `receivedAtMs`.
 * @param random In [0, 1).
 */
export function tokenSchedule(set: TokenSet, nowMs: number, random: () => number): TokenSchedule {
  if (set.expiresAtMs === undefined) return { refreshAtMs: Infinity, blockAtMs: Infinity, expiresAtMs: Infinity };
  const receivedAtMs = set.receivedAtMs ?? nowMs;
  const lifetimeMs = Math.min(Math.max(set.expiresAtMs - receivedAtMs, 0), LONGEST_LIFETIME_MS);
  const earlyMs = Math.min(300_000, lifetimeMs * 0.2) * (0.9 + 0.2 * random());
  const expiresAtMs = receivedAtMs + lifetimeMs;
  return { refreshAtMs: expiresAtMs - earlyMs, blockAtMs: expiresAtMs - Math.min(10_000, lifetimeMs * 0.1), expiresAtMs };
}

/** Whether less than `forMs` has passed. A clock that was set back does not make a wait longer. */
export function isInTime(passedMs: number, forMs: number): boolean {
  return passedMs >= 0 && passedMs < forMs;
}

/** Whether `set` comes from a machine whose clock is ahead of ours, and is so short-lived that it may have run out without our noticing. */
export function isDoubtful({ receivedAtMs = 0, expiresAtMs = Infinity }: TokenSet, nowMs: number): boolean {
  return receivedAtMs > nowMs + CLOCK_TOLERANCE_MS && expiresAtMs - receivedAtMs < MOST_SKEW_MS;
}
