// RFC 6749 §3.2: one exchange with the token endpoint.
import { redact, type TokenSet } from '@authseam/core';
import { allowInsecureRequests, customFetch, genericTokenEndpointRequest } from 'oauth4webapi';
import type { AuthorizationServerSource } from './authorization-server.ts';
import type { ClientAuthenticator } from './client-authentication.ts';
import { edgeFetch } from './edge-fetch.ts';
import { refusal } from './failure.ts';
import { jsonFields } from './json-fields.ts';
import type { GrantContext, TokenEndpointClientSettings } from './token-endpoint-client.ts';
import type { TokenRequestOptions } from './token-request-options.ts';
import { misfit, tokenSetOf } from './token-response.ts';
import type { TokenResponseOptions } from './token-response-options.ts';

/** A client of one token endpoint: its options, checked, and what was made of them. */
export interface GrantSettings extends TokenEndpointClientSettings {
  readonly tokenRequest: TokenRequestOptions;
  readonly tokenResponse: TokenResponseOptions;
  readonly clientId: string;
  /** Those of `tokenRequest`, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly server: AuthorizationServerSource;
  readonly authenticate: ClientAuthenticator;
}

/** Parameters that hold a secret, by name. What else a server repeats in an error helps whoever reads it. */
const SECRET = /^(?!.*_type$).*(?:secret|pass|token|assertion|code|key)/i;
/** Headers that hold none. */
const PUBLIC_HEADER = /^(?:user-agent|accept.*|content-type)$/;

/** Characters of a scope that an event shows: those of large APIs run to many words. */
const LONGEST_SCOPE = 2_000;

/** Does what `TokenEndpointClient.grant` promises. */
export async function sendGrant(
  settings: GrantSettings,
  grantType: string,
  parameters: readonly (readonly [string, string])[],
  { signal, scope, emit, secrets: known = [] }: GrantContext,
): Promise<TokenSet> {
  const { strategy, tokenRequest, tokenResponse, headers, scheme, fetch, now = Date.now } = settings;
  const { lifetimeSeconds, ...shape } = tokenResponse;
  const isQuirky = tokenRequest.format === 'json' || tokenRequest.fields || Object.keys(shape).length > 0;
  const quirks = isQuirky ? await import('./server-quirks.ts') : undefined;
  const sent = Object.keys(headers).flatMap((name) => (PUBLIC_HEADER.test(name) ? [] : (headers[name] ?? [])));
  const secrets = new Set([...known, ...sent]);
  // Before anything is sent: a secret that is not there is the clearer error.
  const clientAuth = await settings.authenticate(secrets);
  const metadata = await settings.server.metadata(signal);
  const what = 'token endpoint';
  const send = edgeFetch({ fetch, strategy, what, secrets });
  const pairs = parameters.map(([name, value]) => [name, value]);

  const response = await genericTokenEndpointRequest(metadata, { client_id: settings.clientId }, clientAuth, grantType, pairs, {
    [allowInsecureRequests]: true, // `authorizationServer` let plain http through on loopback only
    [customFetch]: (url, { body, headers: standard, ...init }) => {
      addSecrets(secrets, body, standard['authorization']);
      const quirky = quirks?.quirkyBody(body, tokenRequest, strategy) ?? body;
      const type = typeof quirky === 'string' ? { 'content-type': 'application/json' } : undefined;
      return send(url, { ...init, body: quirky, headers: { ...standard, ...type, ...headers } });
    },
    ...(signal && { signal }),
  });
  const nowMs = now();
  const text = await response.text();
  const fields = quirks ? quirks.standardFields(text, tokenResponse) : jsonFields(text);
  const problem = misfit(fields, scheme);
  if (problem || !response.ok) {
    const context = { strategy, what, endpoint: metadata.token_endpoint, secrets, nowMs, hasUserAgent: 'user-agent' in headers };
    throw refusal(response, fields, problem, context);
  }
  const tokens = tokenSetOf(fields, { scheme, scope, lifetimeSeconds, nowMs });
  if (scope && tokens.scope && sorted(tokens.scope) !== sorted(scope)) {
    // What a server writes is shown redacted, here as anywhere.
    const granted = redact(tokens.scope, secrets.add(tokens.accessToken), LONGEST_SCOPE);
    emit?.({ type: 'scope-changed', strategy, requested: scope, granted });
  }
  return tokens;
}

/** Everything in a request that the server might repeat in an error and nobody else may read. */
function addSecrets(secrets: Set<string>, body: URLSearchParams, authorization: string | undefined): void {
  for (const [name, value] of body) if (SECRET.test(name)) secrets.add(value);
  addBasic(secrets, authorization);
}

/** What the client proves itself with in a header, as it stands there. */
export function addBasic(secrets: Set<string>, authorization: string | null | undefined): void {
  const credential = authorization?.replace('Basic ', '');
  // The secret stands in there in its form-encoded spelling, of which there are several.
  if (credential) secrets.add(credential).add(atob(credential).replace(/^.*?:/s, ''));
}

/** Scopes are sets (RFC 6749 §3.3). */
function sorted(scope: string): string {
  return [...new Set(scope.split(/\s+/))].sort().join(' ');
}
