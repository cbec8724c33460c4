// RFC 6749 §3.2: the token endpoint.
import type { AuthEvent, TokenSet } from '@authseam/core';
import { type AuthenticatedRequest, sendAuthenticated } from './authenticated-request.ts';
import { type AuthorizationServerOptions, authorizationServer, type ServerEndpoints, type TokenIssuer } from './authorization-server.ts';
import { type ClientAuthenticationOptions, clientAuthentication } from './client-authentication.ts';
import type { TokenFetch } from './edge-fetch.ts';
import { sendGrant } from './send-grant.ts';
import { checkTokenRequest, type TokenRequestOptions } from './token-request-options.ts';
import { checkTokenResponse, type TokenResponseOptions } from './token-response-options.ts';

/** Options of {@link tokenEndpointClient}. */
export type TokenEndpointClientOptions = AuthorizationServerOptions & ClientAuthenticationOptions & TokenEndpointClientSettings;

/** Those of them that every OAuth 2 strategy hands on. */
export interface TokenEndpointClientSettings {
  /** `name` of the strategy, for errors and events. */
  readonly strategy: string;
  /** Where requests depart from the standard. Default: nowhere. */
  readonly tokenRequest?: TokenRequestOptions;
  /** Where answers depart from the standard. Default: nowhere. */
  readonly tokenResponse?: TokenResponseOptions;
  /** Endpoints that are configured: they stand in for what the metadata say. Default: none. */
  readonly endpoints?: ServerEndpoints;
  /** Word before the token at the API. When given, a missing or other `token_type` is accepted. Default: Bearer, and nothing else will do. */
  readonly scheme?: string;
  /** Sends token and metadata requests. Default: the platform's `fetch`, looked up at each use. */
  readonly fetch?: TokenFetch;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** What surrounds one grant. A `FetchTokenRequest` of core fits. */
export interface GrantContext {
  /** Ends the wait at once, with its reason, and the request. */
  readonly signal?: AbortSignal;
  /** What was asked for, space-separated: stands in for a missing `scope` in the answer (RFC 6749 §5.1). */
  readonly scope?: string | undefined;
  /** What must not show in an error, beside what is sent: the access token that a refresh replaces. */
  readonly secrets?: readonly string[];
  /** Is told when another scope was granted. */
  emit?(event: AuthEvent): void;
}

/** Sends grants of one client to one token endpoint. */
export interface TokenEndpointClient {
  /** What the tokens' store key names: the issuer, the token endpoint, or both where both are configured. */
  readonly serverId: string;
  /**
   * One grant, one token request, no retry; before the first one the server's metadata, where no `tokenEndpoint` is configured.
   *
   * @param grantType `grant_type`: `'client_credentials'`.
   * @param parameters Those of the grant; client authentication is added.
   * @returns A fresh token set. `expiresAtMs` is counted from the time of receipt, and is always there.
   * @throws {TokenEndpointError} when the answer is an error or no token. Server text in it is redacted.
   * @throws {AuthError} with code `TOKEN_REQUEST_FAILED` when the connection fails, `STRATEGY_FAILED` when a function given for a secret or key throws.
   * @throws {ConfigurationError} when the metadata does not fit the options, or a secret or key turns out to be none.
   */
  grant(grantType: string, parameters: readonly (readonly [name: string, value: string])[], context?: GrantContext): Promise<TokenSet>;
  /** The server's metadata; see `AuthorizationServerSource.metadata`. */
  metadata(signal?: AbortSignal): Promise<TokenIssuer>;
  /**
   * One authenticated request to another endpoint of the server.
   *
   * @throws {TokenEndpointError} when the answer is an error. {ConfigurationError} when the server has no such endpoint.
   */
  request(request: AuthenticatedRequest): Promise<Readonly<Record<string, unknown>>>;
}

/**
 * A client of one token endpoint. Certified code (oauth4webapi) makes the standard request; what the server wants otherwise is changed at the edge,
 * and what it answers otherwise is changed back there. Redirects are refused, at most 1 MiB is read, and nothing of the answer but the known fields.
 * It does not retry, cache or share: that is the token manager's part. A `fetch` that Authseam authorizes is used without its authentication.
 *
 * @throws {ConfigurationError} for options that are missing, misused or contradict each other.
 * @see RFC 6749 §3.2, §5
 * @example
 * ```ts
 * import { tokenEndpointClient } from '@authseam/oauth2';
 *
 * const client = { clientId: 'reports', clientSecret: 'example', strategy: 'partner' };
 * const tokens = tokenEndpointClient({ tokenEndpoint: 'https://login.example.com/token', ...client });
 * const { accessToken } = await tokens.grant('client_credentials', [['scope', 'read']], { scope: 'read' });
 * ```
 */
export function tokenEndpointClient(options: TokenEndpointClientOptions): TokenEndpointClient {
  const { strategy, tokenRequest = {}, tokenResponse = {} } = options;
  const headers = checkTokenRequest(tokenRequest, strategy);
  checkTokenResponse(tokenResponse, strategy);
  const server = authorizationServer({ ...options, userAgent: headers['user-agent'] });
  const authenticate = clientAuthentication(options);

  const settings = { ...options, tokenRequest, tokenResponse, headers, server, authenticate };

  return Object.freeze({
    serverId: server.id,
    metadata: server.metadata,
    grant: (grantType, parameters, context = {}) => sendGrant(settings, grantType, parameters, context),
    request: (request) => sendAuthenticated(settings, request),
  } satisfies TokenEndpointClient);
}
