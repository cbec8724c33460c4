// OAuth Problem Reporting (extension to OAuth Core 1.0); RFC 5849 §3.2, §3.3.
import type { AuthContext, AuthRequest, AuthResponse, Awaitable, SentAttempt } from '@authseam/core';
import { type OAuthProblem, oauthProblem } from './oauth-problem.ts';
import { OAuth1Error } from './oauth1-error.ts';
import type { ServerClocks } from './server-clock.ts';
import type { RequestSigner, SignedRequest } from './sign-request.ts';
import type { SignatureExplanation } from './signature-explanation.ts';

/** What takes a rejected request apart for its error. */
export type Explain = (
  request: AuthRequest,
  signed: SignedRequest,
  serverDate: string | null,
) => Awaitable<SignatureExplanation | undefined>;

/**
 * What `oauth1` does after a rejection: sends once more where another secret or another clock can help, throws where the server says why not, and
 * leaves a mute rejection to the caller.
 */
export function createRecovery(
  signer: RequestSigner,
  clocks: ServerClocks,
  clock: (context: AuthContext) => number,
  explain?: Explain,
): (response: AuthResponse, sent: SentAttempt<SignedRequest>, context: AuthContext) => Promise<boolean> {
  /** Whether the time was wrong, and is right now. */
  function clockIsMended({ headers }: AuthResponse, { url, attempt }: AuthRequest, signed: SignedRequest, context: AuthContext): boolean {
    if (attempt > 1) return false;
    const offsetSeconds = clocks.offsetSeconds(url);
    if (offsetSeconds !== signed.clockOffsetSeconds) return true; // another request has learnt it meanwhile
    const nowSeconds = clock(context);
    const serverSeconds = Math.floor(Date.parse(headers.get('date') ?? '') / 1000);
    if (!(Math.abs(serverSeconds - nowSeconds - offsetSeconds) > CLOCK_TOLERANCE_SECONDS)) return false;
    clocks.learn(url, serverSeconds, nowSeconds);
    return true;
  }

  return async (response, { request, receipt: signed }, context) => {
    if (!signed) return false;
    const current = await signer.credentials();
    if (!current.equals(signed.credentials)) return true;
    const named = await oauthProblem(response);
    if (!named) return false;
    if (named.problem === 'timestamp_refused' && clockIsMended(response, request, signed, context)) return true;
    throw rejection(named, response, request, signed, await explain?.(request, signed, response.headers.get('date')));
  };
}

function rejection(
  { problem, advice }: OAuthProblem,
  { headers }: AuthResponse,
  { url }: AuthRequest,
  { credentials, timestampSeconds }: SignedRequest,
  explanation: SignatureExplanation | undefined,
): OAuth1Error {
  const oauthProblem = credentials.redact(problem);
  const oauthProblemAdvice = advice === undefined ? undefined : credentials.redact(advice);
  const said = oauthProblemAdvice ? `${oauthProblem} (${oauthProblemAdvice})` : oauthProblem;
  const clocks = (): string =>
    `It was signed at ${isoTime(timestampSeconds * 1000)}; the server's clock says ${isoTime(Date.parse(headers.get('date') ?? ''))}. `;
  const what = problem === 'timestamp_refused' ? clocks() : '';
  const next = NEXT.get(problem) ?? NEXT.get(problem.replace(/_[a-z]+$/, '')) ?? 'Look it up in the documentation of the API.';
  return new OAuth1Error(`oauth1: ${new URL(url).origin} refused the request: ${said}. ${what}${next}`, {
    code: 'OAUTH1_REJECTED',
    oauthProblem,
    oauthProblemAdvice,
    explanation,
  });
}

function isoTime(ms: number): string {
  const date = new Date(ms);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  return Number.isNaN(ms) ? 'nothing' : `${ms / 1000} seconds, which is no date`;
}

/** Closer than this, the time is not why a server refuses it. `Date` has whole seconds, and an answer takes its time. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** What to try next, by problem, or by what its name begins with. */
const NEXT: ReadonlyMap<string, string> = new Map([
  [
    'signature_invalid',
    'Check `consumerSecret` and `tokenSecret` first; then that nothing changes URL or form after signing. `explanation` shows what was signed.',
  ],
  ['signature_method', 'Choose another `signatureMethod`.'],
  ['timestamp_refused', 'Set the clock of one of them.'],
  ['nonce_used', 'Something sent one signed request twice: a proxy, or a retry below the adapter; or `nonce` repeats itself.'],
  ['consumer_key', 'Check `consumerKey`, and that this server issued it: sandbox and production have different ones.'],
  ['token', 'Check `token` and `tokenSecret`: both from one answer, from this server, not revoked. Else sign in again.'],
  ['version', 'Try `version: false`.'],
  ['permission', 'The token is good, but does not allow this.'],
]);
