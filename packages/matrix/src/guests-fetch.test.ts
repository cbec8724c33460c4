// Clients that take a `fetch`: openapi-fetch, ofetch, and wrappers of one's own. docs/guests.md says what to write. Over real sockets.
import { inspect } from 'node:util';
import { withAuth } from '@authseam/adapter-fetch';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthStrategy, createTokenManager, fromTokenSource, isAuthError, type WithAuthOptions } from '@authseam/core';
import { type EchoServer, type ExtraHorizonServer, echoServer, extraHorizonServer, findSecret, plantSecret } from '@authseam/testing';
import { createFetch, FetchError, ofetch } from 'ofetch';
import createClient, { type Middleware } from 'openapi-fetch';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

declare module 'ofetch' {
  interface FetchOptions {
    authStrategy?: AuthStrategy | false | undefined;
  }
}

/** One request of a test, in words that every guest has. */
interface GuestRequest {
  readonly method?: 'GET' | 'POST';
  readonly query?: Record<string, string>;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly authStrategy?: AuthStrategy | false;
}

interface Guest {
  readonly name: string;
  /** What it throws for an error of ours: ours as it is, or one of its own with ours as the cause. */
  readonly wraps: boolean;
  /** @param isHooked Its own hook adds a query parameter and a header to every request. */
  create(
    baseUrl: string,
    strategy: AuthStrategy,
    options?: WithAuthOptions & { isHooked?: boolean },
  ): (path: string, request?: GuestRequest) => Promise<{ status: number; data: unknown }>;
}

interface Endpoint {
  parameters: { query?: Record<string, string> };
  requestBody?: { content: { 'application/json': unknown } };
  responses: { 200: { content: { 'application/json': unknown } } };
}
type Paths = Record<string, { get: Endpoint; post: Endpoint }>;

const hooked: Middleware = {
  async onRequest({ request }) {
    const { method, headers, signal } = request;
    // Read, because `new Request(url, request)` would make a stream of the body.
    const body = method === 'GET' ? null : await request.text();
    const moved = new Request(`${request.url}${request.url.includes('?') ? '&' : '?'}late=it's`, { method, headers, signal, body });
    moved.headers.set('X-Late', '1');
    return moved;
  },
};

const guests: readonly Guest[] = [
  {
    name: 'openapi-fetch',
    wraps: false,
    create(baseUrl, strategy, { isHooked, ...options } = {}) {
      const api = withAuth(fetch, strategy, options);
      const client = createClient<Paths>({ baseUrl, fetch: api });
      if (isHooked) client.use(hooked);
      return async (path, { method = 'GET', query = {}, json, form, signal, authStrategy } = {}) => {
        const { data, error, response } = await client.request(method === 'GET' ? 'get' : 'post', path, {
          params: { query },
          body: form ?? json,
          ...(form && { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
          ...(signal && { signal }),
          ...(authStrategy !== undefined && { fetch: (request) => api(request, { authStrategy }) }),
        });
        return { status: response.status, data: data ?? error };
      };
    },
  },
  {
    name: 'ofetch',
    wraps: true,
    create(baseURL, strategy, { isHooked, ...options } = {}) {
      const client = createFetch({ fetch: withAuth(fetch, strategy, options), defaults: { baseURL, retry: 0 } });
      return async (path, { json, form, ...request } = {}) => {
        const response = await client.raw(path, {
          ...request,
          ...(form && { body: new URLSearchParams(form) }),
          ...(json !== undefined && { body: json as Record<string, unknown> }),
          ignoreResponseError: true,
          ...(isHooked && {
            onRequest({ options }) {
              options.query = { ...options.query, late: "it's" };
              options.headers.set('X-Late', '1');
            },
          }),
        });
        return { status: response.status, data: response._data };
      };
    },
  },
  {
    name: 'a got-like wrapper',
    wraps: false,
    create(baseUrl, strategy, { isHooked, ...options } = {}) {
      const extend = gotLike({ fetch: withAuth(fetch, strategy, options), prefixUrl: baseUrl });
      return extend(
        isHooked
          ? ({ url, headers }) => {
              url.searchParams.append('late', "it's");
              headers.set('X-Late', '1');
            }
          : undefined,
      );
    },
  },
];

/** As companies write them around whatever `fetch` they get: a prefix, a hook, another try after a 503 with what was sent before. */
function gotLike({ fetch, prefixUrl }: { fetch: typeof globalThis.fetch; prefixUrl: string }) {
  return (beforeRequest?: (request: { url: URL; headers: Headers }) => void) =>
    async (path: string, { query = {}, json, form, ...rest }: GuestRequest = {}) => {
      const url = new URL(prefixUrl + path);
      for (const pair of Object.entries(query)) url.searchParams.append(...pair);
      const headers = new Headers(json === undefined ? {} : { 'Content-Type': 'application/json' });
      beforeRequest?.({ url, headers });
      const body = form ? new URLSearchParams(form) : json === undefined ? null : JSON.stringify(json);
      const init = { ...rest, headers, body };
      let response = await fetch(url, init);
      for (let retries = 2; retries > 0 && response.status === 503; retries--) {
        await response.body?.cancel();
        response = await fetch(url, init);
      }
      const text = await response.text();
      return { status: response.status, data: text.startsWith('{') ? JSON.parse(text) : text };
    };
}

let server: EchoServer;
let other: EchoServer;
let signed: ExtraHorizonServer;
let verdictsBefore = 0;

beforeAll(async () => {
  [server, other, signed] = await Promise.all([echoServer(), echoServer(), extraHorizonServer()]);
});
beforeEach(() => {
  for (const each of [server, other, signed]) {
    each.clearRequests();
    each.clearFaults();
  }
  verdictsBefore = signed.verdicts.length;
});
afterAll(async () => {
  await Promise.all([server.close(), other.close(), signed.close()]);
});

/** Tokens t1, t2, … */
function rotatingTokens(): { strategy: AuthStrategy; count: () => number } {
  let count = 0;
  const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) });
  return { strategy: fromTokenSource(source, { name: 'tokens' }), count: () => count };
}

