import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { echoOf } from './echo-of.ts';
import { extendServer } from './extend-server.ts';
import { type LoopbackServer, loopbackServer, type RouteHandler, type ServerOptions } from './loopback-server.ts';
import { CODE_FLOW_PATHS, type CodeFlow, codeFlow } from './oidc/code-flow.ts';
import { type TokenCounts, tokenCounts } from './oidc/token-counts.ts';
import type { ReceivedRequest } from './received-request.ts';

/** Where an API key may stand. */
export type ApiKeyPlace = 'header' | 'query' | 'cookie';

/** Options of {@link sdkServer}. */
export interface SdkServerOptions extends ServerOptions {
  /** The key that is valid at first. Default: a random one. */
  readonly apiKey?: string;
  /** Where a key is looked for. Default: all three. */
  readonly accepts?: readonly ApiKeyPlace[];
  /** Header name, any letter case. Default `'X-API-Key'`. */
  readonly headerName?: string;
  /** Default `'api_key'`. */
  readonly queryName?: string;
  /** Default `'api_key'`. */
  readonly cookieName?: string;
  /** The OAuth 2 side. */
  readonly oauth?: SdkOAuthOptions;
}

/** A running API of a typical SDK. */
export interface SdkServer extends LoopbackServer {
  /** The key that is valid now. */
  readonly apiKey: string;
  /** Its OAuth 2 side: the same server. */
  readonly oauth: SdkOAuth;
  /** Refuses the old key from now on and returns the new one. */
  rotateKey(): string;
}

/** Options of the OAuth 2 side of {@link sdkServer}. */
export interface SdkOAuthOptions {
  /** Default `'sdk-client'`. */
  readonly clientId?: string;
  /** By Basic or in the form; `false`: a public client. Default: a random one. */
  readonly clientSecret?: string | false;
  /** Exact, but for the port of http on a loopback address. Default `['https://app.example/callback', 'http://127.0.0.1/callback']`. */
  readonly redirectUris?: readonly string[];
  /** Who can sign in, by subject. Default `['alice', 'bob']`. */
  readonly users?: readonly string[];
  /** How long an access token is valid, in seconds. Default 3600. */
  readonly lifetimeSeconds?: number;
  /** A refresh gives a new refresh token; the old one, used again, revokes the family. Default true. */
  readonly rotateRefreshToken?: boolean;
  /** Accept only the access token that the subject was issued last. Default false. */
  readonly onlyNewestToken?: boolean;
}

/** The OAuth 2 side of an {@link SdkServer}. */
export interface SdkOAuth extends TokenCounts {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  readonly clientId: string;
  /** Empty for a public client. */
  readonly clientSecret: string;
  /** The first that is registered. */
  readonly redirectUri: string;
  /** How many access tokens were issued. */
  readonly issued: number;
  /** Whether a refresh token or a code was ever used twice, for which all tokens of its sign-in are revoked. */
  readonly familyRevoked: boolean;
  /** Every access token issued so far is refused from now on, as expired. */
  expireTokens(): void;
  /** Every access token issued so far is refused from now on, as revoked. */
  revokeTokens(): void;
}

/**
 * Starts an API that wants a key or an access token. `GET /v1/me` says who calls; `GET`, `POST`, `PUT` and `DELETE` on `/v1/items` answer
 * with an `Echo`. Without either, with a wrong one, or with several keys that differ: 401 and `{ "error": { "code", "message" } }`.
 * A Bearer token is looked at first, and no key makes up for a wrong one.
 *
 * Tokens come from the authorization code flow with PKCE (S256): `GET /oauth/authorize` (purpose `'authorization'`) shows one page, which
 * {@link signIn} or a person fills in; `POST /oauth/token` (`'token'`) exchanges codes and refreshes; `POST /oauth/revoke`
 * (`'revocation'`) takes either kind of token. There are no metadata, no `iss` and no ID tokens. Scopes: `read`, `write`,
 * `offline_access`; none is demanded.
 */
