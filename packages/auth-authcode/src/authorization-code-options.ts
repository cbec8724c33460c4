import { type AuthStrategy, checkKnownKeys, isLoopback, type TokenSet, type TokenStore } from '@authseam/core';
import {
  type ClientAuthenticationOptions,
  checkEndpoint,
  type GrantParametersOptions,
  type TokenRequestOptions,
  type TokenResponseOptions,
} from '@authseam/oauth2';
import { misuse } from './misuse.ts';

/** Options of `authorizationCode`: which server, which client, and the rest. */
export type AuthorizationCodeOptions = AuthorizationServerChoice & ClientAuthenticationOptions & AuthorizationCodeSettings;

/** Which server: found through its metadata, or named by its endpoints. */
export type AuthorizationServerChoice =
  | (Endpoints & {
      /** Issuer identifier, the exact string that the server calls itself, trailing slash included. Its metadata is asked for. */
      readonly issuer: string;
      readonly authorizationEndpoint?: string;
      readonly tokenEndpoint?: string;
    })
  | (Endpoints & {
      readonly issuer?: never;
      /** Authorization endpoint (RFC 6749 §3.1): absolute, https or loopback. */
      readonly authorizationEndpoint: string;
      /** Token endpoint (RFC 6749 §3.2): absolute, https or loopback. */
      readonly tokenEndpoint: string;
    });

/** Endpoints that the metadata tell, or nobody. */
interface Endpoints {
  /** Where tokens are revoked (RFC 7009). Default: what the metadata say. */
  readonly revocationEndpoint?: string;
  /** Where authorization requests are pushed to (RFC 9126). Default: what the metadata say. */
  readonly pushedAuthorizationRequestEndpoint?: string;
  /** Where people sign out of the server itself (OpenID Connect RP-Initiated Logout 1.0). Default: what the metadata say. */
  readonly endSessionEndpoint?: string;
}

/** Those that do not depend on each other. */
export interface AuthorizationCodeSettings extends GrantParametersOptions {
  /** Where the server sends people back to, exactly as it is registered: absolute, https, loopback or an app's own scheme. */
  readonly redirectUri: string;
  /**
   * Tokens obtained elsewhere: the default subject begins with them where the store holds none. What the store holds wins, and once they are used up or
   * signed out they do not come back for as long as this strategy object lives. A new one, in the next run of a program say, knows nothing of that: it
   * takes them up again wherever the store is empty, after a sign-out too. Give a command-line tool its initial tokens on the first run only. Default:
   * none.
   */
  readonly initialTokens?: InitialTokens;
  /** Where the token request departs from RFC 6749: JSON, other field names, more headers. Default: nowhere. */
  readonly tokenRequest?: TokenRequestOptions;
  /** Where the answer departs from it. Default: nowhere. */
  readonly tokenResponse?: TokenResponseOptions;
  /** Word before the token at the API. When given, a missing or other `token_type` is accepted. Default `'Bearer'`. */
  readonly scheme?: string;
  /** Where the tokens of all subjects are kept. Default: this strategy's memory. */
  readonly store?: TokenStore;
  /** Under which name, followed by the subject. Default: server, client, scope, audience, resource and parameters, as JSON. */
  readonly storeKey?: string;
  /** Whether a response other than 401 means that the token was rejected. Asked for status >= 400. Default: only 401 does. */
  readonly isRejected?: NonNullable<AuthStrategy<TokenSet>['isRejected']>;
  /** Sends token and metadata requests. Default: the platform's `fetch`, looked up at each use. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** In [0, 1): spreads refreshes and retries. Default `Math.random`. */
  readonly random?: () => number;
}

/** A token set, of which the access token is enough. */
export type InitialTokens = Omit<TokenSet, 'tokenType'> & { readonly tokenType?: string };

/** Every option, for whoever misspells one. */
export const OPTIONS: readonly string[] = [
  ...['issuer', 'authorizationEndpoint', 'tokenEndpoint', 'revocationEndpoint', 'pushedAuthorizationRequestEndpoint', 'endSessionEndpoint'],
  ...['clientId', 'clientSecret', 'clientAuthentication', 'privateKey', 'redirectUri', 'scope', 'audience', 'resource', 'parameters'],
  ...['initialTokens', 'tokenRequest', 'tokenResponse', 'scheme', 'store', 'storeKey', 'isRejected', 'fetch', 'now', 'random'],
];

