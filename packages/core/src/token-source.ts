import type { AuthError } from './auth-error.ts';
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

/** A token source that can be given a token. */
export interface TokenManager extends Required<TokenSource> {
  /**
   * Takes over a token set that was obtained elsewhere, by signing in say. What was on its way is thrown away; the store has the new one before this
   * resolves. An `invalidate` meanwhile wins: then the set is answered, and not kept.
   *
   * @throws {TokenStoreError} when the store cannot be written: then nothing has changed. {ConfigurationError} for what is no token set.
   */
  adopt(set: TokenSet): Promise<TokenSet>;
  /** The token set in memory, valid or not. Nothing is fetched or read for it. */
  peek(): TokenSet | undefined;
  /**
   * Whether nothing is lost when this manager is dropped: no refresh is under way, and the store has the token at hand. Else a second manager of the same
   * key would send the same refresh token.
   */
  isSettled(): boolean;
  /**
   * As `invalidate`, for who has to revoke what is forgotten.
   *
   * @returns The token sets that were in the store, in memory and to begin with, newest first, and why the store may still hold one.
   */
  forget(): Promise<{ readonly tokens: readonly TokenSet[]; readonly failure: AuthError | undefined }>;
}
