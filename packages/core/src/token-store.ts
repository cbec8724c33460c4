import type { Awaitable } from './auth-strategy.ts';
import type { TokenSet } from './token-set.ts';

/**
 * Remembers token sets and knows no OAuth. Entries are plain JSON.
 *
 * Versions are opaque strings. Each write makes a new one, which no entry of that key has had before, not even one that was deleted since: who comes
 * back with an old version must never match. Comparing a version and writing over it, or deleting it, is one step.
 *
 * Calls fail by throwing or rejecting. A write whose failure nobody knows for certain (a connection that broke) may have happened: the token manager
 * reads again.
 */
export interface TokenStore {
  get(key: string): Awaitable<{ readonly entry: TokenSet; readonly version: string } | undefined>;
  /**
   * Writes `entry`.
   *
   * @param options `ifVersion`: only over that version; `null`: only where there is nothing.
   * @returns The new version, or `false` when the condition did not hold.
   */
  set(key: string, entry: TokenSet, options?: { readonly ifVersion?: string | null }): Awaitable<string | false>;
  /** Removes the entry. @returns Whether there was one, and of that version where `ifVersion` is given. */
  delete(key: string, options?: { readonly ifVersion?: string }): Awaitable<boolean>;
  /**
   * Makes the caller the only one to refresh `key`, for `ttlMs` at the most. Rejects when `waitMs` runs out or `signal` aborts. A store without it
   * serves one token manager of one process: two would both send the same refresh token.
   */
  lock?(key: string, options: TokenLockOptions): Promise<TokenLock>;
}

/** Times in milliseconds. */
export interface TokenLockOptions {
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/** A lock that is held. */
export interface TokenLock {
  release(): Promise<void>;
}
