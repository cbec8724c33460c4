// What only the ky adapter has: ky's retry, timeouts, hooks, errors and shortcuts around ours, and its `fetch` option below.
import { withAuth } from '@authseam/adapter-ky';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { oauth1 } from '@authseam/auth-oauth1';
import {
  type AuthEvent,
  type AuthRequest,
  type AuthStrategy,
  byOrigin,
  createTokenManager,
  fromTokenSource,
  isAuthError,
} from '@authseam/core';
import { type EchoServer, echoServer, extraHorizonServer, findSecret, plantSecret } from '@authseam/testing';
import ky, { isHTTPError, isNetworkError, isTimeoutError, type Options } from 'ky';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { strategies } from './strategies.ts';

let server: EchoServer;
let other: EchoServer;

beforeAll(async () => {
  [server, other] = await Promise.all([echoServer(), echoServer()]);
});
beforeEach(() => {
  for (const each of [server, other]) {
    each.clearFaults();
    each.clearRequests();
  }
});
afterEach(() => {
  vi.unstubAllGlobals();
});
afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
});

const url = (path = '/items'): string => `${server.origin}${path}`;
const header = (name: string): (string | undefined)[] => server.requests.map(({ headers }) => headers[name]);
/** ky that repeats without a pause what it repeats. */
const eager = ky.create({ retry: { limit: 2, delay: () => 0 } });

const streamed = (body: ReadableStream): RequestInit => ({ method: 'POST', body, duplex: 'half' }) as RequestInit;

/** Tokens t1, t2, …, and how many were asked for. */
function rotating(): { strategy: AuthStrategy; count: () => number } {
  let count = 0;
  const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) });
  return { strategy: fromTokenSource(source, { name: 'tokens' }), count: () => count };
}

function acceptOnly(...tokens: string[]): void {
  server.inject({
    status: 401,
    body: { error: 'rejected' },
    times: Number.POSITIVE_INFINITY,
    when: ({ headers }) => !tokens.some((token) => headers['authorization'] === `Bearer ${token}`),
  });
}

/** A strategy that notes what it was shown. */
function witness(readsBody: 'none' | 'form' | 'bytes' = 'none'): { seen: AuthRequest[]; strategy: AuthStrategy } {
  const seen: AuthRequest[] = [];
  const authorize = (request: AuthRequest) => {
    seen.push(request);
    return { headers: { 'X-Seen': String(seen.length) } };
  };
  return { seen, strategy: { name: 'witness', specVersion: 1, readsBody, authorize } };
}

