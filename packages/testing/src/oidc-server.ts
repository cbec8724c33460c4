import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { extendServer } from './extend-server.ts';
import { type LoopbackServer, loopbackServer, type Route, type RouteHandler, type Routes, type ServerOptions } from './loopback-server.ts';
import { withAsciiSecret } from './oidc/ascii-secret.ts';
import type { IssuedToken } from './oidc/code-provider.ts';
import { answerOfListener } from './oidc/node-listener.ts';
import { type OidcClient, webOrigins } from './oidc/oidc-client.ts';
import { newSigningKey } from './oidc/signing-key.ts';
import { type StepUp, subjectApi } from './oidc/subject-api.ts';
import { type TokenCounts, tokenCounts } from './oidc/token-counts.ts';
import { serverJournal } from './server-journal.ts';
import { tokenLedger } from './token-ledger.ts';

/** Options of {@link oidcServer}. `port` is the authorization server's; the API always has an ephemeral one. */
export interface OidcServerOptions extends ServerOptions {
  /** The registered applications. Default: `web-app` with a secret, `spa` and `native-app` without one. */
  readonly clients?: readonly OidcClient[];
  /** Who can sign in, by subject. Default `['alice', 'bob']`. */
  readonly users?: readonly string[];
  /** The API's identifier, an absolute URI: for `resource`, or `audience` as at Auth0. Default `'https://api.example.com/'`. */
  readonly audience?: string;
  /** Every scope of the API. Default `['read', 'write', 'admin']`. */
  readonly apiScope?: readonly string[];
  /** How long an access token is valid, in whole seconds. Default 3600. */
  readonly lifetimeSeconds?: number;
  /** Which sign-ins lead to a refresh token. `'offline_access'`: those with that scope and `prompt=consent`. Default `'always'`. */
  readonly refreshTokens?: 'always' | 'offline_access' | 'never';
  /** A refresh gives a new refresh token; the old one, used again, revokes the family. Default true. */
  readonly rotateRefreshToken?: boolean;
  /** RFC 9126. Default `'available'`. */
  readonly pushedAuthorizationRequests?: 'available' | 'required' | 'off';
  /** Accept only the access token that the subject was issued last. Default false. */
  readonly onlyNewestToken?: boolean;
  /** What `/api/transfer` wants of a sign-in. Default `{ acr: 'urn:example:acr:mfa', maxAgeSeconds: 300 }`. */
  readonly stepUp?: StepUp;
}

/** A running authorization server with one API. Log, faults and failures are shared by both servers; `close()` closes both. */
export interface OidcServer extends LoopbackServer, TokenCounts {
  /** The issuer identifier: the authorization server's origin. */
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  readonly audience: string;
  readonly clients: readonly OidcClient[];
  /** The first application's. */
  readonly clientId: string;
  /** The first application's; `''` if it has none. */
  readonly clientSecret: string;
  /** The first application's first. */
  readonly redirectUri: string;
  /** The API: a server and an origin of its own. */
  readonly api: LoopbackServer;
  /** The API's origin. */
  readonly apiUrl: string;
  /** How many access tokens were issued. */
  readonly issued: number;
  /** Whether any refresh token was used twice, for which all tokens of its sign-in are revoked. */
  readonly familyRevoked: boolean;
  /** Every access token issued so far is refused by the API from now on, as expired. */
  expireTokens(): void;
  /** Every access token issued so far is refused by the API from now on, as revoked. */
  revokeTokens(): void;
}

/**
 * Starts a real, certified authorization server (oidc-provider) for the authorization code flow, and an API that knows its tokens.
 *
 * PKCE with S256 is required of every client; `iss` is in every authorization response (RFC 9207); `response_mode` may be `query`,
 * `form_post` or `fragment`. Refresh tokens rotate, and one that is used twice, be it at once, revokes all tokens of its sign-in. Access
 * tokens are opaque, good for the API and for userinfo; with `resource` or `audience` they are RS256 JWTs (RFC 9068), for the API only.
 * A person signs in with {@link signIn}, or with a browser: there are no passwords.
 *
 * Purposes: `'authorization'`, `'token'`, `'revocation'`, `'par'`, `'userinfo'`, `'logout'`, `'discovery'`, `'jwks'`, `'interaction'` (the
 * login and consent pages) and `'preflight'`. The API (purpose `'api'`) has `/api/me`, `/api/admin` (scope `admin`) and `/api/transfer`
 * (step-up, RFC 9470), each with GET and POST. Pages of the origins of registered redirect URIs may call everything (CORS).
 *
 * The injected clock rules the lifetime of access tokens; codes, refresh tokens, sessions and ID tokens go by the machine's clock.
 */
