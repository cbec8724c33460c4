import { AuthError } from '@authseam/core';

/** What each `code` of an {@link AuthorizationError} means. */
export type AuthorizationErrorCode =
  /** The callback does not belong to the transaction, was used before, did not arrive, or is none: nothing was exchanged. */
  | 'CALLBACK_REJECTED'
  /** The authorization server, or the person, said no: see `error`. */
  | 'AUTHORIZATION_REFUSED';

/** Nobody was signed in by this callback. */
export class AuthorizationError extends AuthError {
  override readonly name: string = 'AuthorizationError';
  /** OAuth error code (RFC 6749 §4.1.2.1): `access_denied`. Only where the server sent one. */
  readonly error: string | undefined;
  /** The server's words, cut to 200 characters. Untrusted text: never show it as markup. */
  readonly errorDescription: string | undefined;

  constructor(
    message: string,
    options: {
      readonly code: AuthorizationErrorCode;
      readonly strategy: string;
      readonly error?: string | undefined;
      readonly errorDescription?: string | undefined;
    },
  ) {
    super(message, options);
    this.error = options.error;
    this.errorDescription = options.errorDescription;
  }
}

/** The callback is not the one that was waited for. */
export function callbackRejected(problem: string, strategy: string): AuthorizationError {
  const message = `${strategy}: the callback ${problem}. Nothing was exchanged; start over with createAuthorizationUrl.`;
  return new AuthorizationError(message, { code: 'CALLBACK_REJECTED', strategy });
}

declare module '@authseam/core' {
  interface AuthErrors {
    CALLBACK_REJECTED: AuthorizationError;
    AUTHORIZATION_REFUSED: AuthorizationError;
    ID_TOKEN_INVALID: AuthError;
  }
}
