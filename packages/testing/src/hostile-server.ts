import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { extendServer } from './extend-server.ts';
import { idTokenOf } from './hostile/id-tokens.ts';
import { callbackLies, filledError, type Lies } from './hostile/lies.ts';
import { type LoopbackServer, loopbackServer, type Route, type Routes, type ServerOptions } from './loopback-server.ts';
import { bearerTokenOf, invalidToken, STANDINGS } from './oidc/bearer-challenge.ts';
import { CODE_FLOW_PATHS, type CodeFlow, codeFlow } from './oidc/code-flow.ts';
import type { IssuedTokens } from './oidc/grant-desk.ts';
import { newSigningKey, type SigningKey } from './oidc/signing-key.ts';
import { type TokenCounts, tokenCounts } from './oidc/token-counts.ts';
import type { ReceivedRequest } from './received-request.ts';
import { serverJournal } from './server-journal.ts';

/** Options of {@link hostileAuthorizationServer}. `port` is the authorization server's; `elsewhere` has an ephemeral one. */
export interface HostileServerOptions extends ServerOptions {
  /** What it lies about at first. Default: nothing. */
  readonly lies?: Lies;
  /** Default `'hostile-client'`. */
  readonly clientId?: string;
  /** By Basic or in the form. Default: none, a public client. */
  readonly clientSecret?: string;
  /** Who can sign in, by subject. Default `['alice', 'bob']`. */
  readonly users?: readonly string[];
  /** How long an access token is valid, in seconds. Default 3600. */
  readonly lifetimeSeconds?: number;
  /** A refresh gives a new refresh token; the old one, used again, revokes the family. Default true. */
  readonly rotateRefreshToken?: boolean;
  /**
   * For how long a refresh token that was used gives the tokens that replaced it once more, in seconds, unless those were used too: many servers forgive
   * a client that a lost answer left with the old one. Default 0: the first reuse revokes the family.
   */
  readonly graceSeconds?: number;
}

/** A running server that lies. Log, faults and failures are shared with {@link HostileServer.elsewhere}; `close()` closes both. */
export interface HostileServer extends LoopbackServer, TokenCounts {
  /** Its true issuer identifier: its origin. */
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  readonly clientId: string;
  /** Empty for a public client. */
  readonly clientSecret: string;
  /** `GET /api/me`, on the same origin. */
  readonly apiUrl: string;
  /** Another origin, the attacker's: a wrong `iss`, and where redirects lead. What arrives there has the purpose `'elsewhere'`. */
  readonly elsewhere: LoopbackServer;
  /** How many access tokens were issued. */
  readonly issued: number;
  /** Every access and refresh token issued so far, told to the client or not: what {@link findSecret} may find nowhere. */
  readonly tokens: readonly string[];
  /** Whether a refresh token or a code was ever used twice, or was said to be. */
  readonly familyRevoked: boolean;
  /** Tells these lies from now on and no others: `lie({})` is the truth. */
  lie(lies: Lies): void;
  /** Holds back the answer to the next refresh, which is done nevertheless: what happens meanwhile happens during a refresh. */
  holdRefresh(): RefreshHold;
  /** Every access token issued so far is refused by the API from now on, as expired. */
  expireTokens(): void;
  /** Every access token issued so far is refused by the API from now on, as revoked. */
  revokeTokens(): void;
}

/** An answer to a refresh that is held back. */
export interface RefreshHold {
  /** Resolves when the refresh was done and its answer is waiting. */
  readonly arrived: Promise<void>;
  /** Sends the answer; called beforehand, the refresh is not held back at all. */
  release(): void;
}