async function errorOf(call: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> {
  return call.then(
    () => expect.unreachable('it was accepted'),
    (error) => error,
  );
}

const bodies: Record<string, () => Options> = {
  json: () => ({ json: { a: [1, 'é'] } }),
  string: () => ({ body: 'text é' }),
  URLSearchParams: () => ({ body: new URLSearchParams([['a', '1 +']]) }),
  bytes: () => ({ body: new Uint8Array([0, 1, 250, 251]).subarray(1, 3) }),
  Blob: () => ({ body: new Blob(['blob'], { type: 'text/x-test' }) }),
  FormData: () => {
    const body = new FormData();
    body.set('file', new Blob(['content']), 'a.txt');
    return { body };
  },
};

describe('the `fetch` option', () => {
  it('is composed with the one that the user had, which sees what goes out and no `authStrategy`', async () => {
    const seen: { authorization: string | null; init: object | undefined }[] = [];
    const traced = ky.create({
      fetch: (input, init) => {
        seen.push({ authorization: new Request(input, init).headers.get('authorization'), init });
        return fetch(input, init);
      },
    });
    const api = withAuth(traced, bearerToken({ token: 'default-token' }));
    await api(url(), { priority: 'low' });
    await api(url(), { authStrategy: bearerToken({ token: 'other-token' }) });
    await api(url(), { authStrategy: false });
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer default-token', 'Bearer other-token', null]);
    expect(seen[0]?.init).toMatchObject({ priority: 'low' });
    for (const { init } of seen) expect(Object.keys(init ?? {})).not.toContain('authStrategy');
    expect(header('authorization')).toEqual(['Bearer default-token', 'Bearer other-token', undefined]);
  });

  it.each(Object.keys(bodies))(
    'of the user gets a Request each time, as from ky: also for a replay of %s and on a redirect',
    async (kind) => {
      acceptOnly('t2');
      const inputs: unknown[] = [];
      const plain = ky.create({
        // Says nothing of a second argument, as a test double or another server's handler would.
        fetch: (input) => {
          inputs.push(input);
          return fetch(input);
        },
      });
      await withAuth(plain, rotating().strategy).post(url('/redirect/308?to=/landed'), bodies[kind]!());
      expect(inputs.map((input) => input instanceof Request)).toEqual([true, true, true]);
      expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2']);
      const [first, ...rest] = server.requests;
      for (const { body, method, headers } of rest) {
        expect([body, method]).toEqual([first!.body, 'POST']);
        expect(headers['content-type']).toBe(first!.headers['content-type']);
      }
    },
  );

  it("is, without one of the user's, the global fetch of the moment, as in ky itself", async () => {
    const api = withAuth(ky, apiKey({ key: 'k' }));
    vi.stubGlobal('fetch', async () => new Response('stubbed'));
    expect(await api(url()).text()).toBe('stubbed');
  });

  it('that is set later takes the place of ours, unless it is composed', async () => {
    const api = withAuth(ky, apiKey({ key: 'k' }));
    let calls = 0;
    const counted = api.extend(({ fetch: parent }) => ({
      fetch: (input, init) => {
        calls += 1;
        return parent!(input, init);
      },
    }));
    await counted(url());
    await api.extend({ fetch })(url());
    await api(url(), { fetch });
    expect(header('x-api-key')).toEqual(['k', undefined, undefined]);
    expect(calls).toBe(1);
  });
});

describe('instances', () => {
  it('that extend ours are authorized, those that `create` makes are not', async () => {
    const api = withAuth(ky, apiKey({ key: 'k' }));
    const child = api.extend({ headers: { 'x-a': '1' } }).extend(() => ({ headers: { 'x-b': '2' } }));
    await child(url());
    await child.create({ headers: { 'x-c': '3' } })(url());
    expect(server.requests.map(({ headers }) => [headers['x-api-key'], headers['x-a'], headers['x-b'], headers['x-c']])).toEqual([
      ['k', '1', '2', undefined],
      [undefined, undefined, undefined, '3'],
    ]);
  });

  it.each([
    ['prefix', (origin: string) => ({ prefix: `${origin}/v1` }), '/v1/items'],
    ['baseUrl', (origin: string) => ({ baseUrl: `${origin}/v1/` }), '/v1/items'],
  ])('with a `%s` send credentials wherever the caller addresses a request, or to `origins`', async (_, at, path) => {
    const anywhere = withAuth(ky.create(at(server.origin)), apiKey({ key: 'k' }));
    await anywhere('items');
    await anywhere(new URL(`${other.origin}/items`));
    expect([server, other].map(({ requests }) => [requests[0]?.path, requests[0]?.headers['x-api-key']])).toEqual([
      [path, 'k'],
      ['/items', 'k'],
    ]);
    const limited = withAuth(ky.create(at(server.origin)), apiKey({ key: 'k' }), { origins: server.origin });
    await limited('items');
    await limited(new URL(`${other.origin}/items`));
    expect([server, other].map(({ requests }) => requests[1]?.headers['x-api-key'])).toEqual(['k', undefined]);
  });

  it('that are attached to twice send one credential', async () => {
    const first = withAuth(ky, apiKey({ key: 'first' }), { origins: server.origin });
    await withAuth(first, bearerToken({ token: 'second' }))(url());
    expect(server.requests.map(({ headers }) => [headers['x-api-key'], headers['authorization']])).toEqual([[undefined, 'Bearer second']]);
  });
});

describe('`authStrategy` of a request', () => {
  it('arrives as the object that it is, through shortcuts and `init` hooks: byOrigin keeps its origins', async () => {
    const events: AuthEvent[] = [];
    const init = vi.fn();
    const api = withAuth(ky, apiKey({ key: 'default-key' }), { onEvent: (event) => events.push(event) }).extend({
      hooks: { init: [init] },
    });
    const authStrategy = byOrigin({ [server.origin]: apiKey({ key: 'own-key' }) });
    await api.post(url(), { authStrategy, json: { a: 1 } });
    await api.get(`${other.origin}/items`, { authStrategy });
    expect([server, other].map(({ requests }) => requests[0]?.headers['x-api-key'])).toEqual(['own-key', undefined]);
    expect(events).toMatchObject([{ type: 'request-bare', strategy: 'byOrigin', reason: 'origin-not-allowed' }]);
    expect(init.mock.calls[0]?.[0].authStrategy).toBe(authStrategy);
  });

  it('can be chosen by an `init` hook', async () => {
    const choose = (options: Options): void => {
      if (options.context?.['isPublic']) options.authStrategy = false;
    };
    const api = withAuth(ky, apiKey({ key: 'k' })).extend({ hooks: { init: [choose] } });
    await api(url(), { context: { isPublic: true } });
    await api(url());
    expect(header('x-api-key')).toEqual([undefined, 'k']);
  });

  it('that is no strategy is a ConfigurationError, and nothing is sent', async () => {
    const api = withAuth(eager, apiKey({ key: 'k' }));
    for (const wrong of [null, true, {}]) {
      await expect(api(url(), { authStrategy: wrong as never })).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'strategy' });
    }
    expect(server.requests).toEqual([]);
  });
});