export async function oidcServer(options: OidcServerOptions = {}): Promise<OidcServer> {
  const settings = withDefaults(options);
  const { now, clients, stepUp, lifetimeSeconds, onlyNewestToken } = settings;
  const journal = serverJournal();
  const ledger = tokenLedger({ now, lifetimeSeconds, onlyNewestToken });
  const tokens = new Map<string, IssuedToken>();
  let familyRevoked = false;
  const { signingKey } = await newSigningKey();
  // Loaded here, because oidc-provider takes longer to load than all else, and most tests need another server of this package.
  const { codeProvider } = await import('./oidc/code-provider.ts');
  const site = {
    signingKey,
    acrValues: ['urn:example:acr:password', stepUp.acr],
    onIssued(accessToken: string, token: IssuedToken) {
      tokens.set(accessToken, token);
      ledger.record(accessToken, token);
    },
    onFamilyRevoked: ledger.revokeFamily,
    onReuse() {
      familyRevoked = true;
    },
    onFailure: (error: unknown) => void journal.failures.push(error),
  };

  const server = await loopbackServer({
    ...options,
    journal,
    routes: (issuer) => providerRoutes(codeProvider({ ...settings, ...site, issuer })),
  });
  const origins = new Set(clients.flatMap(({ redirectUris }) => webOrigins(redirectUris)));
  const api = await loopbackServer({ ...options, port: 0, journal, routes: subjectApi({ tokens, ledger, stepUp, origins }) });
  const close = async () => void (await Promise.all([server.close(), api.close()]));
  const [first] = clients;

  return extendServer(extendServer(server, tokenCounts(journal.requests)), {
    issuer: server.origin,
    authorizationEndpoint: `${server.origin}/authorize`,
    tokenEndpoint: `${server.origin}/token`,
    revocationEndpoint: `${server.origin}/revoke`,
    audience: settings.audience,
    clients,
    clientId: first?.clientId ?? '',
    clientSecret: first !== undefined && 'clientSecret' in first ? first.clientSecret : '',
    redirectUri: first?.redirectUris[0] ?? '',
    api,
    apiUrl: api.origin,
    get openSockets() {
      return server.openSockets + api.openSockets;
    },
    get issued() {
      return ledger.issued;
    },
    get familyRevoked() {
      return familyRevoked;
    },
    expireTokens: ledger.expireTokens,
    revokeTokens: ledger.revokeTokens,
    close,
    [Symbol.asyncDispose]: close,
  });
}

type Settings = Required<Omit<OidcServerOptions, 'host' | 'port' | 'tls'>>;

function withDefaults(options: OidcServerOptions): Settings {
  return {
    now: Date.now,
    clients: defaultClients(),
    users: ['alice', 'bob'],
    audience: 'https://api.example.com/',
    apiScope: ['read', 'write', 'admin'],
    lifetimeSeconds: 3600,
    refreshTokens: 'always',
    rotateRefreshToken: true,
    pushedAuthorizationRequests: 'available',
    onlyNewestToken: false,
    stepUp: { acr: 'urn:example:acr:mfa', maxAgeSeconds: 300 },
    ...options,
  };
}

function defaultClients(): readonly OidcClient[] {
  return [
    {
      clientId: 'web-app',
      clientSecret: randomBytes(48).toString('base64url'),
      redirectUris: ['https://app.example/callback'],
      postLogoutRedirectUris: ['https://app.example/'],
    },
    { clientId: 'spa', clientAuthentication: 'none', redirectUris: ['https://spa.example/callback'] },
    {
      clientId: 'native-app',
      clientAuthentication: 'none',
      applicationType: 'native',
      redirectUris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'com.example.app:/callback'],
    },
  ];
}

function providerRoutes(listener: RequestListener): Routes {
  const handle: RouteHandler = (request) => answerOfListener(listener, request);
  const withSecret: RouteHandler = (request) => answerOfListener(listener, withAsciiSecret(request));
  const route = (purpose: string, handler: RouteHandler = handle): Route => ({ purpose, handle: handler });
  return {
    'GET /.well-known/openid-configuration': route('discovery'),
    'GET /.well-known/oauth-authorization-server': route('discovery'),
    'GET /jwks': route('jwks'),
    'GET /authorize': route('authorization'),
    'GET /interaction': route('interaction'),
    'POST /interaction': route('interaction'),
    'POST /par': route('par', withSecret),
    'POST /token': route('token', withSecret),
    'POST /revoke': route('revocation', withSecret),
    'GET /userinfo': route('userinfo'),
    'POST /userinfo': route('userinfo'),
    'GET /logout': route('logout'),
    'POST /logout/confirm': route('logout'),
    ...Object.fromEntries(['/token', '/revoke', '/par', '/userinfo'].map((path) => [`OPTIONS ${path}`, route('preflight')])),
    '*': route('unknown'),
  };
}
