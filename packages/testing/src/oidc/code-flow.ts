// RFC 6749 §4.1 and §6, RFC 7636, RFC 7009: the endpoints of a small authorization server that is no oidc-provider.
import type { Answer } from '../answer.ts';
import type { Routes } from '../loopback-server.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { approvalAnswer, approvalOf, selfSubmittingForm } from './approval-page.ts';
import { type GrantDesk, type GrantDeskOptions, grantDesk, type IssuedTokens } from './grant-desk.ts';
import { isRegisteredRedirect } from './registered-redirect.ts';

/** What the server is made of. */
export interface CodeFlowOptions extends GrantDeskOptions {
  readonly clientId: string;
  /** By Basic or in the form. `undefined`: a public client. */
  readonly clientSecret: string | undefined;
  /** Exact; any port for http on a loopback address. `undefined`: every absolute URI will do. */
  readonly redirectUris: readonly string[] | undefined;
  readonly users: readonly string[];
  /** What may be asked for; of other words nothing is granted. */
  readonly scope: readonly string[];
  /** Has the last word on the parameters that go back to the client. */
  readonly callbackOf?: (parameters: Readonly<Record<string, string>>) => readonly (readonly [string, string])[];
  /** Has the last word on the answer of the token endpoint. */
  readonly tokenAnswerOf?: (tokens: IssuedTokens, answer: Readonly<Record<string, unknown>>) => Promise<object> | object;
  /** Answers a token request in the place of the desk; `undefined` leaves it to the desk. */
  readonly interceptToken?: (form: URLSearchParams, desk: GrantDesk) => Answer | undefined;
}

/** The endpoints and what they remember. */
export interface CodeFlow {
  readonly desk: GrantDesk;
  readonly routes: Routes;
}

/** Paths of the endpoints. */
export const CODE_FLOW_PATHS = { authorization: '/oauth/authorize', token: '/oauth/token', revocation: '/oauth/revoke' } as const;

/**
 * `GET /oauth/authorize` (purpose `'authorization'`) shows one page that {@link signIn} fills in, `POST /oauth/token` (`'token'`) takes
 * codes and refresh tokens, `POST /oauth/revoke` (`'revocation'`) either kind of token. PKCE with S256 is required.
 */
export function codeFlow(options: CodeFlowOptions): CodeFlow {
  const desk = grantDesk(options);
  const token = (request: ReceivedRequest) => tokenAnswer(request, desk, options);
  const revocation = (request: ReceivedRequest) => {
    const refusal = clientRefusal(request, options);
    if (refusal !== undefined) return refusal;
    desk.revoke(new URLSearchParams(request.text).get('token') ?? '');
    return { status: 200 };
  };
  return {
    desk,
    routes: {
      [`GET ${CODE_FLOW_PATHS.authorization}`]: {
        purpose: 'authorization',
        handle: ({ query }: ReceivedRequest) => requestProblem(query, options) ?? approvalPageFor(query, options),
      },
      [`POST ${CODE_FLOW_PATHS.authorization}`]: {
        purpose: 'authorization',
        handle: ({ text }: ReceivedRequest) => {
          const form = new URLSearchParams(text);
          const query = form.get('request') ?? '';
          return requestProblem(query, options) ?? decided(query, form, desk, options);
        },
      },
      [`POST ${CODE_FLOW_PATHS.token}`]: { purpose: 'token', handle: token },
      [`POST ${CODE_FLOW_PATHS.revocation}`]: { purpose: 'revocation', handle: revocation },
    },
  };
}

/** What is wrong with an authorization request: shown to the person where the client is not known, sent to the client otherwise. */
function requestProblem(query: string, options: CodeFlowOptions): Answer | undefined {
  const request = new URLSearchParams(query);
  const redirectUri = request.get('redirect_uri') ?? '';
  if (request.get('client_id') !== options.clientId) return shown('client_id is unknown');
  if (!isRegisteredRedirect(redirectUri, options.redirectUris)) return shown('redirect_uri is not registered');
  if (request.get('response_type') !== 'code') return sendBack(request, { error: 'unsupported_response_type' }, options);
  const challenge = request.get('code_challenge');
  if (challenge !== null && /^[\w-]{43}$/.test(challenge) && request.get('code_challenge_method') === 'S256') return undefined;
  return sendBack(request, { error: 'invalid_request', error_description: 'PKCE with S256 is required' }, options);
}

