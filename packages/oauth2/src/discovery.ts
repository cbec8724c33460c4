// RFC 8414 §3 and OpenID Connect Discovery 1.0 §4: authorization server metadata.
import { ConfigurationError, redact, TokenEndpointError } from '@authseam/core';
import { allowInsecureRequests, customFetch, discoveryRequest } from 'oauth4webapi';
import type { AuthorizationServerSettings, TokenIssuer } from './authorization-server.ts';
import { endpointUrl } from './check-endpoint.ts';
import { edgeFetch } from './edge-fetch.ts';
import { jsonFields } from './json-fields.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * Asks `issuer` for its metadata, at the OpenID Connect path and, if that has none, at the one of RFC 8414.
 *
 * @throws {ConfigurationError} when the metadata names another issuer, or a token endpoint that no secret may go to.
 * @throws {TokenEndpointError} when the answer is no metadata; one that may be temporary has a status by which it is tried again.
 */
export async function discover(
  issuer: string,
  settings: AuthorizationServerSettings,
  signal: AbortSignal | undefined,
): Promise<TokenIssuer> {
  const { strategy, now = Date.now } = settings;
  let answer = await ask(issuer, 'oidc', settings, signal);
  // Gateways answer 400, 401, 403 or a page where nothing is.
  if (!answer.metadata && answer.status < 500 && answer.status !== 429) answer = await ask(issuer, 'oauth2', settings, signal);
  const { status, headers, metadata } = answer;
  if (!metadata) {
    const message = `${strategy}: no authorization server metadata at ${issuer} (status ${status}). Check \`issuer\`, or give \`tokenEndpoint\`.`;
    throw new TokenEndpointError(message, { status, strategy, retryAfterMs: retryAfterMs(headers.get('retry-after'), now()) });
  }
  const problem = problemOf(metadata, issuer);
  if (problem) throw new ConfigurationError(`${strategy}: the metadata of ${issuer} names ${problem}`, { option: 'issuer', strategy });
  return Object.freeze(metadata) as TokenIssuer;
}

/** What one well-known path answers. */
interface Answer {
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
  const response = await discoveryRequest(new URL(issuer), {
    algorithm,
    [allowInsecureRequests]: true, // `checkEndpoint` let plain http through on loopback only
    [customFetch]: edgeFetch({ fetch, strategy, what: 'authorization server metadata', secrets: [] }),
    ...(userAgent && { headers: { 'User-Agent': userAgent } }),
    ...(signal && { signal }),
  });
  const { status, headers } = response;
  const fields = status === 200 ? jsonFields(await response.text()) : {};
  return { status, headers, metadata: typeof fields['issuer'] === 'string' ? fields : undefined };
}

function problemOf({ issuer: named, token_endpoint: endpoint }: Readonly<Record<string, unknown>>, issuer: string): string | undefined {
  // RFC 8414 §3.3 wants the same string; oauth4webapi, which compares parsed URLs, would let a missing slash pass.
  if (named !== issuer) return `another issuer, '${redact(`${named}`, [])}'. If you trust it, \`issuer\` must be that exact string.`;
  const url = endpointUrl(endpoint);
  if (url && (url.protocol === 'https:' || issuer.startsWith('http:'))) return undefined;
  return 'no https token endpoint. Give `tokenEndpoint`.';
}
