import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { echoOf } from './echo-of.ts';
import { extendServer } from './extend-server.ts';
import { type LoopbackServer, loopbackServer, type RouteHandler, type ServerOptions } from './loopback-server.ts';
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
}

/** A running API of a typical SDK. */
export interface SdkServer extends LoopbackServer {
  /** The key that is valid now. */
  readonly apiKey: string;
  /** Refuses the old key from now on and returns the new one. */
  rotateKey(): string;
}

/**
 * Starts an API that wants a key. `GET /v1/me` says who calls; `GET`, `POST`, `PUT` and `DELETE` on `/v1/items` answer with an `Echo`.
 * Without a key, with a wrong one, or with several that differ: 401 and `{ "error": { "code", "message" } }`.
 */
export async function sdkServer(options: SdkServerOptions = {}): Promise<SdkServer> {
  let apiKey = options.apiKey ?? newKey();

  const guarded =
    (handle: RouteHandler): RouteHandler =>
    (request) => {
      const keys = presentedKeys(request, options);
      if (keys.length === 0) return unauthorized('missing_api_key', 'No API key was sent.');
      return keys.every((key) => key === apiKey) ? handle(request) : unauthorized('invalid_api_key', 'The API key is not valid.');
    };
  const items = guarded((request) => ({ status: request.method === 'POST' ? 201 : 200, body: echoOf(request) }));

  const server = await loopbackServer({
    ...options,
    routes: {
      'GET /v1/me': guarded(() => ({ body: { id: 'acct_1', name: 'Example account' } })),
      'GET /v1/items': items,
      'POST /v1/items': items,
      'PUT /v1/items': items,
      'DELETE /v1/items': items,
    },
  });
  return extendServer(server, {
    get apiKey() {
      return apiKey;
    },
    rotateKey() {
      apiKey = newKey();
      return apiKey;
    },
  });
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