function shown(problem: string): Answer {
  return { status: 400, headers: { 'Content-Type': 'text/plain' }, body: problem };
}

function approvalPageFor(query: string, { users, scope }: CodeFlowOptions): Answer {
  const asked = scopeOf(new URLSearchParams(query)).filter((word) => scope.includes(word));
  return approvalAnswer({ title: 'Allow access', users, scope: asked, hidden: { request: query } });
}

function decided(query: string, form: URLSearchParams, desk: GrantDesk, options: CodeFlowOptions): Answer {
  const request = new URLSearchParams(query);
  const { isAllowed, user, scope } = approvalOf(form);
  if (!isAllowed) return sendBack(request, { error: 'access_denied', error_description: 'the user said no' }, options);
  if (!options.users.includes(user)) return shown(`There is no user ${user}.`);
  const nonce = request.get('nonce');
  const code = desk.issueCode({
    subject: user,
    scope: scopeOf(request).filter((word) => scope.includes(word)),
    redirectUri: request.get('redirect_uri') ?? '',
    codeChallenge: request.get('code_challenge') ?? '',
    ...(nonce === null ? {} : { nonce }),
  });
  return sendBack(request, { code }, options);
}

function scopeOf(request: URLSearchParams): readonly string[] {
  return (request.get('scope') ?? '').split(' ').filter(Boolean);
}

function sendBack(request: URLSearchParams, outcome: Readonly<Record<string, string>>, { callbackOf }: CodeFlowOptions): Answer {
  const state = request.get('state');
  const truth = { ...outcome, ...(state === null ? {} : { state }) };
  const pairs = callbackOf?.(truth) ?? Object.entries(truth);
  const redirectUri = request.get('redirect_uri') ?? '';
  if (request.get('response_mode') === 'form_post') return selfSubmittingForm(redirectUri, pairs);
  const query = new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
  return { status: 302, headers: { Location: `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${query}` } };
}

async function tokenAnswer(request: ReceivedRequest, desk: GrantDesk, options: CodeFlowOptions): Promise<Answer> {
  const form = new URLSearchParams(request.text);
  const early = clientRefusal(request, options) ?? options.interceptToken?.(form, desk);
  if (early !== undefined) return early;
  const outcome = desk.redeem(form);
  if ('error' in outcome) return { status: 400, headers: NO_STORE, body: outcome };
  const answer = {
    access_token: outcome.accessToken,
    token_type: 'Bearer',
    expires_in: options.lifetimeSeconds,
    refresh_token: outcome.refreshToken,
    scope: outcome.grant.scope.join(' '),
  };
  return { headers: NO_STORE, body: (await options.tokenAnswerOf?.(outcome, answer)) ?? answer };
}

const NO_STORE: Readonly<Record<string, string>> = { 'Cache-Control': 'no-store' };

/** RFC 6749 §2.3.1 and §5.2. A secret that a public client sends is none of its business. */
function clientRefusal({ headers, text }: ReceivedRequest, { clientId, clientSecret }: CodeFlowOptions): Answer | undefined {
  const form = new URLSearchParams(text);
  const basic = basicCredentials(headers['authorization'] ?? '');
  if (basic !== undefined && form.has('client_secret')) {
    return { status: 400, body: { error: 'invalid_request', error_description: 'one way to authenticate per request' } };
  }
  const [id, secret] = basic ?? [form.get('client_id'), form.get('client_secret')];
  if (id === clientId && (secret ?? undefined) === clientSecret) return undefined;
  const challenge = basic === undefined ? {} : { 'WWW-Authenticate': 'Basic realm="token"' };
  return { status: 401, headers: challenge, body: { error: 'invalid_client', error_description: 'the client is unknown or not proven' } };
}

function basicCredentials(authorization: string): readonly [string, string] | undefined {
  const [, encoded] = /^basic ([a-z0-9+/=]+)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return [formDecoded(id), formDecoded(secret.join(':'))];
}

function formDecoded(text: string): string {
  return new URLSearchParams(`v=${text.replaceAll('&', '%26')}`).get('v') ?? '';
}