/**
 * Starts a small authorization server that lies where it is told to (RFC 9700 §4): about its metadata, in callbacks, in ID tokens and
 * errors, about a refresh token's reuse, by sending requests elsewhere. Without lies it is an honest OpenID provider: code flow with PKCE,
 * `iss` (RFC 9207), RS256 ID tokens with `openid`, rotating refresh tokens, revocation. Any absolute redirect URI will do. A person signs
 * in with {@link signIn}.
 *
 * Purposes: `'discovery'`, `'jwks'`, `'authorization'`, `'token'`, `'revocation'`, `'api'` (`GET /api/me`), `'elsewhere'`. What it says is its lies;
 * how it answers, late, broken, malformed or not at all, is injected, as into every server of this package: {@link tokenFaults} has the common ones.
 *
 * @example
 * ```ts
 * import { hostileAuthorizationServer, tokenFaults } from '@authseam/testing';
 *
 * await using server = await hostileAuthorizationServer({ lies: { callback: { iss: 'missing' } }, graceSeconds: 30 });
 * server.inject(tokenFaults.answerLost); // the refresh token is rotated, and nobody is told
 * server.lie({ idToken: { claims: { nonce: 'of another sign-in' } } });
 * server.lie({ metadata: { code_challenge_methods_supported: ['plain'] } });
 * server.lie({ tokenError: { error: 'invalid_grant', error_description: '<b>{refresh_token}</b> is not valid' } });
 * ```
 */
export async function hostileAuthorizationServer(options: HostileServerOptions = {}): Promise<HostileServer> {
  const { clientId = 'hostile-client', clientSecret, now = Date.now } = options;
  let lies = options.lies ?? {};
  const journal = serverJournal();
  const keys = { published: madeOnce(newSigningKey), foreign: madeOnce(newSigningKey) };
  const elsewhere = await loopbackServer({
    ...options,
    port: 0,
    journal,
    routes: { '*': { purpose: 'elsewhere', handle: elsewhereAnswer } },
  });
  let flow: CodeFlow | undefined;
  const server = await loopbackServer({
    ...options,
    journal,
    routes(issuer) {
      const site: Site = { issuer, clientId, clientSecret, now, keys, elsewhere: elsewhere.origin, lies: () => lies };
      flow = lyingFlow(site, options);
      return hostileRoutes(site, flow);
    },
  });
  // `routes` has been called by now: the server listens.
  const { desk } = flow as CodeFlow;
  const close = async () => void (await Promise.all([server.close(), elsewhere.close()]));

  return extendServer(extendServer(server, tokenCounts(journal.requests)), {
    issuer: server.origin,
    authorizationEndpoint: server.origin + CODE_FLOW_PATHS.authorization,
    tokenEndpoint: server.origin + CODE_FLOW_PATHS.token,
    revocationEndpoint: server.origin + CODE_FLOW_PATHS.revocation,
    clientId,
    clientSecret: clientSecret ?? '',
    apiUrl: server.origin,
    elsewhere,
    get openSockets() {
      return server.openSockets + elsewhere.openSockets;
    },
    get issued() {
      return desk.ledger.issued;
    },
    get tokens() {
      return desk.tokens;
    },
    get familyRevoked() {
      return desk.familyRevoked;
    },
    lie(next: Lies) {
      lies = next;
    },
    holdRefresh: () => holdRefresh(server),
    expireTokens: desk.ledger.expireTokens,
    revokeTokens: desk.ledger.revokeTokens,
    close,
    [Symbol.asyncDispose]: close,
  });
}

interface Site {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly now: () => number;
  /** Made when somebody first asks for one: a key takes longer than all the rest of a test. */
  readonly keys: { readonly published: () => Promise<SigningKey>; readonly foreign: () => Promise<SigningKey> };
  /** Origin of the attacker's server. */
  readonly elsewhere: string;
  readonly lies: () => Lies;
}

function lyingFlow(
  site: Site,
  { users = ['alice', 'bob'], lifetimeSeconds = 3600, rotateRefreshToken = true, graceSeconds }: HostileServerOptions,
): CodeFlow {
  const { issuer, lies, elsewhere, clientId, clientSecret, now } = site;
  let newest = '';
  return codeFlow({
    clientId,
    clientSecret,
    now,
    users,
    lifetimeSeconds,
    rotateRefreshToken,
    graceSeconds,
    redirectUris: undefined,
    scope: ['openid', 'offline_access', 'profile', 'email', 'read', 'write'],
    callbackOf(truth) {
      const { callbackError } = lies();
      const { state, ...outcome } = truth;
      const told = callbackError === undefined ? outcome : filledError(callbackError, { ...truth, access_token: newest });
      const parameters = { ...told, ...(state === undefined ? {} : { state }), iss: issuer };
      return callbackLies(parameters, lies(), (name) => (name === 'iss' ? elsewhere : randomBytes(24).toString('base64url')));
    },
    interceptToken(form, desk) {
      const { tokenError, reportsReuse = false } = lies();
      const carried = { ...Object.fromEntries(form), access_token: newest };
      if (tokenError !== undefined) return { status: tokenError.status ?? 400, body: filledError(tokenError, carried) };
      if (!reportsReuse || !isRefresh(form)) return undefined;
      return { status: 400, body: desk.reportReuse(form.get('refresh_token') ?? '') };
    },
    async tokenAnswerOf(tokens, answer) {
      newest = tokens.accessToken;
      const idToken = await lyingIdToken(tokens, site);
      return idToken === undefined ? answer : { ...answer, id_token: idToken };
    },
  });
}

