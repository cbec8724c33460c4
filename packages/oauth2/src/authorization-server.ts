// RFC 8414 §2: which authorization server issues the tokens.
import { type AuthError, ConfigurationError, isAuthError, type TokenEndpointError, waitFor } from '@authseam/core';
import type { AuthorizationServer } from 'oauth4webapi';
import { checkEndpoint } from './check-endpoint.ts';
import { discover } from './discovery.ts';
import type { TokenFetch } from './edge-fetch.ts';

/** Which authorization server issues the tokens: found through its metadata, or named by its token endpoint. */
export type AuthorizationServerOptions =
  | {
      /** Issuer identifier, the exact string that the server calls itself, trailing slash included. Without `tokenEndpoint` its metadata is asked for. */
      readonly issuer: string;
      /** Token endpoint. With it no metadata is asked for, and `issuer` is the audience of client assertions and part of the store key. */
      readonly tokenEndpoint?: string;
    }
  | {
      readonly issuer?: never;
      /** Token endpoint (RFC 6749 §3.2): absolute, https or loopback. */
      readonly tokenEndpoint: string;
    };

/** What surrounds an authorization server. */
export interface AuthorizationServerSettings {
  /** `name` of the strategy, for errors. */
  readonly strategy: string;
  /** Sends the metadata request. Default: the platform's `fetch`, looked up at each use. */
  readonly fetch?: TokenFetch;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Endpoints that are configured: they stand in for what the metadata say. Default: none. */
  readonly endpoints?: ServerEndpoints | undefined;
  /** Header `User-Agent` of the metadata request. Default: oauth4webapi's, in browsers the platform's. */
  readonly userAgent?: string | undefined;
}

/** Endpoints beside the token endpoint, by their names in RFC 8414 §2 and OpenID Connect RP-Initiated Logout 1.0 §2.1. */
export interface ServerEndpoints {
  readonly authorization_endpoint?: string | undefined;
  readonly revocation_endpoint?: string | undefined;
  readonly pushed_authorization_request_endpoint?: string | undefined;
  readonly end_session_endpoint?: string | undefined;
}

/** Metadata that tells where tokens are asked for. */
export type TokenIssuer = AuthorizationServer & { readonly token_endpoint: string };

/** Yields the metadata of one authorization server. */
export interface AuthorizationServerSource {
  /** What the store key of its tokens names: the issuer, the token endpoint, or both where both are configured. */
  readonly id: string;
  /**
   * The server's metadata, with a token endpoint that was checked. Asked for once; calls at the same time share the request, and one that aborts ends
   * its own wait only. Metadata of another issuer, and an answer that is none, are remembered for 30 s; a broken connection, 429 and 5xx are not.
   *
   * @param signal Ends the wait with its reason, also where `fetch` ignores it.
   * @throws {ConfigurationError} when the metadata names another issuer, or a token endpoint that no secret may go to.
   * @throws {TokenEndpointError} when the answer is no metadata.
   */
  metadata(signal?: AbortSignal): Promise<TokenIssuer>;
}

/**
 * The authorization server of a strategy. Metadata is looked for at the OpenID Connect well-known path and, if there is none, at the one of RFC
 * 8414. Its `issuer` must equal the configured one, compared as strings (RFC 8414 §3.3). Nothing is requested before the first `metadata()`.
 *
 * @throws {ConfigurationError} for a missing or unsafe `issuer` or `tokenEndpoint`, and for an `issuer` that is the URL of metadata.
 * @see RFC 8414 §3, OpenID Connect Discovery 1.0 §4
 * @example
 * ```ts
 * import { authorizationServer } from '@authseam/oauth2';
 *
 * const server = authorizationServer({ tokenEndpoint: 'https://login.example.com/token', strategy: 'partner' });
 * (await server.metadata()).token_endpoint; // 'https://login.example.com/token'
 * ```
 */
export function authorizationServer(options: AuthorizationServerOptions & AuthorizationServerSettings): AuthorizationServerSource {
  const { issuer, tokenEndpoint, strategy } = options;
  const fail = (option: string, problem: string): never => {
    throw new ConfigurationError(`${strategy}: ${problem}.`, { option, strategy });
  };
  if (issuer === undefined && tokenEndpoint === undefined)
    fail('tokenEndpoint', 'give `issuer` or `tokenEndpoint`, to say which server issues the tokens');
  if (issuer !== undefined && checkEndpoint(issuer, 'issuer', strategy).pathname.includes('/.well-known/'))
    fail('issuer', '`issuer` is the URL of metadata: give the part before /.well-known/');
  if (issuer === undefined || tokenEndpoint !== undefined) checkEndpoint(tokenEndpoint, 'tokenEndpoint', strategy);
  const { now = () => Date.now(), endpoints = {} } = options;
  const given = Object.fromEntries(Object.entries(endpoints).filter(([, endpoint]) => endpoint !== undefined));
  const name = (issuer ?? tokenEndpoint) as string;
  let known: TokenIssuer | undefined = tokenEndpoint === undefined ? undefined : { issuer: name, token_endpoint: tokenEndpoint, ...given };
  let flight: { readonly answer: Promise<TokenIssuer>; readonly signal: AbortSignal | undefined } | undefined;
  let failure: { readonly error: AuthError; readonly atMs: number } | undefined;

  async function ask(signal: AbortSignal | undefined): Promise<TokenIssuer> {
    try {
      known = { ...(await waitFor(discover(name, options, signal), { signal })), ...given };
      return known;
    } catch (error) {
      if (isAuthError(error) && isLasting(error)) failure = { error, atMs: now() };
      throw error;
    } finally {
      flight = undefined;
    }
  }

  async function metadata(signal?: AbortSignal): Promise<TokenIssuer> {
    if (known) return known;
    const ageMs = failure ? now() - failure.atMs : -1;
    if (failure && ageMs >= 0 && ageMs < FAILED_FOR_MS) throw failure.error;
    flight ??= { answer: ask(signal), signal };
    const current = flight;
    try {
      return await waitFor(current.answer, { signal });
    } catch (error) {
      // Whoever asked has left, which is no reason for those who joined.
      if (current.signal?.aborted && !signal?.aborted) return metadata(signal);
      throw error;
    }
  }

  return Object.freeze({ id: [issuer, tokenEndpoint].filter(Boolean).join(' '), metadata });
}

/** For how long a server is not asked again that has no metadata, or another issuer's. */
const FAILED_FOR_MS = 30_000;

/** Whether asking again at once would get the same answer. A status of 0 is a redirect that a browser hides. */
function isLasting(error: AuthError): boolean {
  const { status } = error as TokenEndpointError;
  return error.code === 'CONFIGURATION_ERROR' || (status < 500 && status !== 429);
}