describe('a body', () => {
  const ways: Record<string, (options: Options) => readonly [string | Request, Options]> = {
    'as an option': (options) => [url(), options],
    'without retries': (options) => [url(), { ...options, retry: 0 }],
    'with searchParams': (options) => [url(), { ...options, searchParams: { q: '1' } }],
    'in a Request': ({ json, body }) => [new Request(url(), { method: 'POST', body: body ?? JSON.stringify(json) }), {}],
    'in a Request that a hook puts in its place': (options) => [
      url(),
      { ...options, hooks: { beforeRequest: [({ request }) => new Request(request, { headers: { 'x-hooked': '1' } })] } },
    ],
    'in a Request that a hook makes of another body': ({ json, body }) => [
      url(),
      { hooks: { beforeRequest: [() => new Request(url(), { method: 'POST', body: body ?? JSON.stringify(json) })] } },
    ],
  };
  const cases = Object.keys(ways).flatMap((way) => Object.keys(bodies).map((kind) => [kind, way] as const));

  it.each(cases)('of %s %s is sent again whole after a 401', async (kind, way) => {
    const { strategy } = rotating();
    acceptOnly('t2');
    const [input, options] = ways[way]!(bodies[kind]!());
    expect((await withAuth(ky, strategy).post(input, options)).status).toBe(200);
    const [first, second] = server.requests;
    expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2']);
    expect(first!.body.length).toBeGreaterThan(0);
    expect(second!.body).toEqual(first!.body);
    for (const name of ['content-type', 'content-length', 'x-hooked']) expect(second!.headers[name]).toBe(first!.headers[name]);
  });

  it.each(Object.keys(bodies))('of %s is shown to a strategy that signs it as it is sent, also on a retry of ky', async (kind) => {
    const { seen, strategy } = witness('bytes');
    server.inject({ status: 503 });
    await withAuth(eager, strategy).put(url(), bodies[kind]!());
    expect(server.requests).toHaveLength(2);
    for (const [index, { body, headers }] of server.requests.entries()) {
      expect(Buffer.from(seen[index]?.body ?? '')).toEqual(body);
      expect(seen[index]?.headers.get('content-type') ?? undefined).toBe(headers['content-type']);
    }
  });

  const once: Record<string, (options: Options) => Options> = {
    'a stream': (options) => ({ ...options, body: new Blob(['one shot']).stream() }),
    'a string with onUploadProgress, which makes a stream of it': (options) => ({
      ...options,
      body: 'one shot',
      onUploadProgress: () => {},
    }),
    'a stream that a hook puts in the place of a string': (options) => ({
      ...options,
      body: 'text',
      hooks: { beforeRequest: [({ request }) => new Request(request.url, streamed(new Blob(['one shot']).stream()))] },
    }),
  };
  const onceCases = Object.keys(once).flatMap((kind) => ([2, 0] as const).map((retry) => [kind, retry] as const));
  it.each(onceCases)('%s is sent once (retry: %i), whole; the recovery runs, so that the next call works', async (kind, retry) => {
    const events: AuthEvent[] = [];
    const { strategy, count } = rotating();
    acceptOnly('t2');
    const api = withAuth(ky, strategy, { onEvent: (event) => events.push(event) });
    await expect(api.post(url(), once[kind]!({ retry }))).rejects.toMatchObject({
      name: 'HTTPError',
      response: { status: 401 },
      data: { error: 'rejected' },
    });
    expect(server.requests.map(({ text }) => text)).toEqual(['one shot']);
    expect(events).toContainEqual({ type: 'replay-skipped', strategy: 'tokens', reason: 'body-not-replayable' });
    expect((await api(url())).status).toBe(200);
    expect(count()).toBe(2);
  });

  it('that ky keeps a copy of can be sent again by ky itself: `statusCodes: [401]` covers onUploadProgress', async () => {
    const { strategy } = rotating();
    acceptOnly('t2');
    const api = withAuth(eager, strategy).extend({ retry: { statusCodes: [401], methods: ['post'] } });
    expect((await api.post(url(), { body: 'again', onUploadProgress: () => {} })).status).toBe(200);
    expect(server.requests.map(({ text }) => text)).toEqual(['again', 'again']);
  });

  it('that is a stream cannot be signed: a ConfigurationError before anything is sent', async () => {
    const { strategy } = witness('bytes');
    const call = withAuth(eager, strategy).put(url(), { body: new Blob(['x']).stream() });
    await expect(call).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'body' });
    expect(server.requests).toEqual([]);
  });

  it('goes along on a redirect that asks for it', async () => {
    const response = await withAuth(ky, apiKey({ key: 'k' })).post(url('/redirect/307?to=/landed'), { json: { a: 1 } });
    expect(response).toMatchObject({ status: 200, redirected: true, url: url('/landed') });
    expect(server.requests.map(({ text }) => text)).toEqual(['{"a":1}', '{"a":1}']);
    expect(header('x-api-key')).toEqual(['k', 'k']);
  });
});