function acceptOnly(token: string): void {
  const when = ({ headers }: { headers: Readonly<Record<string, string>> }): boolean => headers['authorization'] !== `Bearer ${token}`;
  server.inject({ status: 401, body: { message: 'rejected' }, times: Number.POSITIVE_INFINITY, when });
}

function signer(more: { placement?: 'header' | 'query' | 'form' } = {}): AuthStrategy {
  const { consumerKey, consumerSecret, token, tokenSecret } = signed;
  return oauth1({ consumerKey, consumerSecret, token, tokenSecret, ...more });
}

/** That so many signatures were verified in this test, all of them right and none with a nonce that was there before. */
function expectSignatures(count: number): void {
  const verdicts = signed.verdicts.slice(verdictsBefore);
  expect(verdicts.map(({ refusal }) => refusal)).toEqual(Array.from({ length: count }));
  expect(new Set(verdicts.map(({ parameters }) => parameters['oauth_nonce'])).size).toBe(count);
}

async function errorOf(call: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return call.then(
    () => expect.unreachable('it was answered'),
    (error) => error,
  );
}

describe.each(guests)('$name', (guest) => {
  it.each([
    ['JSON', { json: { a: [1, 'é'] } }],
    ['a form', { form: { a: '1 +', b: 'é' } }],
  ])('after a 401 refreshes once and sends the same once more: %s', async (_, body) => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('t2');
    const call = guest.create(server.origin, strategy);
    expect(await call('/items', { method: 'POST', query: { q: 'a b' }, ...body })).toMatchObject({ status: 200 });
    const [first, second] = server.requests;
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer t1', 'Bearer t2']);
    expect(first!.body.length).toBeGreaterThan(0);
    expect(second!.body).toEqual(first!.body);
    expect(second!.url).toBe(first!.url);
    expect(second!.headers['content-type']).toBe(first!.headers['content-type']);
    expect(count()).toBe(2);
  });

  it('delivers the second 401 as any other, whole', async () => {
    acceptOnly('never');
    const answer = await guest.create(server.origin, rotatingTokens().strategy)('/items');
    expect(answer).toEqual({ status: 401, data: { message: 'rejected' } });
    expect(server.requests).toHaveLength(2);
  });

  it('sends one request without, or with another strategy', async () => {
    const call = guest.create(server.origin, apiKey({ key: 'default-key' }));
    await call('/a', { authStrategy: false });
    await call('/a', { authStrategy: apiKey({ key: 'other-key' }) });
    await call('/a');
    expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, 'other-key', 'default-key']);
  });

  describe('what is signed is what is sent', () => {
    it.each(['header', 'query', 'form'] as const)('after its own hook changed URL and headers: oauth1 in the %s', async (placement) => {
      const call = guest.create(signed.origin, signer({ placement }), { isHooked: true });
      const query = { 'a[]': '1 2', b: 'é&=+' };
      expect(await call('/echo/form', { method: 'POST', query, form: { c: '3 +', d: 'ü' } })).toMatchObject({ status: 200 });
      if (placement !== 'form') expect(await call('/echo/json', { method: 'POST', query, json: { e: 1 } })).toMatchObject({ status: 200 });
      expectSignatures(placement === 'form' ? 1 : 2);
      expect(signed.requests[0]!.headers['x-late']).toBe('1');
      expect(new URLSearchParams(signed.requests[0]!.query).get('late')).toBe("it's");
    });

    it('a query key goes behind what the hook has added, which stays as it was', async () => {
      const call = guest.create(server.origin, apiKey({ key: 'k&=+ é', in: 'query', name: 'api key' }), { isHooked: true });
      await call('/items', { query: { q: 'a b' } });
      await call('/items', { query: { q: 'a b' }, authStrategy: false });
      const [ours, bare] = server.requests;
      expect(ours!.query).toBe(`${bare!.query}&api%20key=k%26%3D%2B%20%C3%A9`);
    });
  });

  it('a redirect is signed anew at home, and takes nothing of ours abroad', async () => {
    const call = guest.create(signed.origin, signer());
    signed.inject({ at: '/echo/form', status: 307, headers: { Location: '/users/v1/me' } });
    expect(await call('/echo/form')).toMatchObject({ status: 200 });
    expectSignatures(1);
    const secret = plantSecret('key');
    const keyed = guest.create(server.origin, apiKey({ key: secret }));
    expect(await keyed('/redirect/302', { query: { to: `${other.origin}/abroad` } })).toMatchObject({ status: 200 });
    expect(server.requests[0]!.headers['x-api-key']).toBe(secret);
    expect(other.requests).toHaveLength(1);
    expect(findSecret(other.requests, [secret])).toEqual([]);
  });

  it('an abort ends the wait for a token, and nothing is sent', async () => {
    const controller = new AbortController();
    const never: AuthStrategy = { name: 'never', specVersion: 1, authorize: () => new Promise(() => {}) };
    const call = errorOf(guest.create(server.origin, never)('/items', { signal: controller.signal }));
    setTimeout(() => controller.abort(), 10);
    const error = await call;
    expect(guest.wraps ? error.cause : error).toMatchObject({ name: 'AbortError' });
    expect(server.requests).toEqual([]);
  });

  it('an error of ours arrives, and no error or answer shows a secret', async () => {
    const secret = plantSecret('token');
    let isDown = false;
    const fetchToken = () => {
      if (isDown) throw new Error('the vault is sealed');
      return { accessToken: secret, tokenType: 'Bearer' };
    };
    const call = guest.create(server.origin, fromTokenSource(createTokenManager({ key: 'test', fetchToken }), { name: 'tokens' }));
    server.inject({ status: 400 }); // not an echo, which shows it all
    const answer = await call('/items', { method: 'POST', json: { a: 1 } });
    expect(server.requests[0]!.headers['authorization']).toBe(`Bearer ${secret}`);
    server.inject({ reset: 'on-arrival' });
    const broken = await errorOf(call('/items'));
    expect(server.pendingFaults).toBe(0);
    isDown = true;
    server.inject({ status: 401 });
    const error = await errorOf(call('/items'));
    expect(guest.wraps ? error.cause : error).toSatisfy(isAuthError);
    expect(error.message).toContain('the vault is sealed');
    expect(findSecret([answer, broken, error], [secret])).toEqual([]);
    expect(inspect([answer, broken, error], { depth: Infinity, showHidden: true })).not.toContain(secret);
  });
});

