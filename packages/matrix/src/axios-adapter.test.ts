// What only the axios adapter has: axios's own ways to say what to send and how to fail, each held against bare axios.
import { once } from 'node:events';
import { Agent, createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { attachAuth } from '@authseam/adapter-axios';
import { apiKey, basic, bearerToken } from '@authseam/auth-api-key';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthEvent, type AuthStrategy, byOrigin, createTokenManager, fromTokenSource, type WithAuthOptions } from '@authseam/core';
import { type EchoServer, echoServer, findSecret, plantSecret } from '@authseam/testing';
import axios, { type AxiosInstance, type AxiosRequestConfig, isAxiosError, isCancel } from 'axios';
import PackageFormData from 'form-data';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

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
afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
});

const lateToken = (): AuthStrategy => bearerToken({ token: async () => 'late' });
const queryKey = (): AuthStrategy => apiKey({ key: 'k', in: 'query', name: 'key' });
const header = (name: string): (string | undefined)[] => server.requests.map(({ headers }) => headers[name]);

/** Tokens t1, t2, …, and a server that accepts all but the first. */
function rotatingTokens(): AuthStrategy {
  let count = 0;
  return fromTokenSource(createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) }), {
    name: 'tokens',
  });
}

function rejectFirstToken(fault: { body?: string } = {}): void {
  server.inject({
    status: 401,
    body: 'rejected',
    ...fault,
    times: Number.POSITIVE_INFINITY,
    when: ({ headers }) => headers['authorization'] === 'Bearer t1',
  });
}

/** Reports every failure as a value. */
const failure = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );

