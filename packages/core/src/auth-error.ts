/** What each `code` means. Packages add codes of their own. */
export type CoreErrorCode =
  /** An option or a request is wrong; `option` names which. */
  | 'CONFIGURATION_ERROR'
  /** `timeoutMs` ran out while waiting for credentials. */
  | 'AUTH_TIMEOUT'
  /** A strategy, or a function it was given, threw an error of its own. */
  | 'STRATEGY_FAILED'
  /** The token endpoint could not be reached, or broke off. */
  | 'TOKEN_REQUEST_FAILED'
  /** The token endpoint did not answer in time. */
  | 'TOKEN_REQUEST_TIMEOUT'
  /** The token endpoint answered with an error, or with something that is no token. */
  | 'TOKEN_ENDPOINT_ERROR'
  /** Only a person can help: sign in again. */
  | 'INTERACTION_REQUIRED'
  /** Sending would have taken a credential where it must not go. */
  | 'UNSAFE_DESTINATION'
  /** A redirect (307, 308) asked for a body again that was a one-shot stream. */
  | 'BODY_NOT_REPLAYABLE'
  /** More redirects than the client follows. */
  | 'TOO_MANY_REDIRECTS'
  /** The token store failed. */
  | 'TOKEN_STORE_ERROR';

/** Fields that every error of Authseam takes. */
export interface AuthErrorOptions {
  /** A {@link CoreErrorCode}, or one of your own: upper case with underscores, documented, and declared in {@link AuthErrors}. */
  readonly code: string;
  /** `name` of the strategy. Default: none. */
  readonly strategy?: string | undefined;
  /** The error behind this one. Default: none. It is shown wherever errors are logged: nothing of a secret may stand in it. */
  readonly cause?: unknown;
}

const brand = Symbol.for('authseam.AuthError');

/**
 * Base of every error of Authseam. Recognise it with {@link isAuthError}, not `instanceof`: two copies of this package can be installed.
 * Messages and fields never hold a secret.
 */
export class AuthError extends Error {
  /** A `CoreErrorCode`, or a code that the strategy's package documents. */
  readonly code: string;
  /** `name` of the strategy, where one is to blame. */
  readonly strategy: string | undefined;

  constructor(message: string, options: AuthErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.strategy = options.strategy;
  }

  static {
    Object.defineProperty(AuthError.prototype, brand, { value: true });
    Object.defineProperty(AuthError.prototype, 'name', { value: 'AuthError', configurable: true, writable: true });
  }
}

/** An option, or a request that contradicts one. Thrown at construction where it can be known, else before anything is sent. */
export class ConfigurationError extends AuthError {
  override readonly name: string = 'ConfigurationError';
  declare readonly code: 'CONFIGURATION_ERROR';
  /** Name of the option. */
  readonly option: string;

  constructor(message: string, options: { readonly option: string; readonly strategy?: string | undefined }) {
    super(message, { ...options, code: 'CONFIGURATION_ERROR' });
    this.option = options.option;
  }
}

/** The token endpoint's answer was an error (RFC 6749 §5.2) or no token response at all. */
export class TokenEndpointError extends AuthError {
  override readonly name: string = 'TokenEndpointError';
  declare readonly code: 'TOKEN_ENDPOINT_ERROR';
  /** OAuth error code, where there was one: `invalid_client`. */
  readonly error: string | undefined;
  /** The server's words, redacted and cut to 200 characters. Untrusted text. */
  readonly errorDescription: string | undefined;
  /** HTTP status. */
  readonly status: number;
  /** Milliseconds that the server asked to wait (`Retry-After`), where it did. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: {
      readonly status: number;
      readonly error?: string | undefined;
      readonly errorDescription?: string | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly strategy?: string | undefined;
    },
  ) {
    super(message, { code: 'TOKEN_ENDPOINT_ERROR', strategy: options.strategy });
    this.error = options.error;
    this.errorDescription = options.errorDescription;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What a person is asked for who signs in again; `createAuthorizationUrl` takes it as it is. */
export interface AuthorizationHints {
  /** Space-separated (RFC 6750 §3). */
  readonly scope?: string | undefined;
  /** Space-separated (RFC 9470 §3). */
  readonly acrValues?: string | undefined;
  /** Seconds since the person last signed in, at the most (RFC 9470 §3). */
  readonly maxAge?: number | undefined;
}

/**
 * No token can be had without a person: nobody is signed in, the refresh token was refused, or the API wants more than the token at hand is good for
 * (`insufficient_scope`, RFC 6750 §3.1; `insufficient_user_authentication`, RFC 9470 §3).
 */
export class InteractionRequiredError extends AuthError {
  override readonly name: string = 'InteractionRequiredError';
  declare readonly code: 'INTERACTION_REQUIRED';
  /** What the server said: `invalid_grant`, `insufficient_scope`, `insufficient_user_authentication`. Absent: it was not asked. */
  readonly error: string | undefined;
  /** Whose sign-in it is; absent for the default subject. */
  readonly subject: string | undefined;
  /** What to ask the person for. */
  readonly authorization: AuthorizationHints;