describe('a body where the runtime does not say what a Request was made of, as in Bun and Deno', () => {
  /** Takes any `mode` for any body. */
  class LaxRequest extends Request {
    constructor(input: string | URL | Request, { mode: _, ...init }: RequestInit = {}) {
      super(input, init);
    }
  }
  beforeEach(() => {
    vi.stubGlobal('Request', LaxRequest);
  });

  const late = new Blob(['of the hook']);
  const hooked = (makeRequest: (request: Request) => Request): Options => ({
    hooks: { beforeRequest: [({ request }) => makeRequest(request)] },
  });
  const hooks: Record<string, Options> = {
    'no hook': {},
    'no retries': { retry: 0 },
    'a hook that adds a header': hooked((request) => new Request(request, { headers: { 'x-hooked': '1' } })),
    'a hook with a body of its own': hooked(({ url: target }) => new Request(target, { method: 'POST', body: late })),
    'a hook with a stream': hooked(({ url: target }) => new Request(target, streamed(late.stream()))),
    'a hook that makes it a GET without a body': hooked(({ url: target }) => new Request(target)),
  };
  const known = ['json', 'string', 'URLSearchParams', 'bytes'];
  it.each(known.flatMap((kind) => Object.keys(hooks).map((hook) => [kind, hook] as const)))(
    '%s, %s: is sent again whole',
    async (kind, hook) => {
      acceptOnly('t2');
      const fetch = vi.fn(globalThis.fetch);
      const options = { ...bodies[kind]!(), ...hooks[hook]! };
      expect((await withAuth(ky.create({ fetch }), rotating().strategy).post(url(), options)).status).toBe(200);
      const [first, second] = server.requests;
      expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2']);
      expect(first!.text).toEqual(/own|stream/.test(hook) ? 'of the hook' : /without/.test(hook) ? '' : expect.stringMatching(/./s));
      expect(second!.body).toEqual(first!.body);
      for (const name of ['content-type', 'content-length', 'x-hooked']) expect(second!.headers[name]).toBe(first!.headers[name]);
      for (const [, init] of fetch.mock.calls) expect(Object.keys(init ?? {})).toEqual([]);
    },
  );

  it.each([
    ['Blob', bodies['Blob']!()],
    ['FormData', bodies['FormData']!()],
    ['stream', { body: late.stream() }],
    ['string with onUploadProgress', { body: 'text', onUploadProgress: () => {} }],
  ])('%s: is sent once, whole, and the next call works', async (_, options) => {
    acceptOnly('t2');
    const api = withAuth(ky, rotating().strategy);
    expect(await errorOf(api.post(url(), options))).toMatchObject({ response: { status: 401 } });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.body.length).toBeGreaterThan(0);
    expect((await api(url())).status).toBe(200);
  });

  it('is known as well where no `mode` is taken at all, as in workerd', async () => {
    const { Request: Platform } = globalThis;
    vi.stubGlobal(
      'Request',
      class extends Platform {
        constructor(input: string | URL | Request, init: RequestInit = {}) {
          if (init.mode !== undefined && init.mode !== 'cors') throw new TypeError('mode is not implemented');
          super(input, init);
        }
      },
    );
    acceptOnly('t2');
    expect((await withAuth(ky, rotating().strategy).post(url(), { body: 'text' })).status).toBe(200);
    expect(server.requests.map(({ text }) => text)).toEqual(['text', 'text']);
  });

  it('keeps what stands on the Request, retries of ky, other strategies, and one credential when attached to twice', async () => {
    server.inject({ status: 503 });
    const seen: Request[] = [];
    const traced = eager.create({
      retry: { limit: 1, delay: () => 0, methods: ['post'] },
      fetch: (input, init) => {
        seen.push(input as Request);
        return fetch(input, init);
      },
    });
    const api = withAuth(withAuth(traced, apiKey({ key: 'first' })), apiKey({ key: 'second' }));
    const authStrategy = bearerToken({ token: 'other' });
    await api.post(url(), { json: { a: 1 }, credentials: 'omit', keepalive: true, headers: { 'x-a': '1' }, authStrategy });
    expect(server.requests).toHaveLength(2);
    for (const { text, headers } of server.requests) {
      expect(text).toBe('{"a":1}');
      expect(headers).toMatchObject({ 'x-a': '1', 'content-type': 'application/json', authorization: 'Bearer other' });
      expect(headers['x-api-key']).toBeUndefined();
    }
    expect(seen.map(({ credentials, keepalive }) => [credentials, keepalive])).toEqual([
      ['omit', true],
      ['omit', true],
    ]);
  });
});

