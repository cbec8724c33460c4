// RFC 5849 §2: the three endpoints of redirection-based authorization.
import type { Answer } from '../answer.ts';
import type { Routes } from '../loopback-server.ts';
import { type OAuth1Refusal, refusal } from '../oauth1/oauth1-refusal.ts';
import type { OAuth1Verdict, TokenLookup } from '../oauth1/oauth1-verifier.ts';
import { temporaryLedger } from '../oauth1/temporary-credentials.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { errorAnswer } from './refusal-answer.ts';

/** What the three-legged flow does, right or wrong. */
export interface ThreeLeggedOptions {
  /** What the resource owner says. `'refused'`: the redirect carries `oauth_problem=user_refused` and no verifier. Default `'granted'`. */
  readonly consent?: 'granted' | 'refused';
  /** `oauth_callback_confirmed` in the answer with temporary credentials. `'absent'` is a server of OAuth 1.0 without the "a". Default `'true'`. */
  readonly callbackConfirmed?: 'true' | 'false' | 'absent';
  /** The `oauth_token` of the redirect back. `'other'` is one of somebody else's. Default `'same'`. */
  readonly callbackToken?: 'same' | 'other' | 'absent';
}

/** What the endpoints need of their server. */
export interface ThreeLeggedSite {
  readonly now: () => number;
  verify(request: ReceivedRequest, tokens: TokenLookup): OAuth1Verdict;
  refuse(reason: OAuth1Refusal): Answer;
  issueToken(): { readonly token: string; readonly tokenSecret: string };
  /** What the answer with token credentials says besides them. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** `POST /oauth/initiate` (purpose `'temporary'`), `GET /oauth/authorize` (`'authorize'`) and `POST /oauth/token` (`'token'`). */
export function threeLeggedRoutes(options: ThreeLeggedOptions, site: ThreeLeggedSite): Routes {
  const { callbackConfirmed = 'true' } = options;
  const ledger = temporaryLedger(site.now);

  function initiate(request: ReceivedRequest): Answer {
    const verdict = site.verify(request, withoutToken);
    const callback = verdict.parameters['oauth_callback'];
    const refused = verdict.refusal ?? callbackRefusal(callback);
    if (refused !== undefined || callback === undefined) return site.refuse(refused ?? ABSENT_CALLBACK);
    const { token, tokenSecret } = ledger.issue(callback);
    const confirmed = callbackConfirmed === 'absent' ? {} : { oauth_callback_confirmed: callbackConfirmed };
    return form({ oauth_token: token, oauth_token_secret: tokenSecret, ...confirmed });
  }

  function authorize({ query }: ReceivedRequest): Answer {
    const credentials = ledger.consent(new URLSearchParams(query).get('oauth_token') ?? '');
    if (credentials === undefined) return errorAnswer(400, 108, 'The temporary credentials are unknown, used or expired.');
    if (credentials.callback !== 'oob') return redirectBack(credentials, options);
    return { headers: { 'Content-Type': 'text/plain' }, body: `Enter this code in the application: ${credentials.verifier}\n` };
  }

  function exchange(request: ReceivedRequest): Answer {
    const { parameters, refusal: refused } = site.verify(request, (token) => ledger.find(token));
    const wrong = refused ?? ledger.redeem(parameters['oauth_token'] ?? '', parameters['oauth_verifier']);
    if (wrong !== undefined) return site.refuse(wrong);
    const { token, tokenSecret } = site.issueToken();
    return form({ oauth_token: token, oauth_token_secret: tokenSecret, ...site.parameters });
  }

  return {
    'POST /oauth/initiate': { purpose: 'temporary', handle: initiate },
    'GET /oauth/authorize': { purpose: 'authorize', handle: authorize },
    'POST /oauth/token': { purpose: 'token', handle: exchange },
  };
}

/** A request signed with the consumer pair only. An empty `oauth_token` is none (§3.1). */
export const withoutToken: TokenLookup = (token) =>
  token === ''
    ? { tokenSecret: '' }
    : refusal('parameter_rejected', 'oauth_token has no place here.', { oauth_parameters_rejected: 'oauth_token' });

const ABSENT_CALLBACK = refusal('parameter_absent', 'Missing: oauth_callback.', { oauth_parameters_absent: 'oauth_callback' });

/** §2.1: an absolute URI, or `oob`. */
function callbackRefusal(callback: string | undefined): OAuth1Refusal | undefined {
  if (callback === undefined) return ABSENT_CALLBACK;
  if (callback === 'oob' || URL.canParse(callback)) return undefined;
  return refusal('parameter_rejected', 'oauth_callback is no absolute URL.', { oauth_parameters_rejected: 'oauth_callback' });
}

function redirectBack(credentials: { callback: string; token: string; verifier: string }, options: ThreeLeggedOptions): Answer {
  const { consent = 'granted', callbackToken = 'same' } = options;
  const { callback, token, verifier } = credentials;
  const carried = { same: { oauth_token: token }, other: { oauth_token: `${token}-of-another` }, absent: {} }[callbackToken];
  const outcome = consent === 'granted' ? { oauth_verifier: verifier } : { oauth_problem: 'user_refused' };
  const query = new URLSearchParams({ ...carried, ...outcome } as Record<string, string>).toString();
  return { status: 302, headers: { Location: `${callback}${callback.includes('?') ? '&' : '?'}${query}` } };
}

function form(fields: Readonly<Record<string, string>>): Answer {
  return { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() };
}
