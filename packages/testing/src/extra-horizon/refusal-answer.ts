import type { Answer } from '../answer.ts';
import { type OAuth1Problem, type OAuth1Refusal, statusOf } from '../oauth1/oauth1-refusal.ts';

/** How refusals are answered. */
export interface RefusalStyle {
  /** What answers to an unknown or expired token are: the status, and Extra Horizon's code. Default 401, with 118 for expired and 117 for unknown tokens. */
  readonly tokenRefusal?: { readonly status?: 400 | 401 | 403; readonly code?: 108 | 117 | 118 };
  /**
   * Adds OAuth Problem Reporting: `'header'` puts `oauth_problem` and its fields into a challenge (`WWW-Authenticate: OAuth …`), `'body'` sends
   * them form-encoded in place of the JSON. Default `false`: JSON only, without a challenge.
   */
  readonly problemReporting?: 'header' | 'body' | false;
}

/** The answer to a request that is refused: `{ code, name, message }` in the manner of Extra Horizon. */
export function refusalAnswer(refusal: OAuth1Refusal, { tokenRefusal = {}, problemReporting = false }: RefusalStyle): Answer {
  const { problem, detail, report } = refusal;
  const isAboutToken = problem in TOKEN_CODES;
  const status = isAboutToken ? (tokenRefusal.status ?? 401) : statusOf(refusal);
  const code = isAboutToken ? (tokenRefusal.code ?? TOKEN_CODES[problem]) : CODES[problem];
  const fields = { oauth_problem: problem, ...report };
  if (problemReporting === 'body') {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return { status, headers, body: new URLSearchParams(fields).toString() };
  }
  const challenge = Object.entries({ realm: 'extra-horizon', ...fields }).map(([name, value]) => `${name}="${encodeURIComponent(value)}"`);
  return {
    ...errorAnswer(status, code ?? 104, detail),
    ...(problemReporting === 'header' && { headers: { 'WWW-Authenticate': `OAuth ${challenge.join(', ')}` } }),
  };
}

/** An error in the shape that all of Extra Horizon's have. */
export function errorAnswer(status: number, code: number, message: string): Answer {
  return { status, body: { code, name: NAMES[code] ?? 'UNKNOWN_EXCEPTION', message } };
}

const TOKEN_CODES: Partial<Record<OAuth1Problem, number>> = { token_expired: 118, token_rejected: 117, token_revoked: 117 };

/** Where Extra Horizon documents no code, 104: the caller is not authenticated. */
const CODES: Partial<Record<OAuth1Problem, number>> = {
  consumer_key_unknown: 107,
  signature_invalid: 109,
  nonce_used: 110,
  timestamp_refused: 110,
};

const NAMES: Readonly<Record<number, string>> = {
  13: 'EMPTY_BODY_EXCEPTION',
  14: 'MISSING_REQUIRED_FIELDS_EXCEPTION',
  19: 'INVALID_RQL_EXCEPTION',
  22: 'BODY_FORMAT_EXCEPTION',
  104: 'USER_NOT_AUTHENTICATED_EXCEPTION',
  106: 'AUTHENTICATION_EXCEPTION',
  107: 'OAUTH_KEY_EXCEPTION',
  108: 'OAUTH_TOKEN_EXCEPTION',
  109: 'OAUTH_SIGNATURE_EXCEPTION',
  110: 'DUPLICATE_REQUEST_EXCEPTION',
  117: 'ACCESS_TOKEN_UNKNOWN_EXCEPTION',
  118: 'ACCESS_TOKEN_EXPIRED_EXCEPTION',
};
