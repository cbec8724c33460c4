// RFC 8414 §3 and OpenID Connect Discovery 1.0 §4: authorization server metadata.
import { ConfigurationError, redact, TokenEndpointError } from '@authseam/core';
import { allowInsecureRequests, customFetch, discoveryRequest } from 'oauth4webapi';
import type { AuthorizationServerSettings, ServerEndpoints, TokenIssuer } from './authorization-server.ts';
import { endpointUrl } from './check-endpoint.ts';
import { edgeFetch } from './edge-fetch.ts';
import { withoutQuery } from './failure.ts';
import { jsonFields } from './json-fields.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * Asks `issuer` for its metadata, at the OpenID Connect path and, if that has none, at the one of RFC 8414.
 *
 * @throws {ConfigurationError} when the metadata names another issuer, a token endpoint that no secret may go to, or an endpoint on this machine's
 * plain http although the issuer has https.
 * @throws {TokenEndpointError} when the answer is no metadata; one that may be temporary has a status by which it is tried again.
 */
export async function discover(
  issuer: string,
  settings: AuthorizationServerSettings,
  signal: AbortSignal | undefined,
): Promise<TokenIssuer> {
  const { strategy, now = Date.now } = settings;
  let answer = await ask(issuer, 'oidc', settings, signal);
  let asked = answer.url;
  // Gateways answer 400, 401, 403 or a page where nothing is.
  if (!answer.metadata && answer.status < 500 && answer.status !== 429) {
    answer = await ask(issuer, 'oauth2', settings, signal);
    asked += ` and ${answer.url}`;
  }
  const { status, headers, metadata } = answer;
  if (!metadata) {
    const message = `${strategy}: no authorization server metadata at ${asked} (status ${status}). Check \`issuer\`, or give \`tokenEndpoint\`.`;
    throw new TokenEndpointError(message, { status, strategy, retryAfterMs: retryAfterMs(headers.get('retry-after'), now()) });
  }
  const problem = problemOf(metadata, issuer, settings.endpoints);
  if (problem) throw new ConfigurationError(`${strategy}: the metadata of ${issuer} names ${problem}`, { option: 'issuer', strategy });
  return Object.freeze(metadata) as TokenIssuer;
}

/** What one well-known path answers. */
interface Answer {
  /** What was asked, without its query. */
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

async function ask(
  issuer: string,
  algorithm: 'oidc' | 'oauth2',
  { fetch, strategy, userAgent }: AuthorizationServerSettings,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const send = edgeFetch({ fetch, strategy, what: 'authorization server metadata', secrets: [] });
  let url = issuer;
  const response = await discoveryRequest(new URL(issuer), {
    algorithm,
    [allowInsecureRequests]: true, // `checkEndpoint` let plain http through on loopback only
    [customFetch]: (asked, init) => {
      url = withoutQuery(asked);
      return send(asked, init);
    },
    ...(userAgent && { headers: { 'User-Agent': userAgent } }),
    ...(signal && { signal }),
  });
  const { status, headers } = response;
  const fields = status === 200 ? jsonFields(await response.text()) : {};
  return { url, status, headers, metadata: typeof fields['issuer'] === 'string' ? fields : undefined };
}

function problemOf(metadata: Readonly<Record<string, unknown>>, issuer: string, configured: ServerEndpoints = {}): string | undefined {
  const { issuer: named, token_endpoint: tokenEndpoint } = metadata;
  // RFC 8414 §3.3 wants the same string; oauth4webapi, which compares parsed URLs, would let a missing slash pass.
  if (named !== issuer) return `another issuer, '${redact(`${named}`, [])}'. If you trust it, \`issuer\` must be that exact string.`;
  // Plain http on loopback is for servers that are there themselves: anybody else would have secrets sent to whatever listens on this machine.
  const isPlain = (url: URL): boolean => url.protocol === 'http:' && new URL(issuer).protocol === 'https:';
  const url = endpointUrl(tokenEndpoint);
  if (!url || isPlain(url)) return 'no https token endpoint. Give `tokenEndpoint`.';
  // Others that are no endpoints at all are refused where they are used: not everybody needs them.
  const plain = OTHER_ENDPOINTS.find((name) => {
    const other = configured[name] === undefined ? endpointUrl(metadata[name]) : undefined;
    return other !== undefined && isPlain(other);
  });
  return plain && `a \`${plain}\` of plain http on this machine. Correct that at the server, or give the endpoints yourself.`;
}

/** Those of {@link ServerEndpoints}. */
const OTHER_ENDPOINTS = [
  'authorization_endpoint',
  'revocation_endpoint',
  'pushed_authorization_request_endpoint',
  'end_session_endpoint',
] as const satisfies readonly (keyof ServerEndpoints)[];
