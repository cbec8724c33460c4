import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { isDescriptiveUserAgent } from './descriptive-user-agent.ts';
import { echoOf } from './echo-of.ts';
import { extendServer } from './extend-server.ts';
import { type LoopbackServer, loopbackServer, type Route, type RouteHandler, type ServerOptions } from './loopback-server.ts';
import type { ReceivedRequest } from './received-request.ts';
import { type TokenLedger, type TokenStanding, tokenLedger } from './token-ledger.ts';

/** Options of {@link huvrServer}. */
export interface HuvrServerOptions extends ServerOptions {
  /** Default `'huvr-client'`. */
  readonly clientId?: string;
  /** Default: a random one. */
  readonly clientSecret?: string;
  /** How long a token is valid, in seconds. Default 3600, as at HUVR. */
  readonly lifetimeSeconds?: number;
  /** Accept only the access token that was issued last. Default false. */
  readonly onlyNewestToken?: boolean;
  /** The `token_type` of token answers. Default: the field is left out, as at HUVR. */
  readonly tokenType?: string;
  /** Whether token answers have `expires_in`. Default false, as at HUVR. */
  readonly includeExpiresIn?: boolean;
  /** Where token answers hold the token, a path such as `'data.token'`. Default `'access_token'`. */
  readonly accessTokenPath?: string;
}

/** A running HUVR. */
export interface HuvrServer extends LoopbackServer {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How many access tokens were issued. */
  readonly issued: number;
  /** How many requests the token endpoint received, failed ones included, since the start or the last `clearRequests()`. */
  readonly tokenRequests: number;
  /** Every token issued so far is refused from now on, as expired. */
  expireTokens(): void;
  /** Every token issued so far is refused from now on, as unknown. */
  revokeTokens(): void;
}

const TOKEN_PATH = '/api/auth/obtain-access-token/';

/**
 * Starts a server that behaves like HUVR: a JSON token endpoint without `grant_type`, `Authorization: Token <access_token>`, answers in the
 * manner of Django REST framework, and 403 for every request whose User-Agent is missing or only a library's default.
 *
 * `POST /api/auth/obtain-access-token/` (purpose `'token'`), then under purpose `'api'`: `GET /api/auth/user/` (who am I),
 * `GET /api/assets/` (a collection), `POST /api/assets/` (201 and an `Echo`).
 */
export async function huvrServer(options: HuvrServerOptions = {}): Promise<HuvrServer> {
  const { now = Date.now, lifetimeSeconds = 3600, clientId = 'huvr-client', onlyNewestToken } = options;
  const clientSecret = options.clientSecret ?? randomBytes(24).toString('base64url');
  const ledger = tokenLedger({ now, lifetimeSeconds, onlyNewestToken });
  const issue = () => {
    const accessToken = randomBytes(20).toString('hex');
    ledger.record(accessToken);
    return { body: tokenAnswer(accessToken, lifetimeSeconds, options) };
  };

  const server = await loopbackServer({
    ...options,
    routes: {
      [`POST ${TOKEN_PATH}`]: { purpose: 'token', handle: named((request) => refusal(request, clientId, clientSecret) ?? issue()) },
      'GET /api/auth/user/': guarded(ledger, () => ({ body: { id: 1, username: clientId, client_id: clientId } })),
      'GET /api/assets/': guarded(ledger, () => ({ body: { count: ASSETS.length, next: null, previous: null, results: ASSETS } })),
      'POST /api/assets/': guarded(ledger, (request) => ({ status: 201, body: echoOf(request) })),
      '*': { purpose: 'unknown', handle: named(() => ({ status: 404, body: { detail: 'Not found.' } })) },
    },
  });
  return extendServer(server, {
    tokenEndpoint: server.origin + TOKEN_PATH,
    clientId,
    clientSecret,
    get issued() {
      return ledger.issued;
    },
    get tokenRequests() {
      return server.requests.filter(({ route }) => route === 'token').length;
    },
    expireTokens: ledger.expireTokens,
    revokeTokens: ledger.revokeTokens,
  });
}

const ASSETS = [
  { id: 1, name: 'Turbine 7', asset_type: 'wind turbine' },
  { id: 2, name: 'Bridge 12', asset_type: 'bridge' },
] as const;

/** The rule that stands before all others: no descriptive User-Agent, no answer. */
function named(handle: RouteHandler): RouteHandler {
  const blocked: Answer = { status: 403, body: { detail: 'Requests without a descriptive User-Agent are blocked.' } };
  return (request) => (isDescriptiveUserAgent(request.headers['user-agent']) ? handle(request) : blocked);
}

function guarded(ledger: TokenLedger, handle: RouteHandler): Route {
  return named((request) => {
    const [scheme, token, ...more] = (request.headers['authorization'] ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'token') return unauthorized('Authentication credentials were not provided.');
    if (token === undefined || more.length > 0) return unauthorized('Invalid token header.');
    const standing = ledger.standing(token);
    return standing === 'valid' ? handle(request) : unauthorized(DETAILS[standing]);
  });
}

const DETAILS: Readonly<Record<Exclude<TokenStanding, 'valid'>, string>> = {
  expired: 'Token has expired.',
  revoked: 'Invalid token.',
  superseded: 'Invalid token.',
  unknown: 'Invalid token.',
};

function unauthorized(detail: string): Answer {
  return { status: 401, headers: { 'WWW-Authenticate': 'Token' }, body: { detail } };
}

/** What is wrong with a token request, as a Django REST framework serializer with exactly two fields says it. */
function refusal({ headers, text }: ReceivedRequest, clientId: string, clientSecret: string): Answer | undefined {
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') return badRequest({ detail: `Unsupported media type "${mediaType}" in request.` });
  const fields = parsedObject(text);
  if (fields === undefined) return badRequest({ detail: 'JSON parse error: an object was expected.' });
  const problems = { ...fieldProblems(fields, 'client_id'), ...fieldProblems(fields, 'client_secret') };
  const extra = Object.keys(fields).filter((name) => name !== 'client_id' && name !== 'client_secret');
  Object.assign(problems, Object.fromEntries(extra.map((name) => [name, ['Unexpected field.']])));
  if (Object.keys(problems).length > 0) return badRequest(problems);
  const isKnown = fields['client_id'] === clientId && fields['client_secret'] === clientSecret;
  return isKnown ? undefined : unauthorized('Incorrect authentication credentials.');
}

function parsedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function fieldProblems(fields: Readonly<Record<string, unknown>>, name: string): Record<string, readonly string[]> {
  const value = fields[name];
  if (value === undefined) return { [name]: ['This field is required.'] };
  if (typeof value !== 'string') return { [name]: ['Not a valid string.'] };
  return value === '' ? { [name]: ['This field may not be blank.'] } : {};
}

function badRequest(body: object): Answer {
  return { status: 400, body };
}

function tokenAnswer(accessToken: string, lifetimeSeconds: number, options: HuvrServerOptions): object {
  const { tokenType, includeExpiresIn = false, accessTokenPath = 'access_token' } = options;
  const nested = accessTokenPath.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), accessToken);
  return {
    ...(nested as object),
    ...(tokenType === undefined ? {} : { token_type: tokenType }),
    ...(includeExpiresIn ? { expires_in: lifetimeSeconds } : {}),
  };
}
