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

/** What is no secret of a request: may show in messages. */
const PUBLIC = /^(?:grant_type|client_id|scope|audience|resource|client_assertion_type|redirect_uri)$/;

/** Does what `TokenEndpointClient.grant` promises. */
export async function sendGrant(
  settings: GrantSettings,
  grantType: string,
  parameters: readonly (readonly [string, string])[],
  { signal, scope, emit }: GrantContext,
): Promise<TokenSet> {
  const { strategy, tokenRequest, tokenResponse, headers, scheme, fetch, now = Date.now } = settings;
  const { lifetimeSeconds, ...shape } = tokenResponse;
  const isQuirky = tokenRequest.format === 'json' || tokenRequest.fields || Object.keys(shape).length > 0;
  const quirks = isQuirky ? await import('./server-quirks.ts') : undefined;
  const secrets = new Set(Object.values(headers));
  // Before anything is sent: a secret that is not there is the clearer error.
  const clientAuth = await settings.authenticate(secrets);
  const metadata = await settings.server.metadata(signal);
  const send = edgeFetch({ fetch, strategy, what: 'token endpoint', secrets });
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
    throw refusal(response, fields, problem, { strategy, endpoint: metadata.token_endpoint, secrets, nowMs });
  }
  const tokens = tokenSetOf(fields, { scheme, scope, lifetimeSeconds, nowMs });
  if (scope && tokens.scope && sorted(tokens.scope) !== sorted(scope)) {
    // What a server writes is shown redacted, here as anywhere.
    emit?.({ type: 'scope-changed', strategy, requested: scope, granted: redact(tokens.scope, secrets.add(tokens.accessToken)) });
  }
  return tokens;
}

/** Everything in a request that the server might repeat in an error and nobody else may read. */
function addSecrets(secrets: Set<string>, body: URLSearchParams, authorization: string | undefined): void {
  for (const [name, value] of body) if (!PUBLIC.test(name)) secrets.add(value);
  const credential = authorization?.replace('Basic ', '');
  // The secret stands in there in its form-encoded spelling, of which there are several.
  if (credential) secrets.add(credential).add(atob(credential).replace(/^.*?:/s, ''));
}

/** Scopes are sets (RFC 6749 §3.3). */
function sorted(scope: string): string {
  return [...new Set(scope.split(/\s+/))].sort().join(' ');
}