// Node 22 cannot send bytes on along a redirect that fetch follows itself; what was no bytes at first must not fail there.
describe.each(['none', 'bytes'] as const)('a body on a chain of redirects that leaves the origin, with readsBody: %s', (readsBody) => {
  it.each(Object.keys(bodies).filter((kind) => kind !== 'bytes'))('is sent on to its end: %s', async (kind) => {
    const back = encodeURIComponent(url('/back'));
    const away = encodeURIComponent(`${other.origin}/redirect/307?to=${back}`);
    const api = withAuth(ky, witness(readsBody).strategy);
    const response = await api.post(url(`/redirect/307?to=${away}`), { ...bodies[kind]!(), retry: 0 });
    expect(response).toMatchObject({ status: 200, redirected: true, url: url('/back') });
    expect(header('x-seen')).toEqual(['1', undefined]);
    const [first, last] = server.requests;
    expect(last!.body).toEqual(first!.body);
    for (const name of ['content-type', 'content-length']) expect(last!.headers[name]).toBe(first!.headers[name]);
  });
});

describe("ky's retry", () => {
  it('signs every attempt anew: no nonce is used twice', async () => {
    await using horizon = await extraHorizonServer();
    const { consumerKey, consumerSecret, token, tokenSecret, origin } = horizon;
    horizon.inject({ at: 'api', transform: () => ({ status: 503 }), times: 2 });
    const api = withAuth(eager, oauth1({ consumerKey, consumerSecret, token, tokenSecret }));
    expect((await api(`${origin}/users/v1/me`)).status).toBe(200);
    const nonces = horizon.verdicts.map(({ refusal, parameters }) => refusal ?? parameters['oauth_nonce']);
    expect(nonces).toHaveLength(3);
    expect(new Set(nonces).size).toBe(3);
    expect(nonces.every((nonce) => typeof nonce === 'string')).toBe(true);
  });

  it('repeats what broke on the way, with a credential of its own for each attempt', async () => {
    const { strategy } = witness();
    server.inject({ reset: 'on-arrival', times: 2 });
    expect((await withAuth(eager, strategy)(url())).status).toBe(200);
    expect(header('x-seen').at(-1)).toBe('3');
  });

  it('that is forced with `ky.retry()` is authorized as well, also with another Request', async () => {
    const { strategy, seen } = witness();
    const again = vi
      .fn()
      .mockReturnValueOnce(ky.retry())
      .mockReturnValueOnce(ky.retry({ request: new Request(url('/else')) }));
    const api = withAuth(eager, strategy).extend({ hooks: { afterResponse: [again] } });
    expect((await api(url())).status).toBe(200);
    expect(header('x-seen')).toEqual(['1', '2', '3']);
    expect(seen.map((request) => request.url)).toEqual([url(), url(), url('/else')]);
  });

  it('of 401 comes after ours, and does not fetch a token per attempt', async () => {
    const { strategy, count } = rotating();
    acceptOnly('never');
    const api = withAuth(eager, strategy).extend({ retry: { statusCodes: [401] } });
    expect(await errorOf(api(url()))).toMatchObject({ name: 'HTTPError', response: { status: 401 } });
    expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t2']);
    expect(count()).toBe(2);
  });

  it.each([
    ['a ConfigurationError', (): AuthStrategy => apiKey({ key: () => '' }), {}],
    ['an error of the strategy', () => bearerToken({ token: () => Promise.reject(new TypeError('fetch failed')) }), {}],
    ['a timeout of ours', () => bearerToken({ token: () => new Promise<string>(() => {}) }), { timeoutMs: 10 }],
    [
      'a token endpoint that is down',
      () =>
        clientCredentials({
          tokenEndpoint: 'https://login.example.com/token',
          clientId: 'matrix',
          clientSecret: 'not-under-test',
          random: () => 0,
          fetch: () => Promise.reject(new TypeError('fetch failed')),
        }),
      {},
    ],
  ])('does not repeat %s, which reaches hooks and caller as it is', async (_, create, options) => {
    const strategy = create();
    const authorize = vi.fn(strategy.authorize);
    const beforeRetry = vi.fn();
    const beforeError = vi.fn(({ error }) => error);
    const api = withAuth(eager, { ...strategy, authorize }, options).extend({
      hooks: { beforeRetry: [beforeRetry], beforeError: [beforeError] },
    });
    const error = await errorOf(api(url()));
    expect(isAuthError(error)).toBe(true);
    expect(beforeError.mock.calls[0]?.[0].error).toBe(error);
    expect(authorize).toHaveBeenCalledTimes(1);
    expect(beforeRetry).not.toHaveBeenCalled();
    expect(server.requests).toEqual([]);
  });
});