/** Set by the authorization request itself, or by an option of it. */
const RESERVED =
  /^(?:response_type|redirect_uri|state|nonce|code_challenge(?:_method)?|request(?:_uri)?|prompt|login_hint|acr_values|max_age)$/;

/** The first parameter that is not free. */
export function reservedIn(parameters: Readonly<Record<string, unknown>> = {}): string | undefined {
  return Object.keys(parameters).find((name) => RESERVED.test(name));
}

/** What neither the token endpoint client nor the token manager looks at. @throws {ConfigurationError} */
export function checkSettings(options: AuthorizationCodeOptions, strategy: string): void {
  const fail = (option: string, must: string): never => {
    throw misuse(option, must, strategy);
  };
  const { issuer, authorizationEndpoint, tokenEndpoint, redirectUri, storeKey = 'key', store, initialTokens, parameters } = options;
  const scope = [options.scope ?? []].flat().flatMap((text) => `${text}`.split(/\s+/));
  if (issuer === undefined && scope.includes('openid')) fail('issuer', 'is needed with the scope `openid`: ID tokens are held against it');
  if ([issuer, authorizationEndpoint, tokenEndpoint].every((given) => given === undefined))
    fail('issuer', 'is missing: give it, or `authorizationEndpoint` and `tokenEndpoint`');
  if (issuer === undefined || (tokenEndpoint !== undefined && authorizationEndpoint === undefined)) {
    checkEndpoint(authorizationEndpoint, 'authorizationEndpoint', strategy);
  }
  const { revocationEndpoint, pushedAuthorizationRequestEndpoint, endSessionEndpoint } = options;
  const named = { authorizationEndpoint, revocationEndpoint, pushedAuthorizationRequestEndpoint, endSessionEndpoint };
  for (const [option, endpoint] of Object.entries(named)) if (endpoint !== undefined) checkEndpoint(endpoint, option, strategy);
  checkRedirectUri(redirectUri, strategy);
  const taken = reservedIn(parameters);
  if (taken) fail('parameters', `must be without ${taken}, which is not free: see the options`);
  if (typeof storeKey !== 'string' || !storeKey) fail('storeKey', 'must be text');
  if (store && !(['get', 'set', 'delete'] as const).every((method) => typeof store[method] === 'function'))
    fail('store', 'must be a TokenStore, such as memoryStore() or fileStore({ directory })');
  if (initialTokens !== undefined) checkInitialTokens(initialTokens, strategy);
  for (const option of ['isRejected', 'fetch', 'now', 'random'] as const) {
    if (!['function', 'undefined'].includes(typeof options[option])) fail(option, 'must be a function');
  }
}

function checkInitialTokens(tokens: InitialTokens, strategy: string): void {
  checkKnownKeys(tokens, TOKEN_MEMBERS, { option: 'initialTokens', strategy });
  const { accessToken, expiresAtMs, receivedAtMs, refreshToken = '', idToken = '', scope = '', tokenType = '' } = tokens;
  const isFit =
    /^[\x21-\x7e]+$/.test(`${accessToken}`) &&
    [accessToken, refreshToken, idToken, scope, tokenType].every((text) => typeof text === 'string') &&
    [expiresAtMs, receivedAtMs].every((time) => time === undefined || Number.isFinite(time));
  if (isFit) return;
  throw misuse('initialTokens', 'must hold an `accessToken` that a header can hold; the rest is text, and times are numbers', strategy);
}

const TOKEN_MEMBERS = ['accessToken', 'tokenType', 'refreshToken', 'expiresAtMs', 'receivedAtMs', 'scope', 'idToken'];

/** RFC 6749 §3.1.2, RFC 8252 §7. @throws {ConfigurationError} for what no server can send somebody to. */
export function checkRedirectUri(redirectUri: unknown, strategy: string): string {
  if (typeof redirectUri === 'string' && !/[\s#\\]/.test(redirectUri) && URL.canParse(redirectUri)) {
    const url = new URL(redirectUri);
    const isSafe = url.protocol === 'http:' ? isLoopback(url) : !UNFIT_SCHEME.test(url.protocol);
    if (isSafe && !url.username && !url.password) return redirectUri;
  }
  const must =
    "must be an absolute URI without fragment, as it is registered at the server: https, an app's own scheme, or http on loopback";
  throw misuse('redirectUri', must, strategy);
}

/** Nothing that a browser would run, show or open a socket for. */
const UNFIT_SCHEME = /^(?:javascript|data|file|blob|vbscript|about|ws|wss|ftp):$/;
