// OAuth Problem Reporting (extension to OAuth Core 1.0), at the token endpoints.
import { redact } from '@authseam/core';
import { oauthProblem } from './oauth-problem.ts';
import { OAuth1FlowError } from './oauth1-flow-error.ts';
import type { ReceivedAnswer } from './receive-answer.ts';
import { formText } from './request-parameters.ts';
import type { SignatureExplanation } from './signature-explanation.ts';
import type { TokenRequestPlace } from './token-request.ts';

/** What a refusal is told with. */
export interface RefusalContext {
  readonly place: TokenRequestPlace;
  readonly explanation: SignatureExplanation | undefined;
  /** What must not show. */
  readonly secrets: readonly string[];
  readonly timestampSeconds: number | undefined;
}

/** The error for an answer that is a refusal. Of the body nothing shows but its `oauth_problem` and advice, redacted. */
export async function tokenRefusal(answer: ReceivedAnswer, context: RefusalContext): Promise<OAuth1FlowError<SignatureExplanation>> {
  const { status, headers, bytes } = answer;
  const { place, explanation, secrets, timestampSeconds } = context;
  const text = formText(bytes);
  const named = await oauthProblem({ status, url: place.endpoint, headers, text: async () => text, json: async () => JSON.parse(text) });
  const problem = named && redact(named.problem, secrets);
  const oauthProblemAdvice = named?.advice === undefined ? undefined : redact(named.advice, secrets);
  const said = [problem, oauthProblemAdvice && `(${oauthProblemAdvice})`].filter(Boolean).join(' ');
  const [, hint] =
    HINTS.find(([pattern]) => pattern.test(problem ?? `${status}`)) ?? HINTS.find(([pattern]) => pattern.test(`${status}`)) ?? [];
  const clocks = /^timestamp/.test(problem ?? '') && timestampSeconds !== undefined ? clockNote(timestampSeconds, headers.get('date')) : '';
  const message = `${place.at} refused with status ${status}${said && `: ${said}`}. ${clocks}${hint ?? 'Its documentation may say why.'}`;
  return new OAuth1FlowError(message, {
    code: 'OAUTH1_FLOW_REFUSED',
    step: place.step,
    endpoint: place.endpoint,
    status,
    oauthProblem: problem,
    oauthProblemAdvice,
    explanation,
  });
}

function clockNote(timestampSeconds: number, date: string | null): string {
  const iso = (ms: number): string => {
    const time = new Date(ms);
    return Number.isNaN(time.getTime()) ? 'nothing' : time.toISOString();
  };
  return `It was signed at ${iso(timestampSeconds * 1000)}; the server's clock says ${iso(Date.parse(date ?? ''))}. `;
}

/** What to try next, by problem, else by status. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^consumer_key/, 'Check `consumerKey`, and that this server issued it: sandbox and production have different ones.'],
  [/^signature_method/, 'Choose another `signatureMethod`.'],
  [
    /^signature/,
    'Check `consumerSecret` first, then `requestTokenEndpoint` and `accessTokenEndpoint`. `explanation` shows what was signed.',
  ],
  [/^timestamp/, 'Set the clock of one of them.'],
  [/^nonce/, 'Something sent one signed request twice: a proxy, or a retry below `fetch`.'],
  [
    /^(?:token|verifier|permission|parameter_rejected$)/,
    'Temporary credentials are good once and for minutes: start again, with the verifier of that attempt.',
  ],
  [/^parameter_absent/, 'Check `parameters`: this server wants more than the standard ones.'],
  [/^version/, 'Try `version: false`.'],
  [/^40[13]$/, 'Check `consumerKey`, `consumerSecret` and that `callbackUrl` is registered. `explanation` shows what was signed.'],
  [/^(?:404|405)$/, 'Check the endpoint, and `method`.'],
  [/^(?:429|5\d\d)$/, 'Try again later.'],
  [/^4\d\d$/, 'Check `callbackUrl`, `parameters` and `headers`: some servers want a callback that is registered, or a `User-Agent`.'],
];
