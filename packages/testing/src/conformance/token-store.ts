import type { Awaitable } from './auth-strategy.ts';

/** A store, as `TokenStore` of `@authseam/core`. */
export interface TokenStore {
  get(key: string): Awaitable<{ readonly entry: TokenSet; readonly version: string } | undefined>;
  set(key: string, entry: TokenSet, options?: { readonly ifVersion?: string | null }): Awaitable<string | false>;
  delete(key: string, options?: { readonly ifVersion?: string }): Awaitable<boolean>;
  lock?(key: string, options: TokenLockOptions): Promise<TokenLock>;
}

/** A token set, as `TokenSet` of `@authseam/core`. */
export interface TokenSet {
  readonly accessToken: string;
  readonly tokenType: string;
  readonly refreshToken?: string;
  readonly expiresAtMs?: number;
  readonly receivedAtMs?: number;
  readonly scope?: string;
  readonly idToken?: string;
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