describe('waiting for a token', () => {
  /** A token that comes when it is told to. */
  function late(): { strategy: AuthStrategy; asked: () => boolean; arrive: () => void } {
    const { promise, resolve } = Promise.withResolvers<string>();
    let isAsked = false;
    const token = (): Promise<string> => {
      isAsked = true;
      return promise;
    };
    return { strategy: bearerToken({ token }), asked: () => isAsked, arrive: () => resolve('late') };
  }

  it.each([
    ['timeout', { timeout: 100 }],
    ['totalTimeout', { timeout: false, totalTimeout: 100 }],
  ] as const)("is covered by ky's `%s`, and nothing is sent when the token comes after all", async (_, options) => {
    const { strategy, asked, arrive } = late();
    const error = await errorOf(withAuth(eager, strategy)(url(), options));
    expect(isTimeoutError(error)).toBe(true);
    expect(asked()).toBe(true);
    arrive();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests).toEqual([]);
  });

  it("ends with the caller's own reason on an abort, and nothing is sent later", async () => {
    const { strategy, asked, arrive } = late();
    const controller = new AbortController();
    const reason = new Error('user left');
    const call = errorOf(withAuth(eager, strategy)(url(), { signal: controller.signal }));
    await expect.poll(asked).toBe(true);
    controller.abort(reason);
    expect(await call).toBe(reason);
    arrive();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests).toEqual([]);
  });
});

