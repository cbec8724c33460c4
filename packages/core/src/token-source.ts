import type { AuthEvent } from './auth-event.ts';
import type { Awaitable } from './auth-strategy.ts';
import type { TokenSet } from './token-set.ts';

/** Yields a token that is valid now. Getting a token is not applying it: `fromTokenSource` applies. */
export interface TokenSource {
  /** The token to use now; synchronous when one is at hand. `signal` ends this caller's wait only. */
  getToken(options?: GetTokenOptions): Awaitable<TokenSet>;
  /**
   * A server rejected the token. Only if it is the current one does that cause a refresh.
   *
   * @param receipt The token set that was sent.
   * @returns Whether trying again is worth it.
   */
  rejected(receipt: unknown, context?: { readonly signal?: AbortSignal | undefined; emit?(event: AuthEvent): void }): Awaitable<boolean>;
  /** Forgets the token at hand, here and in the store; one that is on its way is thrown away. */
  invalidate(): Promise<void>;
  /** Optional: a server accepted the token, so that a later rejection of it is news. */
  accepted?(receipt: unknown): void;
}

/** Options of `getToken`. An `AuthContext` fits. */
export interface GetTokenOptions {
  readonly signal?: AbortSignal | undefined;
  /** `true`: fetch a new token even if the one at hand is valid. */
  readonly forceRefresh?: boolean | undefined;
  /** Sees the events of a token request that this call starts. */
  emit?(event: AuthEvent): void;
}
