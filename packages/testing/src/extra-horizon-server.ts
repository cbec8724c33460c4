import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { echoOf } from './echo-of.ts';
import { extendServer } from './extend-server.ts';
import { errorAnswer } from './extra-horizon/refusal-answer.ts';
import { type OAuth1TokenPair, type SignatureDesk, type SignatureOptions, signatureDesk } from './extra-horizon/signature-desk.ts';
import { type ThreeLeggedOptions, threeLeggedRoutes, withoutToken } from './extra-horizon/three-legged.ts';
import { type ExtraHorizonUser, exampleUsers, selectUsers } from './extra-horizon/users.ts';
import { type LoopbackServer, loopbackServer, type Route, type Routes, type ServerOptions } from './loopback-server.ts';
import type { OAuth1Verdict } from './oauth1/oauth1-verifier.ts';
import { isForm } from './oauth1/signed-parameters.ts';
import type { ReceivedRequest } from './received-request.ts';

/** Options of {@link extraHorizonServer}. */
export interface ExtraHorizonServerOptions extends ServerOptions, SignatureOptions {
  /** Who can sign in. Default `'jane@example.com'`. */
  readonly email?: string;
  /** Default: a random one. */
  readonly password?: string;
  /** What the three-legged flow does. Default: all of it right. */
  readonly threeLegged?: ThreeLeggedOptions;
}

/** A running Extra Horizon. */
export interface ExtraHorizonServer extends LoopbackServer, OAuth1TokenPair {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  readonly email: string;
  readonly password: string;
  /** Where an e-mail address and a password are exchanged for a token. */
  readonly tokenEndpoint: string;
  readonly requestTokenEndpoint: string;
  readonly authorizationEndpoint: string;
  readonly accessTokenEndpoint: string;
  /** Who {@link OAuth1TokenPair} belongs to. */
  readonly user: ExtraHorizonUser;
  /** What the server made of each request that had to be signed, in order: a live list, with the base strings as the server reads them. */
  readonly verdicts: readonly OAuth1Verdict[];
  /** How many tokens were issued, the first one included. */
  readonly issued: number;
  /** How many requests the token endpoints received, failed ones included, since the start or the last `clearRequests()`. */
  readonly tokenRequests: number;
  /** A new token for the user, without a request. */
  issueToken(): OAuth1TokenPair;
  /** Every token issued so far is refused from now on, as expired. */
  expireTokens(): void;
  /** Every token issued so far is refused from now on, as unknown. */
  revokeTokens(): void;
}

const TOKEN_PATH = '/auth/v2/oauth1/tokens';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * Starts a server that behaves like Extra Horizon and verifies OAuth 1 signatures by RFC 5849: parameters in the header, the query or a form;
 * HMAC and RSA with SHA-1, SHA-256 and SHA-512, PLAINTEXT; body hashes; timestamps; each nonce once per consumer, token and timestamp.
 *
 * `POST /auth/v2/oauth1/tokens` (purpose `'token'`): JSON `{ email, password }`, signed with the consumer pair only. Under purpose `'api'`:
 * `GET /users/v1/me`; `GET /users/v1/?eq(firstName,Jane)&limit(10,0)`, RQL with `eq`, `in` and `limit`; `/echo/json` and `/echo/form` with
 * any method, which answer with an `Echo` and take no other kind of body. For the three-legged flow: `POST /oauth/initiate`
 * (`'temporary'`), `GET /oauth/authorize` (`'authorize'`; consents by itself), `POST /oauth/token` (`'token'`).
 *
 * The `token` and `tokenSecret` that it has at first are valid. Answers that a fault puts in place of its own carry the machine's `Date`.
 *
 * @example
 * ```ts
 * import { extraHorizonServer } from '@authseam/testing';
 *
 * await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'header' });
 * const answer = await fetch(`${server.origin}/users/v1/me`); // 400: nothing is signed
 * console.log(answer.headers.get('www-authenticate'), server.verdicts[0]?.refusal?.detail);
 * ```
 */