describe('hooks', () => {
  it('that set the same header win, with an event and no recovery', async () => {
    const events: AuthEvent[] = [];
    const { strategy, count } = rotating();
    acceptOnly('never');
    const api = withAuth(ky, strategy, { onEvent: (event) => events.push(event) }).extend({
      hooks: { beforeRequest: [({ request }) => request.headers.set('authorization', 'Mine 1')] },
    });
    expect(await errorOf(api(url()))).toMatchObject({ name: 'HTTPError' });
    expect(header('authorization')).toEqual(['Mine 1']);
    expect(events.filter(({ strategy: name }) => name === 'tokens')).toMatchObject([
      { type: 'credential-conflict', name: 'Authorization' },
    ]);
    expect(count()).toBe(1);
  });

  it('that change the URL or the headers do so before anything is signed', async () => {
    await using horizon = await extraHorizonServer();
    const { consumerKey, consumerSecret, token, tokenSecret, origin } = horizon;
    const api = withAuth(
      ky.create({ prefix: origin, searchParams: { a: "it's" } }),
      oauth1({ consumerKey, consumerSecret, token, tokenSecret }),
    );
    const moved = api.extend({ hooks: { beforeRequest: [({ request }) => new Request(`${request.url}&late=1+%2B`, request)] } });
    expect((await moved('users/v1/me')).status).toBe(200);
    expect(horizon.verdicts.map(({ refusal }) => refusal)).toEqual([undefined]);
    expect(horizon.requests[0]?.query).toBe('a=it%27s&late=1+%2B');
  });

  it('see the answer to the replay and not the rejection before it, and no credential on the request', async () => {
    const { strategy } = rotating();
    acceptOnly('t2');
    const seen: [number, string | null][] = [];
    const api = withAuth(ky, strategy).extend({
      hooks: { afterResponse: [({ request, response }) => void seen.push([response.status, request.headers.get('authorization')])] },
    });
    await api(url());
    expect(seen).toEqual([[200, null]]);
  });

  it('that answer themselves ask nobody for a credential', async () => {
    const api = withAuth(ky, apiKey({ key: () => expect.unreachable() }));
    const cached = api.extend({ hooks: { beforeRequest: [() => new Response('cached')] } });
    expect(await cached(url()).text()).toBe('cached');
    expect(server.requests).toEqual([]);
  });
});

describe('a second rejection', () => {
  it('is the HTTPError that ky makes of it', async () => {
    acceptOnly('never');
    const error = await errorOf(withAuth(ky, rotating().strategy).post(url(), { json: {} }));
    expect(isHTTPError(error)).toBe(true);
    expect(error).toMatchObject({ response: { status: 401 }, data: { error: 'rejected' }, request: { url: url(), method: 'POST' } });
    expect(server.requests).toHaveLength(2);
  });

  it('is the response with `throwHttpErrors: false`', async () => {
    acceptOnly('never');
    const response = await withAuth(ky, rotating().strategy)(url(), { throwHttpErrors: false });
    expect([response.status, await response.json()]).toEqual([401, { error: 'rejected' }]);
  });
});