async function lyingIdToken({ grant, isRefreshed }: IssuedTokens, site: Site): Promise<string | undefined> {
  const { idToken: lie = {} } = site.lies();
  if (lie === 'missing' || !grant.scope.includes('openid')) return undefined;
  const { nonce, ...withoutNonce } = grant;
  return idTokenOf(isRefreshed || nonce === undefined ? withoutNonce : grant, lie, { ...site, ...site.keys });
}

function hostileRoutes(site: Site, { desk, routes }: CodeFlow): Routes {
  const discovery: Route = { purpose: 'discovery', handle: () => ({ body: metadataOf(site) }) };
  const me = (request: ReceivedRequest): Answer => {
    const bearer = bearerTokenOf(request);
    if ('refusal' in bearer) return bearer.refusal;
    const standing = desk.ledger.standing(bearer.token);
    if (standing !== 'valid') return invalidToken(STANDINGS[standing]);
    return { body: { sub: desk.grantOf(bearer.token)?.subject } };
  };
  const all: Routes = {
    ...routes,
    'GET /.well-known/openid-configuration': discovery,
    'GET /.well-known/oauth-authorization-server': discovery,
    'GET /jwks': { purpose: 'jwks', handle: async () => ({ body: (await site.keys.published()).jwks }) },
    'GET /api/me': me,
  };
  return Object.fromEntries(Object.entries(all as Record<string, Route>).map(([target, route]) => [target, unreliable(route, site)]));
}

function metadataOf({ issuer, lies }: Site): object {
  return {
    issuer,
    authorization_endpoint: issuer + CODE_FLOW_PATHS.authorization,
    token_endpoint: issuer + CODE_FLOW_PATHS.token,
    revocation_endpoint: issuer + CODE_FLOW_PATHS.revocation,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ...lies().metadata,
  };
}

/** A route that sends its requests elsewhere, or does not answer, while the lies say so. */
function unreliable(route: Route, { lies, elsewhere }: Site): Route {
  const { purpose, handle } = typeof route === 'function' ? { purpose: 'api', handle: route } : route;
  return {
    purpose,
    handle(request) {
      const { redirects = [], revocation } = lies();
      if (redirects.some((place) => place === purpose)) return { status: 307, headers: { Location: `${elsewhere}/${purpose}` } };
      if (purpose !== 'revocation' || revocation === undefined) return handle(request);
      // Never settled: the client leaves, or close() ends the socket.
      return revocation === 'stalls' ? new Promise<Answer>(() => undefined) : { status: 503, headers: { 'Retry-After': '1' } };
    },
  };
}

/** Answers like a server that is glad about what it was sent. */
function elsewhereAnswer(): Answer {
  return { body: { access_token: `at_of_elsewhere_${randomBytes(12).toString('hex')}`, token_type: 'Bearer', expires_in: 3600 } };
}

function madeOnce<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function isRefresh(form: URLSearchParams): boolean {
  return form.get('grant_type') === 'refresh_token';
}

function holdRefresh(server: LoopbackServer): RefreshHold {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  server.inject({
    at: 'token',
    when: ({ text }) => isRefresh(new URLSearchParams(text)),
    async transform(answer) {
      arrived.resolve();
      await released.promise;
      return answer;
    },
  });
  return Object.freeze({ arrived: arrived.promise, release: () => released.resolve() });
}
