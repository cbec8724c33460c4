// RFC 6749 §4.1.1: the authorization request. RFC 7636 §4.3: PKCE. RFC 9126: pushed requests.
import { type AuthorizationHints, checkKnownKeys, TokenEndpointError } from '@authseam/core';
import { endpointUrl, type GrantParameters, grantParameters, type TokenEndpointClient, type TokenIssuer } from '@authseam/oauth2';
import { checkRedirectUri, reservedIn } from './authorization-code-options.ts';
import type { AuthorizationTransaction } from './authorization-transaction.ts';
import { misuse } from './misuse.ts';
import { queryWithout } from './query-without.ts';
import { codeChallenge, randomToken } from './random-token.ts';
import { withinTime } from './time-limit.ts';

/** One authorization request. What an `InteractionRequiredError` says under `authorization` fits. */
export interface AuthorizationUrlOptions extends AuthorizationHints {
  /**
   * Added to the strategy's, space-separated. `openid` is left out where no `issuer` is configured to hold ID tokens against: an API may ask for it all
   * the same, and what it asks for comes here as it is.
   */
  readonly scope?: string | undefined;
  /** `prompt` (OpenID Connect Core 1.0 §3.1.2.1): `'login'`, `'consent'`, `'select_account'`, `'none'`. Default: as the server likes. */
  readonly prompt?: string | undefined;
  /** `login_hint`: who is going to sign in, an address say. */
  readonly loginHint?: string | undefined;
  /** Where the callback goes this time. Default: the strategy's `redirectUri`. */
  readonly redirectUri?: string | undefined;
  /** How the callback comes: in the query, or as a form (OAuth 2.0 Form Post Response Mode). Default: as the server likes, the query. */
  readonly responseMode?: 'query' | 'form_post' | undefined;
  /** More parameters, for this request only. What the request itself sets cannot be among them. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which client asks for what. */
export interface AuthorizationSettings {
  readonly client: TokenEndpointClient;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly grant: GrantParameters;
  /** Whether `issuer` is configured: ID tokens are held against it. */
  readonly hasIssuer: boolean;
  readonly strategy: string;
}

/** Limit of all requests that one URL takes: metadata, and a pushed request. Milliseconds. */
const TIMEOUT_MS = 10_000;

/** Does what `createAuthorizationUrl` of the strategy promises. */
export async function authorizationUrl(
  settings: AuthorizationSettings,
  request: AuthorizationUrlOptions,
): Promise<{ readonly url: string; readonly transaction: AuthorizationTransaction }> {
  const { client, strategy } = settings;
  checkRequest(request, strategy);
  const transaction = transactionOf(settings, request);
  const parameters = await requestParameters(settings, request, transaction);
  const limit = { signal: request.signal, timeoutMs: TIMEOUT_MS, strategy, advice: 'Try again.' };
  const url = await withinTime(limit, async (signal) => {
    const metadata = await client.metadata(signal);
    const endpoint = checkMetadata(metadata, strategy);
    const sent = metadata.pushed_authorization_request_endpoint ? await pushed(client, parameters, signal, strategy) : parameters;
    // What the endpoint's own query says of our parameters would stand beside them; pushed ones too are nobody else's to set.
    const others = queryWithout(endpoint, [...parameters.keys(), ...sent.keys()]);
    endpoint.search = others ? `${others}&${sent}` : `${sent}`;
    return endpoint.href;
  });
  return { url, transaction };
}

/** @throws {ConfigurationError} for what would take the place of something that protects the request, or would go unnoticed. */
function checkRequest(request: AuthorizationUrlOptions, strategy: string): void {
  checkKnownKeys(request, REQUEST_OPTIONS, { strategy });
  const { scope, acrValues, maxAge, prompt, loginHint, responseMode, parameters } = request;
  for (const [option, value] of Object.entries({ scope, acrValues, prompt, loginHint, responseMode })) {
    if (!['string', 'undefined'].includes(typeof value)) throw misuse(option, 'must be a string', strategy);
  }
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0))
    throw misuse('maxAge', 'must be a whole number of seconds', strategy);
  grantParameters({ ...(parameters && { parameters }) }, strategy);
  const taken = reservedIn(parameters);
  if (taken !== undefined) throw misuse('parameters', `must be without ${taken}, which is not free: see the options`, strategy);
}

const REQUEST_OPTIONS = ['scope', 'acrValues', 'maxAge', 'prompt', 'loginHint', 'redirectUri', 'responseMode', 'parameters', 'signal'];

function transactionOf(
  { client, clientId, redirectUri, grant, hasIssuer, strategy }: AuthorizationSettings,
  request: AuthorizationUrlOptions,
): AuthorizationTransaction {
  const { maxAge } = request;
  const words = unionOf(grant.scope, request.scope).filter((word) => hasIssuer || word !== 'openid');
  const scope = words.join(' ') || undefined;
  const isOpenId = words.includes('openid');
  return {
    state: randomToken(),
    codeVerifier: randomToken(),
    redirectUri: checkRedirectUri(request.redirectUri ?? redirectUri, strategy),
    issuer: client.serverId,
    clientId,
    ...(isOpenId && { nonce: randomToken() }),
    ...(maxAge !== undefined && { maxAge }),
    ...(scope !== undefined && { scope }),
  };
}

async function requestParameters(
  { clientId, grant }: AuthorizationSettings,
  request: AuthorizationUrlOptions,
  { state, codeVerifier, redirectUri, scope, nonce, maxAge }: AuthorizationTransaction,
): Promise<URLSearchParams> {
  const parameters = new URLSearchParams({ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, state });
  for (const [name, value] of grant.pairs) if (name !== 'scope') parameters.append(name, value);
  const optional = {
    scope,
    code_challenge: await codeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    nonce,
    prompt: request.prompt,
    login_hint: request.loginHint,
    acr_values: request.acrValues,
    max_age: maxAge === undefined ? undefined : String(maxAge),
    response_mode: request.responseMode,
    ...request.parameters,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) parameters.set(name, value);
  return parameters;
}

/** @returns The authorization endpoint. */
function checkMetadata({ authorization_endpoint: address, code_challenge_methods_supported: methods }: TokenIssuer, strategy: string): URL {
  const endpoint = endpointUrl(address);
  if (!endpoint) throw misuse('issuer', 'names no usable authorization endpoint: give `authorizationEndpoint`', strategy);
  // Without a word about PKCE servers that support it cannot be told from those that ignore it: only one that says no is refused.
  const supportsS256 = methods === undefined || (Array.isArray(methods) && methods.includes('S256'));
  if (!supportsS256) throw misuse('issuer', 'does not support PKCE with S256, and nothing less is used', strategy);
  return endpoint;
}

/** The request by reference: what it asks for does not pass through the browser (RFC 9126 §4). */
async function pushed(
  client: TokenEndpointClient,
  parameters: URLSearchParams,
  signal: AbortSignal | undefined,
  strategy: string,
): Promise<URLSearchParams> {
  const { request_uri: uri } = await client.request({
    endpoint: 'pushed_authorization_request_endpoint',
    parameters: [...parameters],
    signal,
  });
  if (typeof uri === 'string' && uri) return new URLSearchParams({ client_id: parameters.get('client_id') ?? '', request_uri: uri });
  const message = `${strategy}: the server took the pushed authorization request and answered without a \`request_uri\`.`;
  throw new TokenEndpointError(message, { status: 201, strategy });
}

/** Scopes are sets (RFC 6749 §3.3). */
function unionOf(...scopes: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(scopes.flatMap((scope) => scope?.split(/\s+/) ?? []).filter(Boolean))];
}