export async function sdkServer(options: SdkServerOptions = {}): Promise<SdkServer> {
  let apiKey = options.apiKey ?? newKey();
  const { desk, routes, client } = sdkCodeFlow(options);

  const guarded =
    (handle: (request: ReceivedRequest, account: Account) => Answer): RouteHandler =>
    (request) => {
      const token = bearerToken(request);
      if (token !== undefined) {
        const grant = desk.ledger.standing(token) === 'valid' ? desk.grantOf(token) : undefined;
        return grant === undefined ? invalidToken() : handle(request, accountOf(grant.subject));
      }
      const keys = presentedKeys(request, options);
      if (keys.length === 0) return unauthorized('missing_api_key', 'No API key was sent.');
      const isRight = keys.every((key) => key === apiKey);
      return isRight ? handle(request, ACCOUNT) : unauthorized('invalid_api_key', 'The API key is not valid.');
    };
  const items = guarded((request) => ({ status: request.method === 'POST' ? 201 : 200, body: echoOf(request) }));

  const server = await loopbackServer({
    ...options,
    routes: {
      'GET /v1/me': guarded((_request, account) => ({ body: account })),
      'GET /v1/items': items,
      'POST /v1/items': items,
      'PUT /v1/items': items,
      'DELETE /v1/items': items,
      ...routes,
    },
  });
  const oauth = extendServer(tokenCounts(server.requests), {
    ...client,
    authorizationEndpoint: server.origin + CODE_FLOW_PATHS.authorization,
    tokenEndpoint: server.origin + CODE_FLOW_PATHS.token,
    revocationEndpoint: server.origin + CODE_FLOW_PATHS.revocation,
    get issued() {
      return desk.ledger.issued;
    },
    get familyRevoked() {
      return desk.familyRevoked;
    },
    expireTokens: desk.ledger.expireTokens,
    revokeTokens: desk.ledger.revokeTokens,
  });
  return extendServer(server, {
    get apiKey() {
      return apiKey;
    },
    oauth,
    rotateKey() {
      apiKey = newKey();
      return apiKey;
    },
  });
}

function sdkCodeFlow({ oauth = {}, now = Date.now }: SdkServerOptions): CodeFlow & { readonly client: SdkClient } {
  const { clientId = 'sdk-client', clientSecret = randomBytes(24).toString('base64url') } = oauth;
  const { redirectUris = ['https://app.example/callback', 'http://127.0.0.1/callback'] } = oauth;
  const flow = codeFlow({
    now,
    users: ['alice', 'bob'],
    lifetimeSeconds: 3600,
    rotateRefreshToken: true,
    ...oauth,
    clientId,
    clientSecret: clientSecret === false ? undefined : clientSecret,
    redirectUris,
    scope: ['read', 'write', 'offline_access'],
  });
  return { ...flow, client: { clientId, clientSecret: clientSecret || '', redirectUri: redirectUris[0] ?? '' } };
}

type SdkClient = Pick<SdkOAuth, 'clientId' | 'clientSecret' | 'redirectUri'>;

interface Account {
  readonly id: string;
  readonly name: string;
}

/** Whose the API key is. */
const ACCOUNT: Account = { id: 'acct_1', name: 'Example account' };

function accountOf(subject: string): Account {
  return { id: subject, name: `${subject.charAt(0).toUpperCase()}${subject.slice(1)} Example` };
}

function bearerToken({ headers }: ReceivedRequest): string | undefined {
  const [, token] = /^bearer +(.*)$/i.exec(headers['authorization'] ?? '') ?? [];
  return token;
}

function invalidToken(): Answer {
  const challenge = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
  return { ...unauthorized('invalid_token', 'The access token is expired, revoked or unknown.'), headers: challenge };
}

function newKey(): string {
  return `sk_test_${randomBytes(16).toString('hex')}`;
}

function presentedKeys({ headers, query }: ReceivedRequest, options: SdkServerOptions): readonly string[] {
  const { accepts = ['header', 'query', 'cookie'], headerName = 'X-API-Key', queryName = 'api_key', cookieName = 'api_key' } = options;
  const found: Record<ApiKeyPlace, () => readonly (string | undefined)[]> = {
    header: () => [headers[headerName.toLowerCase()]],
    query: () => new URLSearchParams(query).getAll(queryName),
    cookie: () => cookieValues(headers['cookie'] ?? '', cookieName),
  };
  return accepts.flatMap((place) => found[place]()).filter((key) => key !== undefined);
}

function cookieValues(cookie: string, name: string): readonly string[] {
  const pairs = cookie.split(/; */).map((pair) => pair.split('='));
  return pairs.filter(([key]) => key === name).map(([, ...value]) => value.join('='));
}

function unauthorized(code: string, message: string): Answer {
  return { status: 401, body: { error: { code, message } } };
}