describe.each(['http', 'fetch'] as const)('the %s adapter', (adapter) => {
  function attached(strategy: AuthStrategy, config: AxiosRequestConfig = {}, options?: WithAuthOptions): AxiosInstance {
    const instance = axios.create({ baseURL: server.origin, adapter, ...config });
    attachAuth(instance, strategy, options);
    return instance;
  }

  describe('the URL that is signed', () => {
    const urls: readonly (readonly [string, AxiosRequestConfig])[] = [
      ['params with arrays and nested objects', { url: '/i', params: { a: [1, 'é'], b: { c: 'x y', d: [true] }, "it's": "[|]'" } }],
      ['a query and params', { url: '/i?x=1', params: { y: '2' } }],
      [
        'URLSearchParams',
        {
          url: '/i',
          params: new URLSearchParams([
            ['a', '1 +'],
            ['a', 'é'],
          ]),
        },
      ],
      ['a serializer', { url: '/i', params: { a: [1, 2] }, paramsSerializer: { serialize: () => "a=1,2&b='[]|&c=%2f" } }],
      ['a serializer of old', { url: '/i', params: { a: 1 }, paramsSerializer: (() => 'old=1') as never }],
      ['index-less arrays', { url: '/i', params: { a: [1, 2] }, paramsSerializer: { indexes: null } }],
      ['a base with a path', { baseURL: 'base/v1/', url: 'i' }],
      ['an absolute URL of the same origin', { url: 'absolute' }],
      ['a fragment', { url: '/i?x=1#part', params: { y: 2 } }],
      ['dots and umlauts', { url: '/a/../ü b/i' }],
      ['colons', { url: '/i/12:30?at=1:2' }],
    ];
    it.each(urls)('is the URL that is sent: %s', async (_, given) => {
      const config = { ...given };
      if (config.baseURL) config.baseURL = `${server.origin}/${config.baseURL}`;
      if (config.url === 'absolute') config.url = `${server.origin}/i`;
      let signed = '';
      const witness: AuthStrategy = {
        name: 'witness',
        specVersion: 1,
        authorize: ({ url }) => {
          signed = url;
          return { headers: { 'X-Seen': '1' } };
        },
      };
      await attached(witness).request(config);
      await attached(queryKey()).request(config);
      await axios.request({ baseURL: server.origin, adapter, ...config });
      const [ours, keyed, bare] = server.requests.map(({ url }) => new URL(url).href);
      expect(server.requests[0]!.url).toBe(signed);
      expect(ours).toBe(bare);
      expect(keyed).toBe(`${bare}${bare!.includes('?') ? '&' : '?'}key=k`);
    });

    it('is what later interceptors, earlier ones and transforms made of it', async () => {
      const instance = axios.create({ baseURL: server.origin, adapter });
      let signed = '';
      const change = (name: string) => (config: { url?: string; params?: object }) => {
        config.params = { ...config.params, [name]: '1' };
        return config as never;
      };
      instance.interceptors.request.use(change('before'));
      attachAuth(instance, {
        name: 'witness',
        specVersion: 1,
        authorize: ({ url, method }) => {
          signed = `${method} ${url}`;
          return { headers: { 'X-Seen': '1' } };
        },
      });
      instance.interceptors.request.use(change('after'));
      instance.interceptors.request.use(async (config) => {
        config.url = '/changed';
        config.method = 'put';
        return config;
      });
      await instance.post('/i', { a: 1 });
      const [request] = server.requests;
      expect(`${request!.method} ${request!.url}`).toBe(signed);
      expect(signed).toBe(`PUT ${server.origin}/changed?after=1&before=1`);
    });
  });

  describe('bodies', () => {
    const bodies: Record<string, () => [unknown, AxiosRequestConfig?]> = {
      json: () => [{ a: [1, 'é'] }],
      text: () => ['plain é', { headers: { 'Content-Type': 'text/plain' } }],
      'text without a label': () => ['plain'],
      URLSearchParams: () => [new URLSearchParams({ a: '1 +' })],
      'a form of an object': () => [{ a: '1 +', b: ['x'] }, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
      Buffer: () => [Buffer.from([0, 1, 250])],
      'Uint8Array view': () => [new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
      ArrayBuffer: () => [new Uint8Array([9, 8]).buffer],
      Blob: () => [new Blob(['blob'], { type: 'text/x-test' })],
      'Blob without a type': () => [new Blob(['blob'])],
      empty: () => [''],
      nothing: () => [undefined],
      null: () => [null],
    };
    const strategies: Record<string, () => AuthStrategy> = {
      bearer: rotatingTokens,
      'one that signs forms': () => signing('form'),
      'one that signs bytes': () => signing('bytes'),
    };
    function signing(readsBody: 'form' | 'bytes'): AuthStrategy {
      const tokens = rotatingTokens();
      return { ...tokens, readsBody };
    }
    const cells = Object.keys(strategies).flatMap((strategy) => Object.keys(bodies).map((body) => [body, strategy] as const));
    it.each(cells)('%s, with %s: as bare axios sends it, and the same again after a 401', async (body, strategy) => {
      rejectFirstToken();
      const [data, config] = bodies[body]!();
      const response = await attached(strategies[strategy]!()).post('/i', data, config);
      expect(response.status).toBe(200);
      await axios.create({ baseURL: server.origin, adapter }).post('/i', ...bodies[body]!());
      const [first, second, bare] = server.requests;
      expect(server.requests).toHaveLength(3);
      for (const ours of [first, second]) {
        expect(ours!.body).toEqual(bare!.body);
        for (const name of ['content-type', 'content-length', 'transfer-encoding']) {
          expect([name, ours!.headers[name]]).toEqual([name, bare!.headers[name]]);
        }
      }
    });

    it.each(Object.keys(strategies))('FormData, with %s: the label of bare axios, and the same parts again', async (strategy) => {
      const form = (): FormData => {
        const data = new FormData();
        data.set('a', '1');
        data.set('file', new File(['content'], 'a.txt'));
        return data;
      };
      rejectFirstToken();
      await attached(strategies[strategy]!()).post('/i', form());
      await axios.create({ baseURL: server.origin, adapter }).post('/i', form());
      const seen = server.requests.map(({ text, headers }) => {
        const boundary = /^--(\S+)/.exec(text)![1]!;
        return [headers['content-type'], text].map((part) => part!.replaceAll(boundary, 'BOUNDARY')).join('\n');
      });
      expect(seen).toHaveLength(3);
      expect(seen[1]).toBe(seen[0]);
      expect(seen[0]!.replaceAll('\r\n', '\n').trim()).toBe(seen[2]!.replaceAll('\r\n', '\n').trim());
    });

    it('transforms run once', async () => {
      rejectFirstToken();
      const transformRequest = vi.fn((data: unknown) => JSON.stringify([data]));
      const transformResponse = vi.fn((data: unknown) => data);
      await attached(rotatingTokens()).post('/i', { a: 1 }, { transformRequest, transformResponse });
      expect(server.requests.map(({ text }) => text)).toEqual(['[{"a":1}]', '[{"a":1}]']);
      expect([transformRequest.mock.calls.length, transformResponse.mock.calls.length]).toEqual([1, 1]);
    });

    it('a stream goes out once, the recovery still runs', async () => {
      rejectFirstToken();
      const events: AuthEvent[] = [];
      const instance = attached(rotatingTokens(), { maxRedirects: 0 }, { onEvent: (event) => events.push(event) });
      const data = adapter === 'http' ? Readable.from(['one shot']) : new Blob(['one shot']).stream();
      expect(await failure(instance.post('/i', data))).toMatchObject({ response: { status: 401 } });
      expect(server.requests.map(({ text }) => text)).toEqual(['one shot']);
      expect(events).toContainEqual({ type: 'replay-skipped', strategy: 'tokens', reason: 'body-not-replayable' });
      expect((await instance.get('/i')).status).toBe(200);
      expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2']);
    });

    it('a stream that a strategy would have to read is refused before anything is sent', async () => {
      const instance = attached({ ...lateToken(), readsBody: 'bytes' });
      const error = await failure(instance.post('/i', Readable.from(['x'])));
      expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'body' });
      expect(server.requests).toHaveLength(0);
    });

    it('bytes that the caller reuses while a token is fetched go out as they were', async () => {
      const data = Buffer.from('before');
      const call = attached(lateToken()).post('/i', data);
      await Promise.resolve();
      data.write('after!');
      await call;
      expect(server.requests[0]!.text).toBe('before');
    });

    it('form fields join a form, and make one where there is no body', async () => {
      const strategy: AuthStrategy = { name: 'field', specVersion: 1, readsBody: 'form', authorize: () => ({ form: [['key', 'k &']] }) };
      const instance = attached(strategy);
      await instance.post('/i', new URLSearchParams('a=1'));
      await instance.post('/i');
      await instance.delete('/i');
      expect(server.requests.map(({ text }) => text)).toEqual(['a=1&key=k%20%26', 'key=k%20%26', 'key=k%20%26']);
      for (const type of header('content-type')) expect(type).toMatch(/^application\/x-www-form-urlencoded/);
      expect(server.requests.map(({ headers, body }) => Number(headers['content-length']) === body.length)).toEqual([true, true, true]);
      expect(await failure(instance.post('/i', { a: 1 }))).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'form' });
      expect(await failure(instance.get('/i'))).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'form' });
    });
  });

  describe('errors', () => {
    it("a second 401 is axios's own error, with the caller's config and no credential", async () => {
      const token = plantSecret('credential');
      server.inject({ status: 401, body: { reason: 'no' }, times: Number.POSITIVE_INFINITY });
      const ours = await failure(attached(bearerToken({ token: async () => token })).post('/i', { a: 1 }, { headers: { 'X-Mine': '1' } }));
      const bare = await failure(axios.create({ baseURL: server.origin, adapter }).post('/i', { a: 1 }, { headers: { 'X-Mine': '1' } }));
      expect(header('authorization')).toEqual([`Bearer ${token}`, `Bearer ${token}`, undefined]);
      if (!isAxiosError(ours) || !isAxiosError(bare)) return expect.unreachable();
      for (const name of ['name', 'message', 'code', 'status'] as const) expect(ours[name]).toBe(bare[name]);
      expect(ours.response!.data).toEqual(bare.response!.data);
      for (const name of ['url', 'baseURL', 'method', 'data', 'adapter', 'maxRedirects', 'validateStatus'] as const) {
        expect([name, ours.config![name]]).toEqual([name, bare.config![name]]);
      }
      expect(ours.config!.headers.get('X-Mine')).toBe('1');
      expect(ours.response!.config).toBe(ours.config);
      expect(ours.request).toBeDefined();
      expect(Object.keys(ours)).not.toContain('request');
      expect(Object.keys(ours.response!)).not.toContain('request');
      const shown = [
        inspect(ours, { depth: 20 }),
        JSON.stringify(ours),
        JSON.stringify(ours.toJSON()),
        ours.stack,
        inspect(ours.config, { depth: 20 }),
      ];
      expect(findSecret(shown.join('\n'), [token])).toEqual([]);
    });

    it('a response shows no credential either', async () => {
      const token = plantSecret('credential');
      const response = await attached(bearerToken({ token })).get('/i', { responseType: 'json' });
      response.data = undefined; // the echo
      expect(findSecret(inspect(response, { depth: 20 }), [token])).toEqual([]);
      expect(response.request).toBeDefined();
      expect(response.config.headers.has('Authorization')).toBe(false);
    });

    it('a stream that breaks off later shows none either', async () => {
      const token = plantSecret('credential');
      server.inject({ status: 200, body: 'x'.repeat(300_000), times: 2 });
      const drained = async (data: AsyncIterable<unknown>): Promise<void> => {
        for await (const _ of data);
      };
      for (const strategy of [bearerToken({ token }), apiKey({ key: token, in: 'query', name: 'key' })]) {
        const call = attached(strategy).get('/i', { responseType: 'stream', maxContentLength: 1_000 });
        const error: unknown = await call.then(({ data }) => drained(data)).catch((reason) => reason);
        if (error === undefined) return; // axios of old lets streams pass
        if (!isAxiosError(error)) return expect.unreachable();
        expect(findSecret(inspect(error.config, { depth: 20 }) + JSON.stringify(error.toJSON()), [token])).toEqual([]);
      }
    });

    it('a connection that fails is as with bare axios', async () => {
      server.inject({ reset: 'before-headers' as never, times: 2 });
      const token = plantSecret('credential');
      const ours = await failure(attached(bearerToken({ token })).get('/i'));
      const bare = await failure(axios.create({ baseURL: server.origin, adapter }).get('/i'));
      expect({ ...ours, config: 0, request: 0 }).toEqual({ ...bare, config: 0, request: 0 });
      expect([ours.name, ours.message]).toEqual([bare.name, bare.message]);
      expect(findSecret(inspect(ours, { depth: 20 }), [token])).toEqual([]);
    });

    it.each([
      ['accepting all', () => true],
      ['off', null],
    ] as const)('validateStatus %s: the second 401 resolves', async (_, validateStatus) => {
      server.inject({ status: 401, times: Number.POSITIVE_INFINITY });
      const response = await attached(bearerToken({ token: async () => 'x' })).get('/i', { validateStatus });
      expect(response.status).toBe(401);
      expect(server.requests).toHaveLength(2);
    });

    it('asks validateStatus once, for the answer that is delivered', async () => {
      rejectFirstToken();
      const validateStatus = vi.fn((status: number) => status < 300);
      await attached(rotatingTokens()).get('/redirect/302?to=/i', { validateStatus });
      expect(validateStatus.mock.calls).toEqual([[200]]);
      validateStatus.mockClear();
      await attached(rotatingTokens(), { headers: { Authorization: 'Mine' } }).get('/i', { validateStatus });
      expect(validateStatus.mock.calls).toEqual([[200]]);
    });

    it('an error of ours is ours', async () => {
      const instance = attached({ name: 'broken', specVersion: 1, authorize: () => Promise.reject(new Error('vault is sealed')) });
      const seen = vi.fn();
      instance.interceptors.response.use(undefined, (error) => {
        seen(error);
        throw error;
      });
      const error = await failure(instance.get('/i'));
      expect(error).toMatchObject({ code: 'STRATEGY_FAILED', strategy: 'broken' });
      expect(seen).toHaveBeenCalledExactlyOnceWith(error);
      expect(isAxiosError(error)).toBe(false);
    });
  });

  describe('aborts and timeouts', () => {
    const never = (): AuthStrategy => ({ name: 'never', specVersion: 1, authorize: () => new Promise(() => {}) });

    it('an AbortSignal ends the wait for a token as axios ends a request', async () => {
      const controller = new AbortController();
      const call = attached(never()).get('/i', { signal: controller.signal });
      setTimeout(() => controller.abort(), 5);
      const error = await failure(call);
      expect(isCancel(error)).toBe(true);
      expect(error).toMatchObject({ code: 'ERR_CANCELED' });
      expect(server.requests).toHaveLength(0);
    });

    it('a CancelToken does, alone and beside a signal, and keeps no listener', async () => {
      for (const signal of [undefined, new AbortController().signal]) {
        const source = axios.CancelToken.source();
        const call = attached(never()).get('/i', { cancelToken: source.token, ...(signal && { signal }) });
        setTimeout(() => source.cancel('enough'), 5);
        const error = await failure(call);
        expect(isCancel(error)).toBe(true);
        expect(error.message).toBe('enough');
      }
      expect(server.requests).toHaveLength(0);
      const { token } = axios.CancelToken.source();
      await attached(lateToken()).get('/i', { cancelToken: token });
      expect((token as unknown as { _listeners?: unknown[] })._listeners ?? []).toEqual([]);
    });

    it('an aborted signal sends nothing and asks nobody', async () => {
      const authorize = vi.fn(() => ({}));
      const error = await failure(attached({ name: 'asked', specVersion: 1, authorize }).get('/i', { signal: AbortSignal.abort() }));
      expect(isCancel(error)).toBe(true);
      expect([authorize.mock.calls.length, server.requests.length]).toEqual([0, 0]);
    });

    it('`timeout` covers the wait for a token, with the error of axios', async () => {
      const error = await failure(attached(never(), { timeout: 40 }).get('/i'));
      expect(error).toMatchObject({
        name: 'AxiosError',
        code: adapter === 'http' ? 'ECONNABORTED' : 'ETIMEDOUT',
        message: 'timeout of 40ms exceeded',
      });
      const clear = await failure(
        attached(never(), { timeout: 40, timeoutErrorMessage: 'too slow', transitional: { clarifyTimeoutError: true } }).get('/i'),
      );
      expect(clear).toMatchObject({ code: 'ETIMEDOUT', message: 'too slow' });
      expect(server.requests).toHaveLength(0);
    });

    it('`timeout` covers wait and request together', async () => {
      server.inject({ delayMs: 150 });
      const slow = bearerToken({ token: () => new Promise((resolve) => setTimeout(() => resolve('slow'), 150)) });
      const error = await failure(attached(slow, { timeout: 200 }).get('/i'));
      const code = adapter === 'http' ? 'ECONNABORTED' : 'ETIMEDOUT';
      expect(error).toMatchObject({ name: 'AxiosError', code, config: { timeout: 200 } });
      expect(error.message).toMatch(/^timeout (of 200ms|200 of ms) exceeded$/);
    });

    it('`timeoutMs` of ours wins where it is shorter', async () => {
      expect(await failure(attached(never(), { timeout: 5_000 }, { timeoutMs: 20 }).get('/i'))).toMatchObject({ code: 'AUTH_TIMEOUT' });
    });

    it('an abort between a rejection and its replay sends nothing more', async () => {
      const controller = new AbortController();
      server.inject({ status: 401, times: 5 });
      const strategy: AuthStrategy = {
        name: 'leaving',
        specVersion: 1,
        authorize: () => ({ headers: { Authorization: 'Leaving 1' } }),
        recover: () => {
          controller.abort();
          return true;
        },
      };
      expect(isCancel(await failure(attached(strategy).get('/i', { signal: controller.signal })))).toBe(true);
      expect(server.requests).toHaveLength(1);
    });
  });

  describe('where credentials go', () => {
    it('to the origin of `baseURL`; an absolute URL elsewhere gets nothing, and an event says so', async () => {
      const events: AuthEvent[] = [];
      const instance = attached(apiKey({ key: 'k' }), {}, { onEvent: (event) => events.push(event) });
      await instance.get('/a');
      await instance.get(`${server.origin}/a`);
      await instance.get(`${other.origin}/a`);
      await instance.get('/a', { baseURL: other.origin });
      expect(header('x-api-key')).toEqual(['k', 'k']);
      expect(other.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, undefined]);
      const bare = { type: 'request-bare', strategy: 'apiKey', origin: other.origin, reason: 'origin-not-allowed' };
      expect(events).toEqual([bare, bare]);
    });

    it('without `baseURL` wherever the caller addresses the request', async () => {
      const instance = attached(apiKey({ key: 'k' }), { baseURL: '' });
      await instance.get(`${server.origin}/a`);
      await instance.get('/a', { baseURL: other.origin });
      expect([...header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual(['k', 'k']);
    });

    it('follows a `baseURL` that is changed later', async () => {
      const instance = attached(apiKey({ key: 'k' }));
      await instance.get('/a');
      instance.defaults.baseURL = other.origin;
      await instance.get('/a');
      await instance.get(`${server.origin}/a`);
      expect([header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual([['k', undefined], 'k']);
    });

    it('to `origins` where they are given', async () => {
      const instance = attached(apiKey({ key: 'k' }), {}, { origins: other.origin });
      await instance.get('/a');
      await instance.get(`${other.origin}/a`);
      expect([header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual([[undefined], 'k']);
    });

    it('`allowAbsoluteUrls: false` stays at home', async () => {
      await attached(apiKey({ key: 'k' })).get(`${other.origin}/a`, { allowAbsoluteUrls: false });
      expect([header('x-api-key'), other.requests.length]).toEqual([['k'], 0]);
    });

    it.each(['auth', 'userinfo', 'userinfo of baseURL'])('%s counts as the caller’s own Authorization', async (place) => {
      const events: AuthEvent[] = [];
      const url = server.origin.replace('://', '://u%20x:p%40@');
      const own: AxiosRequestConfig =
        place === 'auth'
          ? { auth: { username: 'u x', password: 'p@' } }
          : place === 'userinfo'
            ? { url: `${url}/a` }
            : { baseURL: url, url: '/a' };
      const bare = await axios.request({ baseURL: server.origin, adapter, url: '/a', ...own }).catch(() => undefined);
      if (!bare) return; // the fetch adapter of old takes no userinfo
      const [basicOfAxios] = header('authorization');
      server.clearRequests();
      for (const strategy of [bearerToken({ token: 't' }), apiKey({ key: 'k' }), queryKey()]) {
        const instance = attached(strategy, place === 'userinfo of baseURL' ? { baseURL: url } : {}, {
          onEvent: (event) => events.push(event),
        });
        await instance.request({ url: '/a', ...own });
      }
      expect(header('authorization').slice(0, 2)).toEqual([basicOfAxios, basicOfAxios]);
      expect(header('authorization')[2]).toMatch(/^Basic /);
      expect(header('x-api-key')).toEqual([undefined, 'k', undefined]);
      expect(server.requests[2]!.query).toBe('key=k');
      expect(events).toEqual([{ type: 'credential-conflict', strategy: 'bearerToken', place: 'header', name: 'Authorization' }]);
    });

    it('a header of the instance wins, in any case, and `null` is none', async () => {
      await attached(bearerToken({ token: 't' }), { headers: { authorization: 'Mine' } }).get('/a');
      await attached(bearerToken({ token: 't' }), { headers: { common: { AUTHORIZATION: 'Mine' } } as never }).get('/a');
      await attached(bearerToken({ token: 't' })).get('/a', { headers: { authorization: null } as never });
      expect(header('authorization')).toEqual(['Mine', 'Mine', 'Bearer t']);
    });
  });

  describe('redirects', () => {
    const away = (path = '/landed'): string => encodeURIComponent(`${other.origin}${path}`);

    it('end where axios says they do', async () => {
      const response = await attached(queryKey()).get('/redirect/302?to=/landed&repeatQuery=1');
      if (adapter === 'http') expect(response.request.res.responseUrl).toBe(`${server.origin}/landed`);
      expect(server.requests.map(({ path, query }) => `${path}?${query}`)).toEqual([
        '/redirect/302?to=/landed&repeatQuery=1&key=k',
        '/landed?key=k',
      ]);
      expect(response.config.url).toBe('/redirect/302?to=/landed&repeatQuery=1');
    });

    it('stop at `maxRedirects`, none with 0', async () => {
      const loop = '/redirect/302?to=/redirect/302%3Fto%3D/redirect/302%253Fto%253D/landed';
      const ours = await failure(attached(apiKey({ key: 'k' })).get(loop, { maxRedirects: 2 }));
      const code = adapter === 'http' ? 'ERR_FR_TOO_MANY_REDIRECTS' : 'ERR_NETWORK';
      expect(ours).toMatchObject({ name: 'AxiosError', code, message: 'Maximum number of redirects exceeded' });
      expect(server.requests).toHaveLength(3);
      expect((await attached(apiKey({ key: 'k' })).get(loop, { maxRedirects: 3 })).status).toBe(200);
      server.clearRequests();
      const shown = await failure(attached(apiKey({ key: 'k' })).get(loop, { maxRedirects: 0 }));
      expect(shown).toMatchObject({ message: 'Request failed with status code 302', response: { status: 302 } });
      expect(server.requests).toHaveLength(1);
    });

    it('`auth` and `sensitiveHeaders` stay behind at another origin', async () => {
      const config = {
        auth: { username: 'u', password: 'p' },
        headers: { 'X-Secret': 's', 'X-Plain': 'p' },
        sensitiveHeaders: ['x-secret'],
      };
      await attached(apiKey({ key: 'k' })).get(`/redirect/307?to=${away()}`, config as AxiosRequestConfig);
      await attached(apiKey({ key: 'k' })).get('/redirect/307?to=/home', config as AxiosRequestConfig);
      const { headers } = other.requests[0]!;
      expect(headers).toMatchObject({ 'x-plain': 'p' });
      for (const name of ['authorization', 'x-secret', 'x-api-key']) expect(headers[name]).toBeUndefined();
      expect(server.requests.at(-1)!.headers).toMatchObject({ authorization: `Basic ${btoa('u:p')}`, 'x-secret': 's', 'x-api-key': 'k' });
    });

    it('a stream that a 307 asks for again is an error that says so', async () => {
      const error = await failure(attached(apiKey({ key: 'k' })).post('/redirect/307?to=/landed', Readable.from(['x'])));
      expect(error).toMatchObject({ code: 'BODY_NOT_REPLAYABLE' });
      expect(server.requests).toHaveLength(1);
    });
  });

  describe('one request differently', () => {
    it('without, or with another strategy, byOrigin included', async () => {
      const instance = attached(apiKey({ key: 'k' }));
      await instance.get('/a', { authStrategy: false });
      await instance.get('/a', { authStrategy: basic({ username: 'u', password: 'p' }) });
      const elsewhere = byOrigin({ [other.origin]: apiKey({ key: 'other' }) });
      await instance.get('/a', { authStrategy: elsewhere });
      await instance.get('/a', { authStrategy: undefined });
      expect(header('x-api-key')).toEqual([undefined, undefined, undefined, 'k']);
      expect(header('authorization')).toEqual([undefined, `Basic ${btoa('u:p')}`, undefined, undefined]);
      await axios.create({ adapter }).get(`${other.origin}/a`);
      const free = attached(apiKey({ key: 'k' }), { baseURL: '' });
      await free.get(`${other.origin}/a`, { authStrategy: elsewhere });
      expect(other.requests.at(-1)!.headers['x-api-key']).toBe('other');
    });

    it('what is no strategy is refused', async () => {
      const error = await failure(attached(apiKey({ key: 'k' })).get('/a', { authStrategy: {} as never }));
      expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR' });
      expect(server.requests).toHaveLength(0);
    });

    it('an adapter of its own is used, inside', async () => {
      const instance = attached(apiKey({ key: 'k' }));
      const mine = vi.fn(async (config) => ({ status: 200, statusText: '', data: 'mine', headers: {}, config }));
      expect((await instance.get('/a', { adapter: mine })).data).toBe('mine');
      expect(mine.mock.calls[0]![0].headers.get('X-API-Key')).toBe('k');
      expect(server.requests).toHaveLength(0);
    });
  });

  describe('streams', () => {
    it('a rejected stream is given up: one socket is enough', async () => {
      rejectFirstToken({ body: 'x'.repeat(500_000) });
      const { Agent } = await import('node:http');
      const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
      const response = await attached(rotatingTokens(), { httpAgent, responseType: 'stream' }).get('/i', { timeout: 3_000 });
      expect(response.status).toBe(200);
      for await (const _ of response.data);
      httpAgent.destroy();
    });

    it('a strategy reads the beginning of a stream, the caller gets all of it', async () => {
      const text = 'é'.repeat(200_000);
      server.inject({ status: 400, body: text, times: 2 });
      const seen: string[] = [];
      const strategy: AuthStrategy = {
        name: 'quirk',
        specVersion: 1,
        authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
        isRejected: async (response) => {
          seen.push(await response.text());
          return false;
        },
      };
      const response = await attached(strategy, { responseType: 'stream', validateStatus: null }).get('/i');
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.data) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe(text);
      expect(text.startsWith(seen[0]!.slice(0, 30_000))).toBe(true);
      expect(seen[0]!.length).toBeLessThanOrEqual(65_536);
    });

    it.each(['json', 'text', 'arraybuffer', 'blob', 'stream'] as const)(
      'a strategy reads a rejection of responseType %s',
      async (responseType) => {
        server.inject({ status: 403, body: { code: 118 }, times: 1 });
        const strategy: AuthStrategy = {
          name: 'quirk',
          specVersion: 1,
          authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
          isRejected: async (response) => ((await response.json()) as { code: number }).code === 118,
          recover: () => true,
        };
        if (adapter === 'http' && responseType === 'blob') return; // Node's http adapter has no blobs
        expect((await attached(strategy, { responseType }).get('/i')).status).toBe(200);
        expect(server.requests).toHaveLength(2);
      },
    );
  });
});

describe('the http adapter alone', () => {
  function attached(strategy: AuthStrategy, config: AxiosRequestConfig = {}): AxiosInstance {
    const instance = axios.create({ baseURL: server.origin, adapter: 'http', ...config });
    attachAuth(instance, strategy);
    return instance;
  }

  it('`beforeRedirect` sees every hop without our credential, changes it, and may refuse it', async () => {
    const seen: string[] = [];
    const key = plantSecret('credential');
    const instance = attached(apiKey({ key }), {
      beforeRedirect: (options, { statusCode, headers }, { url, method }) => {
        seen.push(
          `${method} ${url} ${statusCode} ${headers['location']} → ${options['method']} ${options['href']} ${JSON.stringify(options['headers'])}`,
        );
        options['headers']['X-Hop'] = '1';
      },
    });
    await instance.get('/redirect/302?to=/landed');
    expect(server.requests.at(-1)!.headers).toMatchObject({ 'x-hop': '1', 'x-api-key': key });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatch(/^GET .*\/redirect\/302\?to=\/landed 302 \/landed → GET http.*\/landed \{/);
    expect(findSecret(seen[0]!, [key])).toEqual([]);
    const refusing = attached(apiKey({ key }), {
      beforeRedirect: () => {
        throw new Error('not there');
      },
    });
    const ours = await failure(refusing.get('/redirect/302?to=/landed'));
    expect(ours).toMatchObject({ name: 'Error', code: 'ERR_FR_REDIRECTION_FAILURE', message: 'not there', isAxiosError: true });
  });

  it('`beforeRedirect` that sends elsewhere takes no credential there', async () => {
    const instance = attached(apiKey({ key: 'k' }), {
      beforeRedirect: (options) => {
        options['port'] = new URL(other.origin).port;
        options['path'] = '/else';
      },
    });
    await instance.get('/redirect/302?to=/landed');
    expect(other.requests.map(({ path, headers }) => [path, headers['x-api-key']])).toEqual([['/else', undefined]]);
  });

  it('a `transport` of the caller’s that follows by itself is kept from it', async () => {
    // axios's own dependency, under no name of ours
    const follow = createRequire(createRequire(import.meta.url).resolve('axios'))('follow-redirects');
    const to = encodeURIComponent(`${other.origin}/landed`);
    const instance = attached(apiKey({ key: 'k' }), { transport: follow.http });
    expect((await instance.get(`/redirect/302?to=${to}`)).status).toBe(200);
    expect(other.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined]);
  });

  it('the form-data package goes out once', async () => {
    rejectFirstToken();
    const form = new PackageFormData();
    form.append('a', '1');
    expect(await failure(attached(rotatingTokens()).post('/i', form))).toMatchObject({ response: { status: 401 } });
    expect(server.requests).toHaveLength(1);
  });

  it('a large upload is not buffered', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const before = held();
    let kept = 0;
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let index = 0; index < 96; index += 1) yield Buffer.alloc(1_000_000);
      kept = held() - before;
    }
    const sink = await import('node:http').then(({ createServer }) =>
      createServer((request, response) => request.resume().on('end', () => response.end('ok'))).listen(0),
    );
    const { port } = sink.address() as { port: number };
    await attached(bearerToken({ token: 't' }), { baseURL: '' }).post(`http://127.0.0.1:${port}/`, Readable.from(chunks()), {
      maxBodyLength: 2e8,
    });
    sink.close();
    expect(kept).toBeLessThan(20_000_000);
  });

  it('goes through a proxy of the caller’s, and over a Unix socket', async () => {
    const { createServer } = await import('node:http');
    const socketPath = `/tmp/authseam-${process.pid}.sock`;
    const local = createServer((request, response) => response.end(request.headers['x-api-key'])).listen(socketPath);
    const { data } = await attached(apiKey({ key: 'k' }), { baseURL: '' }).get('http://localhost/a', { socketPath });
    local.close();
    expect(data).toBe('k');
    const proxy = { host: '127.0.0.1', port: Number(new URL(server.origin).port) };
    await attached(apiKey({ key: 'k' }), { baseURL: 'http://localhost:9' }).get('/proxied', { proxy });
    expect(server.requests.at(-1)!.headers['x-api-key']).toBe('k');
  });
});

