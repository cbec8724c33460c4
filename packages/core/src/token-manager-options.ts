import { ConfigurationError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import type { Awaitable } from './auth-strategy.ts';
import { checkKnownKeys } from './check-known-keys.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';
import { withoutErrors } from './without-errors.ts';

/** What `fetchToken` is given. */
export interface FetchTokenRequest {
  /** The token set that this one replaces, with its refresh token, where there is one. */
  readonly current: TokenSet | undefined;
  /** Aborts when this attempt takes too long. */
  readonly signal: AbortSignal;
  /** Reports to whoever caused the request. */
  emit(event: AuthEvent): void;
}

/** Options of {@link createTokenManager}. */
export interface TokenManagerOptions {
  /** Under which the token is shared in `store`. Holds everything that makes two tokens different: issuer, client, subject, scope, audience. */
  readonly key: string;
  /** Fetches a token: one request, no retry. */
  readonly fetchToken: (request: FetchTokenRequest) => Awaitable<TokenSet>;
  /** Where other strategies, and other processes, find the token. Default: this manager's memory only. */
  readonly store?: TokenStore | undefined;
  /** `name` of the strategy, for errors and events. Default `'tokenManager'`. */
  readonly name?: string | undefined;
  /**
   * Seeds an empty key, once: with a token that was obtained elsewhere. What the store holds wins. Once for each manager: after a sign-out, one that has
   * known no other token yet begins with it all the same.
   */
  readonly initial?: TokenSet | undefined;
  /**
   * `fetchToken` sends the refresh token of `current`, and can do nothing without. Then a store that fails ends the call, for it may hold one, and
   * nothing is locked where there is none. Default false: a store that fails is done without until there is a refresh token.
   */
  readonly needsRefreshToken?: boolean | undefined;
  /** Is given what a refresh brought that nobody wants any more, to revoke it: `invalidate` or `adopt` was called meanwhile. Default: it is dropped. */
  readonly onDiscarded?: ((set: TokenSet) => void) | undefined;
  /** Token requests per refresh, while they fail in a way that trying again can mend. Default 3; with a refresh token at hand never more than 2. */
  readonly maxAttempts?: number | undefined;
  /** Limit of one token request, its body included. Milliseconds, default 10 000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Limit of one refresh, with all its attempts and pauses. Milliseconds, default 30 000; with a refresh token, 26 000 from the wait for the lock. */
  readonly totalTimeoutMs?: number | undefined;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** In [0, 1): spreads refreshes and retries. Default `Math.random`. */
  readonly random?: () => number;
}

type WithDefault = 'onDiscarded' | 'needsRefreshToken' | 'maxAttempts' | 'attemptTimeoutMs' | 'totalTimeoutMs' | 'now' | 'random';

/** Options with their defaults; `strategy`: its name. */
export type TokenManagerSettings = Omit<TokenManagerOptions, WithDefault> & {
  readonly [Option in WithDefault]: NonNullable<TokenManagerOptions[Option]>;
} & { readonly strategy: string };

/** @throws {ConfigurationError} for what no token manager can be made of. */
export function checkTokenManagerOptions(options: TokenManagerOptions): TokenManagerSettings {
  checkKnownKeys(options, OPTIONS, { strategy: 'createTokenManager' });
  const { name: strategy = 'tokenManager', key, fetchToken, now = () => Date.now(), random = Math.random } = options;
  const { needsRefreshToken = false, maxAttempts = 3, attemptTimeoutMs = 10_000, totalTimeoutMs = 30_000 } = options;
  for (const [option, value] of Object.entries({ maxAttempts, attemptTimeoutMs, totalTimeoutMs })) {
    if (!(value > 0)) throw new ConfigurationError(`\`${option}\` must be a number above 0.`, { option, strategy });
  }
  if (typeof key !== 'string' || key === '')
    throw new ConfigurationError('`key` must say which token this is.', { option: 'key', strategy });
  if (typeof fetchToken !== 'function')
    throw new ConfigurationError('`fetchToken` must be a function.', { option: 'fetchToken', strategy });
  const onDiscarded = options.onDiscarded ? withoutErrors(options.onDiscarded) : ignore;
  return { ...options, onDiscarded, strategy, needsRefreshToken, maxAttempts, attemptTimeoutMs, totalTimeoutMs, now, random };
}

const ignore = (): void => {};

const OPTIONS: readonly string[] = [
  'key',
  'fetchToken',
  'store',
  'name',
  'initial',
  'needsRefreshToken',
  'onDiscarded',
  'maxAttempts',
  'attemptTimeoutMs',
  'totalTimeoutMs',
  'now',
  'random',
] satisfies (keyof TokenManagerOptions)[];
