import { AuthError } from '@authseam/core';
import type { SignatureExplanation } from './signature-explanation.ts';

/** Codes of this package, beside those of core. */
export type OAuth1ErrorCode =
  /** The server named an `oauth_problem` that sending again cannot mend. */
  'OAUTH1_REJECTED';

declare module '@authseam/core' {
  interface AuthErrors {
    OAUTH1_REJECTED: OAuth1Error;
  }
}

/** What {@link OAuth1Error} takes. */
export interface OAuth1ErrorOptions {
  readonly code: OAuth1ErrorCode;
  readonly oauthProblem?: string | undefined;
  readonly oauthProblemAdvice?: string | undefined;
  readonly explanation?: SignatureExplanation | undefined;
}

/** The server refused a signed request, and said why. */
export class OAuth1Error extends AuthError {
  override readonly name: string = 'OAuth1Error';
  declare readonly code: OAuth1ErrorCode;
  /** `signature_invalid`, `timestamp_refused`, `token_rejected`, … */
  readonly oauthProblem: string | undefined;
  /** What else the server says about it, redacted and cut to 200 characters. Untrusted text. */
  readonly oauthProblemAdvice: string | undefined;
  /** What was signed, with secrets masked. */
  readonly explanation: SignatureExplanation | undefined;

  constructor(message: string, options: OAuth1ErrorOptions) {
    super(message, { code: options.code, strategy: 'oauth1' });
    this.oauthProblem = options.oauthProblem;
    this.oauthProblemAdvice = options.oauthProblemAdvice;
    this.explanation = options.explanation;
  }
}
