import type { RequestListener } from 'node:http';
import { type Answer, answerBytes } from './answer.ts';
import { type Auth0Client, defaultAuth0Client } from './auth0/auth0-client.ts';
import { AUTH0_ROUTES } from './auth0/auth0-routes.ts';
import { protectedApi } from './auth0/protected-api.ts';
import { extendServer } from './extend-server.ts';
import { type LoopbackServer, loopbackServer, type RouteHandler, type Routes, type ServerOptions } from './loopback-server.ts';
import { withAsciiSecret } from './oidc/ascii-secret.ts';
import { answerOfListener } from './oidc/node-listener.ts';
import { newSigningKey } from './oidc/signing-key.ts';
import { serverJournal } from './server-journal.ts';
import { type TokenLedger, tokenLedger } from './token-ledger.ts';

/** Options of {@link auth0Server}. `port` is the authorization server's; the API always has an ephemeral one. */
export interface Auth0ServerOptions extends ServerOptions {
  /** The applications that may ask for tokens. Default: one, which sends its secret in the form. */
  readonly clients?: readonly Auth0Client[];
  /** The API's identifier, an absolute URI. Default `'https://api.example.com/'`. */
  readonly audience?: string;
  /** Every scope of the API. Default `['read:messages', 'write:messages']`. */
  readonly apiScope?: readonly string[];
  /** How long an access token is valid, in whole seconds. Default 86400, as at Auth0. */
  readonly lifetimeSeconds?: number;
  /** Accept only the access token that was issued last. Default false. */
  readonly onlyNewestToken?: boolean;
}

/** A running Auth0 tenant with one API. Log, faults and failures are shared by both servers; `close()` closes both. */
export interface Auth0Server extends LoopbackServer {
  /** The authorization server's issuer identifier: its origin. */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly audience: string;
  /** The registered applications; the first is the default one unless others were given. */
  readonly clients: readonly Auth0Client[];
  /** The first application's. */
  readonly clientId: string;
  /** The first application's; `''` if it has a key instead. */
  readonly clientSecret: string;
  /** The API: a server and an origin of its own. */
  readonly api: LoopbackServer;
  /** The API's origin. */
  readonly apiUrl: string;
  /** How many access tokens were issued. */
  readonly issued: number;
  /** How many requests the token endpoint received, failed ones included, since the start or the last `clearRequests()`. */
  readonly tokenRequests: number;
  /** Every access token issued so far is refused by the API from now on, as expired. */
  expireTokens(): void;
  /** Every access token issued so far is refused by the API from now on, as revoked. */
  revokeTokens(): void;
}

/**
 * Starts a real, certified authorization server (oidc-provider) that looks like Auth0, and an API that verifies its tokens.
 *
 * `POST /oauth/token` (purpose `'token'`): client_credentials, form-encoded, with `audience` as at Auth0 or `resource` (RFC 8707).
 * Discovery and JWKS have the purposes `'discovery'` and `'jwks'`. The API (purpose `'api'`): `GET /api/public`, `/api/private`,
 * `/api/private-scoped`. Access tokens are RS256 JWTs (RFC 9068) signed with a key that is made at the start.
 * The injected clock rules the lifetime of access tokens; client assertions are checked by the machine's clock.
 */
export async function auth0Server(options: Auth0ServerOptions = {}): Promise<Auth0Server> {
  const { now = Date.now, lifetimeSeconds = 86_400, clients = [defaultAuth0Client()], audience = 'https://api.example.com/' } = options;
  const { apiScope = ['read:messages', 'write:messages'], onlyNewestToken, ...serverOptions } = options;
  const journal = serverJournal();
  const ledger = tokenLedger({ now, lifetimeSeconds, onlyNewestToken });
  const { signingKey, jwks } = await newSigningKey();
  // Loaded here, because oidc-provider takes longer to load than all else, and most tests need another server of this package.
  const { authorizationServer } = await import('./auth0/authorization-server.ts');
  const onFailure = (error: unknown) => void journal.failures.push(error);

  const server = await loopbackServer({
    ...serverOptions,
    journal,
    routes: (issuer) =>
      auth0Routes(authorizationServer({ issuer, clients, audience, apiScope, lifetimeSeconds, now, signingKey, onFailure }), ledger),
  });
  const apiRoutes = protectedApi({ issuer: server.origin, audience, jwks, ledger, now });
  const api = await loopbackServer({ ...serverOptions, port: 0, journal, routes: apiRoutes });
  const close = async () => void (await Promise.all([server.close(), api.close()]));
  const [first] = clients;

  return extendServer(server, {
    issuer: server.origin,
    tokenEndpoint: server.origin + AUTH0_ROUTES.token,
    audience,
    clients,
    clientId: first?.clientId ?? '',
    clientSecret: first !== undefined && 'clientSecret' in first ? first.clientSecret : '',
    api,
    apiUrl: api.origin,
    get openSockets() {
      return server.openSockets + api.openSockets;
    },
    get issued() {
      return ledger.issued;
    },
    get tokenRequests() {
      return journal.requests.filter(({ route }) => route === 'token').length;
    },
    expireTokens: ledger.expireTokens,
    revokeTokens: ledger.revokeTokens,
    close,
    [Symbol.asyncDispose]: close,
  });
}

function auth0Routes(listener: RequestListener, ledger: TokenLedger): Routes {
  const provider: RouteHandler = (request) => answerOfListener(listener, request);
  const token: RouteHandler = async (request) => {
    const answer = await answerOfListener(listener, withAsciiSecret(request));
    const accessToken = accessTokenOf(answer);
    if (accessToken !== undefined) ledger.record(accessToken);
    return answer;
  };
  return {
    [`POST ${AUTH0_ROUTES.token}`]: { purpose: 'token', handle: token },
    'GET /.well-known/openid-configuration': { purpose: 'discovery', handle: provider },
    'GET /.well-known/oauth-authorization-server': { purpose: 'discovery', handle: provider },
    [`GET ${AUTH0_ROUTES.jwks}`]: { purpose: 'jwks', handle: provider },
    '*': { purpose: 'unknown', handle: provider },
  };
}

function accessTokenOf(answer: Answer): string | undefined {
  if (answer.status !== 200) return undefined;
  const { access_token: accessToken } = JSON.parse(answerBytes(answer).toString('utf8')) as { readonly access_token?: unknown };
  return typeof accessToken === 'string' ? accessToken : undefined;
}