describe("ky's errors show no credential", () => {
  const ways: Record<string, () => void> = {
    HTTPError: () => server.inject({ status: 401, times: 10 }),
    NetworkError: () => server.inject({ reset: 'before-headers', times: 10 }),
    TimeoutError: () => server.inject({ stall: 'before-headers', times: 10 }),
  };
  const cases = strategies.flatMap(({ name }) => Object.keys(ways).map((way) => [way, name] as const));

  it.each(cases)('%s, %s', async (way, name) => {
    const { strategy, secrets } = strategies.find((each) => each.name === name)!.create();
    ways[way]!();
    for (const { method, authStrategy } of [{ method: 'GET' }, { method: 'POST', authStrategy: strategy }] as Options[]) {
      const api = withAuth(eager, authStrategy ? apiKey({ key: 'not-used' }) : strategy);
      const options = {
        method: method!,
        ...(way === 'TimeoutError' && { timeout: 60 }),
        context: { a: 1 },
        ...(authStrategy && { authStrategy, body: new URLSearchParams('a=1') }),
      };
      const error = await errorOf(api(url(), options));
      expect(error.name).toBe(way);
      if (way !== 'TimeoutError') expect(server.requests.length).toBeGreaterThan(0);
      // A key in the query shows in the URL that was fetched, and nowhere else.
      if (name.endsWith('query')) delete error['response'];
      expect(findSecret(error, secrets)).toEqual([]);
    }
  });

  it('but a secret that stands on the request is found: the search works', async () => {
    const secret = plantSecret('caller');
    server.inject({ status: 401 });
    const error = await errorOf(withAuth(ky, apiKey({ key: 'k' }))(url(), { headers: { 'x-own': secret } }));
    expect(findSecret(error, [secret])).not.toEqual([]);
  });
});

describe('shortcuts', () => {
  it('set the Accept header, read the body and check it, as without us', async () => {
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value: { checked: value } }) } };
    const api = withAuth(ky, rotating().strategy);
    acceptOnly('t2');
    expect(await api(url()).json(schema)).toMatchObject({ checked: { method: 'GET' } });
    expect(header('accept')).toEqual(['application/json', 'application/json']);
  });

  it('and progress of the download, `keepalive` and other settings of fetch arrive', async () => {
    const progress: number[] = [];
    const init: (RequestInit | undefined)[] = [];
    const traced = ky.create({
      fetch: (input, given) => {
        const { keepalive, credentials, mode } = new Request(input instanceof Request ? input.clone() : input, given);
        init.push({ keepalive, credentials, mode });
        return fetch(input, given);
      },
    });
    acceptOnly('t2');
    const settings = { keepalive: true, credentials: 'omit', mode: 'same-origin' } as const;
    const response = await withAuth(traced, rotating().strategy).post(url(), {
      ...settings,
      json: {},
      onDownloadProgress: ({ percent }) => progress.push(percent),
    });
    expect(await response.json()).toMatchObject({ method: 'POST' });
    expect(progress.at(-1)).toBe(1);
    expect(init).toEqual([settings, settings]);
  });

  it('refuse a user name in the URL before we see it: ky cannot make a Request of it', async () => {
    const api = withAuth(ky, apiKey({ key: () => expect.unreachable() }));
    expect(() => api(url().replace('//', '//user:pw@'))).toThrow(TypeError);
  });
});

it('a broken connection is a NetworkError of ky, after its retries', async () => {
  server.inject({ reset: 'on-arrival', times: Number.POSITIVE_INFINITY });
  const { strategy, seen } = witness();
  const error = await errorOf(withAuth(eager, strategy)(url()));
  expect(isNetworkError(error)).toBe(true);
  expect(seen).toHaveLength(3);
});
