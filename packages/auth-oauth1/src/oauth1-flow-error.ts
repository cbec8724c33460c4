import { AuthError } from '@authseam/core';

/** Codes of {@link OAuth1FlowError}. */
export type OAuth1FlowErrorCode =
  /** The server refused a request, and perhaps said why: `status`, `oauthProblem`. */
  | 'OAUTH1_FLOW_REFUSED'
  /** The server's answer is nothing to go on with: a page, a redirect, too long, without its token, or with a callback that it does not confirm. */
  | 'OAUTH1_FLOW_BAD_ANSWER'
  /** The user came back without consent. */
  | 'OAUTH1_FLOW_DENIED'
  /** The callback does not belong to the transaction, or lacks what it must have. Nothing was sent. */
  | 'OAUTH1_FLOW_MISMATCH'
  /** The server could not be reached, or broke off. */
  | 'TOKEN_REQUEST_FAILED'
  /** The server did not answer in time. */
  | 'TOKEN_REQUEST_TIMEOUT';

declare module '@authseam/core' {
  interface AuthErrors {
    OAUTH1_FLOW_REFUSED: OAuth1FlowError;
    OAUTH1_FLOW_BAD_ANSWER: OAuth1FlowError;
    OAUTH1_FLOW_DENIED: OAuth1FlowError;
    OAUTH1_FLOW_MISMATCH: OAuth1FlowError;
  }
}

/** RFC 5849 §2.1, §2.2 and §2.3. */
export type OAuth1FlowStep = 'temporary-credentials' | 'authorization' | 'token-credentials';

/** What {@link OAuth1FlowError} takes. */
export interface OAuth1FlowErrorOptions<Explanation = unknown> {
  readonly code: OAuth1FlowErrorCode;
  readonly step: OAuth1FlowStep;
  readonly endpoint: string;
  readonly status?: number | undefined;
  readonly oauthProblem?: string | undefined;
  readonly oauthProblemAdvice?: string | undefined;
  readonly explanation?: Explanation | undefined;
  readonly cause?: unknown;
}

/** The three-legged flow came to nothing. Its message names the step and the endpoint, and never a secret. */
export class OAuth1FlowError<Explanation = unknown> extends AuthError {
  override readonly name: string = 'OAuth1FlowError';
  declare readonly code: OAuth1FlowErrorCode;
  /** Which of the three legs failed. */
  readonly step: OAuth1FlowStep;
  /** The endpoint of that step, without its query. */
  readonly endpoint: string;
  /** HTTP status, where the server answered. */
  readonly status: number | undefined;
  /** `user_refused`, `verifier_invalid`, … */
  readonly oauthProblem: string | undefined;
  /** What else the server says about it, redacted and cut to 200 characters. Untrusted text. */
  readonly oauthProblemAdvice: string | undefined;
  /** What was signed, with secrets masked, where a request was refused. */
  readonly explanation: Explanation | undefined;

  constructor(message: string, options: OAuth1FlowErrorOptions<Explanation>) {
    super(message, { code: options.code, strategy: 'oauth1Flow', cause: options.cause });
    this.step = options.step;
    this.endpoint = options.endpoint;
    this.status = options.status;
    this.oauthProblem = options.oauthProblem;
    this.oauthProblemAdvice = options.oauthProblemAdvice;
    this.explanation = options.explanation;
  }
}

/** An endpoint as it stands in messages: its query may hold what should not show. */
export function endpointName(url: string): string {
  return url.replace(/[?#].*/s, '');
}