describe('openapi-fetch', () => {
  it('hands `authStrategy` on, on the Request', async () => {
    const client = createClient<Paths>({ baseUrl: server.origin, fetch: withAuth(fetch, apiKey({ key: 'default-key' })) });
    await client.GET('/a', { authStrategy: false });
    await client.GET('/a', { authStrategy: apiKey({ key: 'other-key' }) });
    await client.GET('/a', {});
    await client.GET('/a', { fetch });
    expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, 'other-key', 'default-key', undefined]);
  });

  it('onResponse sees the answer after the replay, and no credential on the request', async () => {
    const seen: unknown[] = [];
    acceptOnly('t2');
    const client = createClient<Paths>({ baseUrl: server.origin, fetch: withAuth(fetch, rotatingTokens().strategy) });
    client.use({ onResponse: ({ request, response }) => void seen.push([response.status, request.headers.get('authorization')]) });
    await client.POST('/items', { body: { a: 1 } });
    expect(seen).toEqual([[200, null]]);
  });

  it("onError gets an error of ours, as openapi-fetch's own", async () => {
    const seen: unknown[] = [];
    const token = () => Promise.reject(new Error('the vault is sealed'));
    const client = createClient<Paths>({ baseUrl: server.origin, fetch: withAuth(fetch, bearerToken({ token })) });
    client.use({ onError: ({ error }) => void seen.push(error) });
    const error = await errorOf(client.GET('/items'));
    expect(seen).toEqual([error]);
    expect(error).toSatisfy(isAuthError);
  });

  it('middleware that says `new Request(url, request)` makes a stream of the body: it goes out once, and a form cannot be signed', async () => {
    const moved: Middleware = { onRequest: ({ request }) => new Request(`${request.url}?late=1`, request) };
    const { strategy, count } = rotatingTokens();
    acceptOnly('t2');
    const client = createClient<Paths>({ baseUrl: server.origin, fetch: withAuth(fetch, strategy) });
    const { response } = await client.POST('/items', { body: { a: 1 }, middleware: [moved] });
    expect([response.status, server.requests.length]).toEqual([401, 1]);
    expect((await client.GET('/items')).response.status).toBe(200);
    expect(count()).toBe(2);
    const signing = createClient<Paths>({ baseUrl: signed.origin, fetch: withAuth(fetch, signer()) });
    expect((await signing.POST('/echo/json', { body: { a: 1 }, middleware: [moved] })).response.status).toBe(200);
    expectSignatures(1);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const error = await errorOf(signing.POST('/echo/form', { body: { a: 1 }, headers, middleware: [moved] }));
    expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'body' });
    expect(signed.requests).toHaveLength(1);
  });
});