describe('attaching', () => {
  it('again replaces; detaching restores; a detach that was replaced does nothing', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const mine = vi.fn((config) => config);
    instance.interceptors.request.use(mine);
    const before = { defaults: instance.defaults, adapter: instance.defaults.adapter, keys: Reflect.ownKeys(instance) };
    const first = attachAuth(instance, apiKey({ key: 'one' }));
    const second = attachAuth(instance, apiKey({ key: 'two' }));
    await instance.get('/a');
    first();
    await instance.get('/a');
    second();
    second();
    await instance.get('/a');
    expect(header('x-api-key')).toEqual(['two', 'two', undefined]);
    expect({ defaults: instance.defaults, adapter: instance.defaults.adapter, keys: Reflect.ownKeys(instance) }).toEqual(before);
    expect(mine).toHaveBeenCalledTimes(3);
    let left = 0;
    const { request } = instance.interceptors as unknown as { request: { forEach(each: () => void): void } };
    request.forEach(() => {
      left += 1;
    });
    expect(left).toBe(1);
  });

  it('children of create() start without', async () => {
    const parent = axios.create({ baseURL: server.origin }) as AxiosInstance & typeof axios;
    attachAuth(parent, apiKey({ key: 'k' }));
    const child = parent.create({ headers: { 'X-Child': '1' } });
    await child.get('/a');
    attachAuth(child, apiKey({ key: 'child' }));
    await child.get('/a');
    await parent.get('/a');
    expect(header('x-api-key')).toEqual([undefined, 'child', 'k']);
  });

  it('a config that is sent again is authorized once, by the instance that sends it', async () => {
    server.inject({ status: 503 });
    const instance = axios.create({ baseURL: server.origin });
    attachAuth(instance, apiKey({ key: 'k' }));
    const error = await failure(instance.post('/a', { a: 1 }));
    if (!isAxiosError(error)) return expect.unreachable();
    await instance.request(error.config!);
    const second = axios.create({ baseURL: server.origin });
    attachAuth(second, apiKey({ key: 'second' }));
    await second.request(error.config!);
    expect(header('x-api-key')).toEqual(['k', 'k', 'second']);
  });

  it('a config that an interceptor sends on is authorized once', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const authorize = vi.fn(() => ({ headers: { 'X-Key': 'k' } }));
    let isNested = false;
    instance.interceptors.request.use(async (config) => {
      if (!isNested) {
        isNested = true;
        await instance.request({ ...config });
      }
      return config;
    });
    attachAuth(instance, { name: 'counted', specVersion: 1, authorize });
    await instance.get('/a');
    expect([authorize.mock.calls.length, server.requests.length]).toEqual([2, 2]);
  });

  it('the default instance can be attached to', async () => {
    const detach = attachAuth(axios, apiKey({ key: 'k' }), { origins: server.origin });
    await axios(`${server.origin}/a`);
    await axios.get(`${other.origin}/a`);
    detach();
    await axios.get(`${server.origin}/a`);
    expect([...header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual(['k', undefined, undefined]);
  });

  it.each([
    ['no instance', undefined],
    ['fetch', fetch],
    ['a config', {}],
  ])('refuses %s', (_, instance) => {
    expect(() => attachAuth(instance as never, apiKey({ key: 'k' }))).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'instance' }),
    );
  });

  it('refuses what is no strategy, and one in the defaults, then or later', async () => {
    expect(() => attachAuth(axios.create(), {} as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR' }));
    const authStrategy = apiKey({ key: 'k' });
    expect(() => attachAuth(axios.create({ authStrategy }), authStrategy)).toThrow(expect.objectContaining({ option: 'authStrategy' }));
    const instance = axios.create({ baseURL: server.origin });
    attachAuth(instance, authStrategy);
    instance.defaults.authStrategy = authStrategy;
    expect(await failure(instance.get('/a'))).toMatchObject({ option: 'authStrategy' });
    expect(server.requests).toHaveLength(0);
  });

  it('signs with a nonce of its own each time a config is sent again', async () => {
    const instance = axios.create({ baseURL: server.origin });
    attachAuth(instance, oauth1({ consumerKey: 'c', consumerSecret: 's' }));
    const config = { url: '/a', method: 'post', data: new URLSearchParams('a=1') };
    await Promise.all([instance.request(config), instance.request(config)]);
    const nonces = header('authorization').map((value) => /oauth_nonce="([^"]+)"/.exec(value!)![1]);
    expect(new Set(nonces).size).toBe(2);
  });
});

