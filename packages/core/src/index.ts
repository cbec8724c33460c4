export {
  AuthError,
  type AuthErrorOptions,
  type AuthErrors,
  type AuthorizationHints,
  ConfigurationError,
  type CoreErrorCode,
  InteractionRequiredError,
  isAuthError,
  TokenEndpointError,
  TokenStoreError,
  UnsafeDestinationError,
} from './auth-error.ts';
export type {
  AuthEvent,
  CredentialConflictEvent,
  RejectedEvent,
  RejectionCheckFailedEvent,
  ReplaySkippedEvent,
  RequestBareEvent,
  ScopeChangedEvent,
  TokenAdoptedEvent,
  TokenAwaitedEvent,
  TokenDiscardedEvent,
  TokenFetchedEvent,
  TokenLockedEvent,
  TokenRequestFailedEvent,
  TokenRequestRetryEvent,
  TokenStoreFailedEvent,
} from './auth-event.ts';
export type {
  AuthContext,
  AuthPatch,
  AuthRequest,
  AuthResponse,
  AuthStrategy,
  Awaitable,
  SensitiveNames,
  SentAttempt,
  WithAuthOptions,
} from './auth-strategy.ts';
export { byOrigin } from './by-origin.ts';
export { type Challenge, parseChallenges } from './challenge.ts';
export { checkKnownKeys, isPlainObject, type KnownKeysUse } from './check-known-keys.ts';
export { compose } from './compose.ts';
export { fromEnv } from './from-env.ts';
export { type FromTokenSourceOptions, fromTokenSource } from './from-token-source.ts';
export { isPromiseLike } from './is-promise-like.ts';
export { memoryStore } from './memory-store.ts';
export { isLoopback } from './origin-policy.ts';
export { readBounded } from './read-bounded.ts';
export { redact, redactedCause } from './redact.ts';
export { checkSecret, resolveSecret, type Secret, type SecretUse } from './secret.ts';
export { staticHeaders } from './static-headers.ts';
export { createTokenManager } from './token-manager.ts';
export type { FetchTokenRequest, TokenManagerOptions } from './token-manager-options.ts';
export type { TokenSet } from './token-set.ts';
export type { GetTokenOptions, TokenManager, TokenSource } from './token-source.ts';
export type { TokenLock, TokenLockOptions, TokenStore } from './token-store.ts';
export { type WaitLimits, waitFor } from './wait-for.ts';
export { withEncryption } from './with-encryption.ts';