  constructor(
    message: string,
    options: {
      readonly strategy?: string | undefined;
      readonly cause?: unknown;
      readonly error?: string | undefined;
      readonly subject?: string | undefined;
      readonly authorization?: AuthorizationHints | undefined;
    } = {},
  ) {
    super(message, { ...options, code: 'INTERACTION_REQUIRED' });
    this.error = options.error;
    this.subject = options.subject;
    this.authorization = options.authorization ?? {};
  }
}

/** Going on would have taken a credential to `origin`, where it must not go. */
export class UnsafeDestinationError extends AuthError {
  override readonly name: string = 'UnsafeDestinationError';
  declare readonly code: 'UNSAFE_DESTINATION';
  /** Serialised origin: `'https://cdn.example'`. */
  readonly origin: string;

  constructor(message: string, options: { readonly origin: string; readonly strategy?: string | undefined }) {
    super(message, { ...options, code: 'UNSAFE_DESTINATION' });
    this.origin = options.origin;
  }
}

/** A token store failed. Safe to try again. */
export class TokenStoreError extends AuthError {
  override readonly name: string = 'TokenStoreError';
  declare readonly code: 'TOKEN_STORE_ERROR';
  /** Which call of the store failed; `'release'` is that of a lock. */
  readonly operation: 'get' | 'set' | 'delete' | 'lock' | 'release';

  constructor(
    message: string,
    options: { readonly operation: TokenStoreError['operation']; readonly strategy?: string | undefined; readonly cause?: unknown },
  ) {
    super(message, { ...options, code: 'TOKEN_STORE_ERROR' });
    this.operation = options.operation;
  }
}

/** The class behind each code that has one of its own. Packages that add codes add theirs here, by declaration merging. */
export interface AuthErrors {
  CONFIGURATION_ERROR: ConfigurationError;
  TOKEN_ENDPOINT_ERROR: TokenEndpointError;
  INTERACTION_REQUIRED: InteractionRequiredError;
  UNSAFE_DESTINATION: UnsafeDestinationError;
  TOKEN_STORE_ERROR: TokenStoreError;
}

/** Every error with a declared code, so that a `switch` over `code` tells them apart. */
type KnownAuthError =
  | { [Code in keyof AuthErrors]: AuthErrors[Code] & { readonly code: Code } }[keyof AuthErrors]
  | (AuthError & { readonly code: Exclude<CoreErrorCode, keyof AuthErrors> });

/**
 * Whether `value` is an error of Authseam, from whichever copy of it. Its `code` then tells its class, in a `switch` as well. Codes that are neither
 * core's nor declared in {@link AuthErrors} are not in its type: declare yours there, or compare `String(error.code)`.
 *
 * @param code Asks for that code only, and narrows to the class that goes with it.
 * @example
 * ```ts
 * import { isAuthError } from '@authseam/core';
 *
 * export const isRefused = (error: unknown) => isAuthError(error, 'TOKEN_ENDPOINT_ERROR') && error.status < 500;
 * ```
 */
export function isAuthError<Code extends keyof AuthErrors>(value: unknown, code: Code): value is AuthErrors[Code];
export function isAuthError(value: unknown): value is KnownAuthError;
export function isAuthError(value: unknown, code?: CoreErrorCode): value is AuthError;
export function isAuthError(value: unknown, code?: string): value is AuthError {
  return (
    typeof value === 'object' && value !== null && brand in value && (code === undefined || (value as unknown as AuthError).code === code)
  );
}