describe('what a review found', () => {
  const key = (): AuthStrategy => apiKey({ key: 'k' });

  function attached(strategy: AuthStrategy, config: AxiosRequestConfig = {}): AxiosInstance {
    const instance = axios.create({ baseURL: server.origin, adapter: 'http', ...config });
    attachAuth(instance, strategy);
    return instance;
  }

  /** A server of two lines. */
  async function serving(
    listener: RequestListener,
  ): Promise<AsyncDisposable & { readonly origin: string; readonly sockets: () => number }> {
    const own = createServer(listener).listen(0, '127.0.0.1');
    const sockets = new Set<Socket>();
    own.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await once(own, 'listening');
    return {
      origin: `http://127.0.0.1:${(own.address() as AddressInfo).port}`,
      sockets: () => sockets.size,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        own.close();
      },
    };
  }

  it('an abort while a stream is read shows no credential, and neither does the stream', async () => {
    await using own = await serving((_, response) => void response.writeHead(200).write('x'));
    const token = plantSecret('credential');
    const controller = new AbortController();
    const response = await attached(bearerToken({ token }), { baseURL: own.origin }).get('/', {
      responseType: 'stream',
      signal: controller.signal,
    });
    expect(findSecret(inspect(response), [token])).toEqual([]);
    setTimeout(() => controller.abort(), 20);
    const error = await failure(
      (async () => {
        for await (const _ of response.data);
      })(),
    );
    expect(findSecret(inspect((error as { config?: unknown }).config, { depth: 20 }), [token])).toEqual([]);
  });

  it('a cause that is an axios error is cleaned as well', async () => {
    const token = plantSecret('credential');
    const call = attached(bearerToken({ token })).post('/i', Readable.from([Buffer.alloc(5_000)]), {
      maxBodyLength: 1_000,
      maxRedirects: 0,
    });
    const error = await call.then(
      () => undefined, // axios of old lets streams pass
      (reason: Error) => reason,
    );
    expect(findSecret(inspect(error, { depth: 20 }), [token])).toEqual([]);
  });

  it('`fetchOptions.redirect` is the caller’s word', async () => {
    const instance = attached(key(), { adapter: 'fetch' });
    const config = { fetchOptions: { redirect: 'manual' }, validateStatus: null } as AxiosRequestConfig;
    const response = await instance.post('/redirect/307?to=/landed', { a: 1 }, config);
    expect([response.status, server.requests.length]).toEqual([307, 1]);
  });

  it('`timeout` covers a connection that does not come about', async () => {
    const config = { baseURL: '', timeout: 200, lookup: () => {} } as AxiosRequestConfig;
    expect(await failure(attached(key(), config).get('http://localhost:1/x'))).toMatchObject({ code: 'ECONNABORTED' });
  });

  it('nobody waits for the body of a redirect, or counts it', async () => {
    await using own = await serving((request, response) => {
      if (request.url === '/ok') return response.end('ok');
      response.writeHead(302, { Location: '/ok' });
      return response.write('x'.repeat(500));
    });
    const progress: number[] = [];
    const { data } = await attached(key(), { baseURL: own.origin, timeout: 3_000 }).get('/away', {
      maxContentLength: 50,
      onDownloadProgress: ({ loaded }) => progress.push(loaded),
    });
    expect([data, Math.max(...progress)]).toEqual(['ok', 2]);
  });

  it('adapters of the caller’s own judge the status themselves', async () => {
    const plain = attached(key(), { adapter: async (config) => ({ status: 404, statusText: '', data: '', headers: {}, config }) });
    expect((await plain.get('/a')).status).toBe(404);
    const asking = attached(key(), {
      adapter: async (config) => ({ status: config.validateStatus!(200) ? 200 : 500, statusText: '', data: '', headers: {}, config }),
    });
    expect((await asking.get('/a')).status).toBe(200);
  });

  it('attaching again keeps the place among the interceptors', async () => {
    const instance = attached(key());
    instance.interceptors.request.use((config) => Object.assign(config, { adapter: 'http' }));
    await instance.get('/a');
    attachAuth(instance, apiKey({ key: 'again' }));
    await instance.get('/a');
    expect(header('x-api-key')).toEqual(['k', 'again']);
  });

  it('a config that was caught goes out bare after detaching', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const detach = attachAuth(instance, key());
    const error = await failure(instance.get('/a', { signal: AbortSignal.abort() }));
    detach();
    const { signal: _, ...config } = (error as unknown as { config: AxiosRequestConfig }).config ?? {};
    await instance.request({ url: '/a', ...config });
    expect(header('x-api-key')).toEqual([undefined]);
  });

  it('detaching takes out nobody else’s interceptor', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const detach = attachAuth(instance, key());
    instance.interceptors.request.clear();
    const mine = vi.fn((config) => config);
    instance.interceptors.request.use(mine);
    detach();
    await instance.get('/a');
    expect(mine).toHaveBeenCalledOnce();
  });

  it('a redirect that cannot be taken holds no socket', async () => {
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
    const instance = attached(key(), { httpAgent, responseType: 'stream', timeout: 3_000 });
    expect(await failure(instance.post('/redirect/307?to=/a', Readable.from(['x'])))).toMatchObject({ code: 'BODY_NOT_REPLAYABLE' });
    expect((await instance.get('/a')).status).toBe(200);
    httpAgent.destroy();
  });

  it('a stream that was read by the strategy is the caller’s to destroy', async () => {
    await using own = await serving((_, response) => void response.writeHead(400).write('x'.repeat(100_000)));
    const strategy: AuthStrategy = {
      name: 'quirk',
      specVersion: 1,
      authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
      isRejected: async (response) => !(await response.text()),
    };
    const { data } = await attached(strategy, { baseURL: own.origin, responseType: 'stream', validateStatus: null }).get('/');
    data.destroy();
    await expect.poll(own.sockets).toBe(0);
  });

  it('`beforeRedirect` may sign in, and change the method', async () => {
    const instance = attached(key(), {
      beforeRedirect: (options) => {
        options['auth'] = 'user:pass:word';
        options['method'] = 'PUT';
      },
    });
    await instance.get('/redirect/302?to=/landed');
    expect(server.requests.at(-1)).toMatchObject({
      method: 'PUT',
      headers: { authorization: `Basic ${btoa('user:pass:word')}`, 'x-api-key': 'k' },
    });
  });

  it('`maxRedirects` counts on when a chain goes bare', async () => {
    const inner = encodeURIComponent('/redirect/302?to=/end');
    const away = encodeURIComponent(`${other.origin}/redirect/302?to=${inner}`);
    const error = await failure(attached(key()).get(`/redirect/302?to=${away}`, { maxRedirects: 2 }));
    expect(error).toMatchObject({ code: 'ERR_FR_TOO_MANY_REDIRECTS' });
    expect((await attached(key()).get(`/redirect/302?to=${away}`, { maxRedirects: 3 })).status).toBe(200);
  });

  it('`Authorization: false` is a word of the caller’s', async () => {
    await attached(bearerToken({ token: 't' })).get('/a', { headers: { Authorization: false } });
    expect(header('authorization')).toEqual([undefined]);
  });

  it('a URL may be an object', async () => {
    await attached(key(), { baseURL: '' }).get(new URL(`${server.origin}/a`) as never);
    expect(header('x-api-key')).toEqual(['k']);
  });

  it('params that the caller goes on with go out as they were', async () => {
    const params = new URLSearchParams('a=1');
    const call = attached(lateToken()).get('/a', { params });
    params.append('b', '2');
    await call;
    expect(server.requests[0]!.query).toBe('a=1');
  });

  it('options are checked, so that a misspelt `origins` lets nothing out', () => {
    for (const options of [null, { origin: 'https://api.example.com' }]) {
      expect(() => attachAuth(axios.create(), key(), options as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR' }));
    }
  });
});