export async function extraHorizonServer(options: ExtraHorizonServerOptions = {}): Promise<ExtraHorizonServer> {
  const desk = signatureDesk(options);
  const { email = 'jane@example.com', password = randomBytes(12).toString('base64url') } = options;
  const users = exampleUsers(email);
  const first = desk.issueToken();
  const routes: Routes = {
    [`POST ${TOKEN_PATH}`]: {
      purpose: 'token',
      handle: desk.guarded(withoutToken, (request) => signIn(request, { email, password }, desk)),
    },
    ...apiRoutes(users, desk),
    ...threeLeggedRoutes(options.threeLegged ?? {}, { ...desk, parameters: { user_id: users[0].id } }),
    '*': {
      purpose: 'unknown',
      handle: ({ path }) => ({ status: 404, body: { code: 1, name: 'NOT_FOUND', message: `Nothing at ${path}.` } }),
    },
  };

  const server = await loopbackServer({ ...options, now: desk.now, routes: dated(routes, desk.now) });
  return extendServer(server, {
    ...first,
    consumerKey: desk.consumerKey,
    consumerSecret: desk.consumerSecret,
    email,
    password,
    tokenEndpoint: server.origin + TOKEN_PATH,
    requestTokenEndpoint: `${server.origin}/oauth/initiate`,
    authorizationEndpoint: `${server.origin}/oauth/authorize`,
    accessTokenEndpoint: `${server.origin}/oauth/token`,
    user: users[0],
    verdicts: desk.verdicts,
    get issued() {
      return desk.issued();
    },
    get tokenRequests() {
      return server.requests.filter(({ route }) => route === 'token').length;
    },
    issueToken: desk.issueToken,
    expireTokens: desk.expireTokens,
    revokeTokens: desk.revokeTokens,
  });
}

function apiRoutes(users: ReturnType<typeof exampleUsers>, desk: SignatureDesk): Routes {
  const list = desk.guarded(desk.userToken, ({ query }) => {
    const page = selectUsers(users, withoutProtocol(query));
    return page === undefined ? errorAnswer(400, 19, 'The RQL is not valid.') : { body: page };
  });
  const echo = (isOwn: (request: ReceivedRequest) => boolean) =>
    desk.guarded(desk.userToken, (request) =>
      request.body.length === 0 || isOwn(request) ? { body: echoOf(request) } : errorAnswer(400, 22, 'The body has another media type.'),
    );
  const echoes = { '/echo/json': echo(isJson), '/echo/form': echo(isForm) };
  return {
    'GET /users/v1/me': desk.guarded(desk.userToken, () => ({ body: users[0] })),
    'GET /users/v1': list,
    'GET /users/v1/': list,
    ...Object.fromEntries(Object.entries(echoes).flatMap(([path, handle]) => METHODS.map((method) => [`${method} ${path}`, handle]))),
  };
}

/** A query without the parameters of OAuth, for clients that put them there. */
function withoutProtocol(query: string): string {
  return query
    .split('&')
    .filter((term) => !term.startsWith('oauth_'))
    .join('&');
}

function isJson({ headers }: ReceivedRequest): boolean {
  return /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function signIn(request: ReceivedRequest, { email, password }: { email: string; password: string }, desk: SignatureDesk): Answer {
  if (request.body.length === 0) return errorAnswer(400, 13, 'The request body is empty.');
  const fields = isJson(request) ? parsedObject(request.text) : undefined;
  if (fields === undefined) return errorAnswer(400, 22, 'The request body is no JSON object.');
  if (!fields['email'] || !fields['password']) return errorAnswer(400, 14, 'email and password are required.');
  if (fields['email'] !== email || fields['password'] !== password)
    return errorAnswer(401, 106, 'This e-mail address and password do not match.');
  return { body: { id: randomBytes(12).toString('hex'), ...desk.issueToken() } };
}

function parsedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Routes whose answers have the `Date` of the server's own clock. */
function dated(routes: Routes, now: () => number): Routes {
  const withDate = (route: Route): Route => {
    const { purpose, handle } = typeof route === 'function' ? { purpose: 'api', handle: route } : route;
    return {
      purpose,
      handle: async (request) => {
        const answer = await handle(request);
        return { ...answer, headers: { Date: new Date(now()).toUTCString(), ...answer.headers } };
      },
    };
  };
  return Object.fromEntries(Object.entries(routes as Record<string, Route>).map(([target, route]) => [target, withDate(route)]));
}