describe('ofetch', () => {
  const client = (strategy: AuthStrategy, baseURL = server.origin) => ofetch.create({ baseURL }, { fetch: withAuth(fetch, strategy) });

  it('retries with a signature of its own each time, and runs its hooks each time', async () => {
    let hooks = 0;
    signed.inject({ at: '/echo/json', status: 503, times: 2 });
    const onRequest = () => void hooks++;
    await client(signer(), signed.origin)('/echo/json', { method: 'POST', body: { a: 1 }, query: { q: "it's" }, retry: 2, onRequest });
    const nonces = signed.requests.map(({ headers }) => /oauth_nonce="([^"]+)"/.exec(headers['authorization'] ?? '')![1]);
    expect(new Set(nonces).size).toBe(3);
    expectSignatures(1); // the two that a 503 answered were not looked at
    expect(hooks).toBe(3);
  });

  it('a second 401 is a FetchError with status and data', async () => {
    acceptOnly('never');
    const error = await errorOf(client(rotatingTokens().strategy)('/items'));
    expect(error).toBeInstanceOf(FetchError);
    expect(error).toMatchObject({ status: 401, data: { message: 'rejected' } });
    expect(server.requests).toHaveLength(2);
  });

  it('with 401 among its own retries a standing one costs three requests and one refresh', async () => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('never');
    await errorOf(client(strategy)('/items', { retry: 1, retryStatusCodes: [401] }));
    expect([server.requests.length, count()]).toEqual([3, 2]);
  });

  it('repeats a GET once where the token cannot be had, unless `retry` is 0', async () => {
    let asked = 0;
    const token = () => {
      asked++;
      throw new Error('the vault is sealed');
    };
    const error = await errorOf(client(bearerToken({ token }))('/items'));
    expect(error.cause).toSatisfy(isAuthError);
    expect(asked).toBe(2);
    await errorOf(client(bearerToken({ token }))('/items', { retry: 0 }));
    expect(asked).toBe(3);
    expect(server.requests).toEqual([]);
  });

  it('`timeout` covers the wait for a token', async () => {
    const never: AuthStrategy = { name: 'never', specVersion: 1, authorize: () => new Promise(() => {}) };
    const error = await errorOf(client(never)('/items', { timeout: 20, retry: 0 }));
    expect(error.cause).toMatchObject({ name: 'TimeoutError' });
  });

  it('`native` is authorized as well', async () => {
    await client(apiKey({ key: 'k1' })).native(`${server.origin}/a`);
    expect(server.requests[0]!.headers['x-api-key']).toBe('k1');
  });
});

it('a got-like wrapper sends its init again: each try is signed anew, and the init stays as it was', async () => {
  const call = gotLike({ fetch: withAuth(fetch, signer()), prefixUrl: signed.origin })();
  signed.inject({ at: '/echo/json', status: 503, times: 2 });
  expect(await call('/echo/json', { method: 'POST', json: { a: 1 } })).toMatchObject({ status: 200 });
  expect(signed.requests.map(({ text }) => text)).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
  expect(new Set(signed.requests.map(({ headers }) => headers['authorization'])).size).toBe(3);
  expectSignatures(1);
});
