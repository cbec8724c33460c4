// What people plug into axios beside us: axios-retry, axios-mock-adapter, interceptors of their own. docs/guests.md says what to write.
import { inspect } from 'node:util';
import { attachAuth } from '@authseam/adapter-axios';
import { apiKey } from '@authseam/auth-api-key';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthStrategy, createTokenManager, fromTokenSource, isAuthError } from '@authseam/core';
import { type EchoServer, type ExtraHorizonServer, echoServer, extraHorizonServer, findSecret, plantSecret } from '@authseam/testing';
import axios, { AxiosError, type AxiosInstance, isAxiosError } from 'axios';
import AxiosMockAdapter from 'axios-mock-adapter';
import axiosRetry, { type IAxiosRetryConfig } from 'axios-retry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let server: EchoServer;
let signed: ExtraHorizonServer;

beforeAll(async () => {
  [server, signed] = await Promise.all([echoServer(), extraHorizonServer()]);
});
beforeEach(() => {
  for (const each of [server, signed]) {
    each.clearRequests();
    each.clearFaults();
  }
});
afterAll(async () => {
  await Promise.all([server.close(), signed.close()]);
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

function signer(): AuthStrategy {
  const { consumerKey, consumerSecret, token, tokenSecret } = signed;
  return oauth1({ consumerKey, consumerSecret, token, tokenSecret });
}

const sent = (): (string | undefined)[] => server.requests.map(({ headers }) => headers['authorization']);

async function errorOf(call: Promise<unknown>): Promise<AxiosError> {
  return call.then(
    () => expect.unreachable('it was answered'),
    (error) => error,
  );
}

/** Its types are those of a CommonJS module, and so is the axios instance that they name. */
function mockOf(instance: AxiosInstance): AxiosMockAdapter {
  return new AxiosMockAdapter(instance as never);
}

type Plug = (instance: AxiosInstance) => void;
const orders: [string, (instance: AxiosInstance, guest: Plug, strategy: AuthStrategy) => void][] = [
  [
    'before us',
    (instance, guest, strategy) => {
      guest(instance);
      attachAuth(instance, strategy);
    },
  ],
  [
    'after us',
    (instance, guest, strategy) => {
      attachAuth(instance, strategy);
      guest(instance);
    },
  ],
];

describe.each(orders)('axios-retry, plugged in %s', (_, plug) => {
  function retrying(strategy: AuthStrategy, options: IAxiosRetryConfig = {}, baseURL = server.origin): AxiosInstance {
    const instance = axios.create({ baseURL });
    plug(instance, (each) => void axiosRetry(each, options), strategy);
    return instance;
  }

  it.each([
    ['a 503', { status: 503, times: 2 }],
    ['a connection that breaks', { reset: 'on-arrival', times: 2 }],
  ] as const)('repeats %s, signed anew each time, with the body encoded once', async (_, fault) => {
    signed.inject(fault);
    const before = signed.verdicts.length;
    const { status } = await retrying(signer(), {}, signed.origin).put('/echo/json', { a: 'é' }, { params: { q: "it's" } });
    expect(status).toBe(200);
    expect(signed.requests.map(({ text }) => text)).toEqual(Array(3).fill('{"a":"é"}'));
    expect(new Set(signed.requests.map(({ headers }) => headers['authorization'])).size).toBe(3);
    expect(new Set(signed.requests.map(({ url }) => url)).size).toBe(1);
    expect(signed.verdicts.slice(before).map(({ refusal }) => refusal)).toEqual([undefined]);
  });

  it('a query key is there once, however often it retries', async () => {
    server.inject({ status: 503, times: 3 });
    await retrying(apiKey({ key: 'k1', in: 'query', name: 'key' })).get('/items?a=1', { params: { b: 2 } });
    expect(server.requests.map(({ query }) => query)).toEqual(Array(4).fill('a=1&b=2&key=k1'));
  });

  it('has nothing to do for a 401 that a refresh mends', async () => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('t2');
    let retries = 0;
    const instance = retrying(strategy, { onRetry: () => void retries++ });
    expect((await instance.post('/items', { a: 1 })).status).toBe(200);
    expect([sent(), retries, count()]).toEqual([['Bearer t1', 'Bearer t2'], 0, 2]);
  });

  it('a standing 401 costs two requests', async () => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('never');
    const error = await errorOf(retrying(strategy).get('/items'));
    expect(error).toMatchObject({ code: AxiosError.ERR_BAD_REQUEST, response: { status: 401 } });
    expect([sent().length, count()]).toEqual([2, 2]);
  });

  it('a `retryCondition` for 401 adds one request per retry to a standing 401, and no refresh', async () => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('never');
    await errorOf(retrying(strategy, { retries: 3, retryCondition: ({ response }) => response?.status === 401 }).get('/items'));
    expect([sent(), count()]).toEqual([['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t2', 'Bearer t2'], 2]);
  });

  it('does not repeat an error of ours', async () => {
    let asked = 0;
    const fetchToken = () => {
      asked++;
      throw new Error('the vault is sealed');
    };
    const strategy = fromTokenSource(createTokenManager({ key: 'test', fetchToken }), { name: 'tokens' });
    const error = await errorOf(retrying(strategy, { retryCondition: () => true }).get('/items'));
    expect(error).toSatisfy(isAuthError);
    expect([asked, sent()]).toEqual([1, []]);
  });

  it('keeps `authStrategy` of the request', async () => {
    server.inject({ status: 503, times: 2 });
    const instance = retrying(apiKey({ key: 'default-key' }));
    await instance.get('/a', { authStrategy: apiKey({ key: 'other-key' }) });
    server.inject({ status: 503 });
    await instance.get('/a', { authStrategy: false });
    expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual([
      'other-key',
      'other-key',
      'other-key',
      undefined,
      undefined,
    ]);
  });

  it('`timeout` covers all tries together; with shouldResetTimeout each has its own', async () => {
    server.inject({ delayMs: 150, times: Number.POSITIVE_INFINITY });
    server.inject({ status: 503, times: Number.POSITIVE_INFINITY });
    const error = await errorOf(retrying(rotatingTokens().strategy, { retries: 5 }).get('/items', { timeout: 500 }));
    expect(error.code).toBe(AxiosError.ECONNABORTED);
    expect(sent().length).toBeLessThan(6);
    server.clearRequests();
    const last = await errorOf(
      retrying(rotatingTokens().strategy, { retries: 3, shouldResetTimeout: true }).get('/items', { timeout: 500 }),
    );
    expect(last.response?.status).toBe(503);
    expect(sent()).toHaveLength(4);
  });

  it('`timeout` covers the wait for a token, and that is not repeated', async () => {
    let asked = 0;
    const authorize = () => {
      asked++;
      return new Promise<never>(() => {});
    };
    const error = await errorOf(retrying({ name: 'never', specVersion: 1, authorize }).get('/items', { timeout: 50 }));
    expect(error.code).toBe(AxiosError.ECONNABORTED);
    expect([asked, sent()]).toEqual([1, []]);
  });

  it('an abort ends it', async () => {
    server.inject({ status: 503, times: Number.POSITIVE_INFINITY });
    const controller = new AbortController();
    const call = retrying(rotatingTokens().strategy, { retryDelay: () => 1_000 }).get('/items', { signal: controller.signal });
    const error = errorOf(call);
    await expect.poll(() => sent().length).toBe(1);
    controller.abort();
    expect(axios.isCancel(await error)).toBe(true);
    expect(sent()).toHaveLength(1);
  });

  it('shows no secret in its error, nor to its hooks', async () => {
    const secret = plantSecret('key');
    server.inject({ status: 503, times: 4 });
    const seen: unknown[] = [];
    const options: IAxiosRetryConfig = { onRetry: (...all) => void seen.push(inspect(all, { depth: Infinity })) };
    const error = await errorOf(retrying(apiKey({ key: secret }), options).get('/items'));
    expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual(Array(4).fill(secret));
    expect(seen).toHaveLength(3);
    expect(findSecret([seen, inspect(error, { depth: Infinity }), JSON.stringify(error)], [secret])).toEqual([]);
  });
});

describe.each(orders)('axios-mock-adapter, plugged in %s', (_, plug) => {
  function mocked(strategy: AuthStrategy, baseURL = server.origin): { instance: AxiosInstance; mock: AxiosMockAdapter } {
    const instance = axios.create({ baseURL });
    let mock: AxiosMockAdapter | undefined;
    plug(instance, (each) => (mock = mockOf(each)), strategy);
    return { instance, mock: mock! };
  }

  it('sees what is sent: after a 401 the new token and the same body', async () => {
    const { strategy, count } = rotatingTokens();
    const { instance, mock } = mocked(strategy);
    mock.onPost('/items').reply(({ headers }) => (headers?.['Authorization'] === 'Bearer t2' ? [200, { ok: true }] : [401]));
    const { data } = await instance.post('/items', { a: 1 });
    expect(data).toEqual({ ok: true });
    expect(mock.history['post']!.map(({ headers, data }) => [headers?.['Authorization'], data])).toEqual([
      ['Bearer t1', '{"a":1}'],
      ['Bearer t2', '{"a":1}'],
    ]);
    expect(count()).toBe(2);
    expect(server.requests).toEqual([]);
  });

  it('chooses by the headers that are sent', async () => {
    const { instance, mock } = mocked(apiKey({ key: 'default-key' }));
    const headers = { asymmetricMatch: (actual: object) => JSON.stringify(actual).includes('"X-API-Key":"default-key"') };
    mock.onGet('/items', { headers } as object).reply(200, 'mine');
    expect((await instance.get('/items')).data).toBe('mine');
    const error = await errorOf(instance.get('/items', { authStrategy: false }));
    expect(error.response?.status).toBe(404);
  });

  it('a standing reply(401) is two requests, and an error of axios without the token', async () => {
    const secret = plantSecret('token');
    const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: secret, tokenType: 'Bearer' }) });
    const { instance, mock } = mocked(fromTokenSource(source, { name: 'tokens' }));
    mock.onGet('/items').reply(401, { message: 'rejected' });
    const error = await errorOf(instance.get('/items'));
    expect(error).toMatchObject({
      isAxiosError: true,
      message: 'Request failed with status code 401',
      response: { status: 401, data: { message: 'rejected' } },
    });
    expect(mock.history['get']).toHaveLength(2);
    expect(findSecret([inspect(error, { depth: Infinity }), JSON.stringify(error)], [secret])).toEqual([]);
  });

  it.each(['networkError', 'timeout', 'abortRequest'] as const)('%s() is as without us', async (failure) => {
    const { instance, mock } = mocked(apiKey({ key: 'k1' }));
    mock.onGet('/items')[failure]();
    const error = await errorOf(instance.get('/items'));
    const bare = axios.create({ baseURL: server.origin });
    mockOf(bare).onGet('/items')[failure]();
    const { message, code } = await errorOf(bare.get('/items'));
    expect(isAxiosError(error)).toBe(true);
    expect([error.message, error.code]).toEqual([message, code]);
  });

  it('passThrough() sends, with the credential, and refreshes', async () => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('t2');
    const { instance, mock } = mocked(strategy);
    mock.onPost('/items').passThrough();
    expect((await instance.post('/items', { a: 1 }, { params: { q: 1 } })).data).toMatchObject({
      url: `${server.origin}/items?q=1`,
      text: '{"a":1}',
    });
    expect([sent(), count()]).toEqual([['Bearer t1', 'Bearer t2'], 2]);
  });

  it('gets the final URL of what is signed or keyed in the query: a path alone does not match it, a RegExp or the whole URL does', async () => {
    for (const strategy of [apiKey({ key: 'k1', in: 'query', name: 'key' }), signer()]) {
      const { instance, mock } = mocked(strategy);
      mock.onGet('/items').reply(200);
      expect((await errorOf(instance.get('/items', { params: { a: 1 } }))).response?.status).toBe(404);
      mock.onGet(/\/items\?a=1/).reply(200);
      expect((await instance.get('/items', { params: { a: 1 } })).status).toBe(200);
      const { url, baseURL, params } = mock.history['get']![0]!;
      expect(url).toMatch(new RegExp(`^${server.origin}/items\\?a=1(&key=k1)?$`));
      expect([baseURL, params]).toEqual([undefined, undefined]);
    }
  });

  it('passThrough() keeps signatures right', async () => {
    const { instance, mock } = mocked(signer(), signed.origin);
    mock.onAny().passThrough();
    const { status } = await instance.post('/echo/json', { a: 1 }, { params: { q: "it's" } });
    expect(status).toBe(200);
  });

  it('restore() and detaching, in any order, leave the instance as it was', async () => {
    const { instance, mock } = mocked(apiKey({ key: 'k1' }));
    mock.onGet('/items').reply(200);
    mock.restore();
    await instance.get('/items');
    expect(server.requests[0]!.headers['x-api-key']).toBe('k1');
    attachAuth(instance, apiKey({ key: 'k2' }))();
    await instance.get('/items');
    expect(server.requests[1]!.headers['x-api-key']).toBeUndefined();
  });
});

describe.each(orders)('interceptors, added %s', (_, plug) => {
  it('see neither credential nor rejection; what they change is signed', async () => {
    const seen: unknown[] = [];
    const instance = axios.create({ baseURL: signed.origin });
    const guest: Plug = ({ interceptors }) => {
      interceptors.request.use(async (config) => {
        config.url += '?late=1';
        config.headers.set('X-Late', '1');
        seen.push(config.headers.has('Authorization'));
        return config;
      });
      interceptors.response.use((response) => {
        seen.push(response.status, response.config.headers.has('Authorization'));
        return response;
      });
    };
    plug(instance, guest, signer());
    signed.inject({ status: 401, headers: { 'WWW-Authenticate': 'OAuth oauth_problem="nonce_used"' } });
    const before = signed.verdicts.length;
    await instance.post('/echo/json', { a: 1 }).catch(() => {});
    seen.splice(0);
    expect((await instance.post('/echo/json', { a: 1 }, { params: { q: "it's" } })).status).toBe(200);
    expect(seen).toEqual([false, 200, false]);
    expect(signed.requests.at(-1)!.query).toBe('late=1&q=it%27s');
    expect(signed.verdicts.slice(before).map(({ refusal }) => refusal)).toEqual(signed.verdicts.slice(before).map(() => undefined));
  });

  it('get an error of axios for the second 401: isAxiosError, toJSON, no secret', async () => {
    const secret = plantSecret('token');
    const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: secret, tokenType: 'Bearer' }) });
    server.inject({ status: 401, body: { message: 'rejected' }, times: 2 });
    const instance = axios.create({ baseURL: server.origin });
    const seen: AxiosError[] = [];
    const guest: Plug = ({ interceptors }) =>
      interceptors.response.use(undefined, (error) => {
        seen.push(error);
        throw error;
      });
    plug(instance, guest, fromTokenSource(source, { name: 'tokens' }));
    const error = await errorOf(instance.get('/items'));
    expect(seen).toEqual([error]);
    expect(isAxiosError(error)).toBe(true);
    expect(error.toJSON()).toMatchObject({ status: 401, code: AxiosError.ERR_BAD_REQUEST, config: { url: '/items' } });
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([`Bearer ${secret}`, `Bearer ${secret}`]);
    expect(findSecret([inspect(error, { depth: Infinity }), JSON.stringify(error), error.toJSON()], [secret])).toEqual([]);
  });

  it('are inherited by create() as far as axios does that; the strategy is not', async () => {
    const instance = axios.create({ baseURL: server.origin, headers: { 'X-Own': '1' } });
    plug(instance, (each) => each.interceptors.request.use((config) => config), apiKey({ key: 'parent-key' }));
    const child = (instance as AxiosInstance & { create: typeof axios.create }).create({ headers: { 'X-Child': '1' } });
    await child.get('/items');
    expect(server.requests[0]!.headers).toMatchObject({ 'x-own': '1', 'x-child': '1' });
    expect(server.requests[0]!.headers['x-api-key']).toBeUndefined();
  });
});

it('an interceptor that sets `adapter` and runs after ours sends without credentials: added before us, it does', async () => {
  const instance = axios.create({ baseURL: server.origin });
  const own = axios.getAdapter('http');
  instance.interceptors.request.use((config) => Object.assign(config, { adapter: own }));
  attachAuth(instance, apiKey({ key: 'k1' }));
  await instance.get('/items');
  instance.interceptors.request.clear();
  attachAuth(instance, apiKey({ key: 'k1' }));
  instance.interceptors.request.use((config) => Object.assign(config, { adapter: own }));
  await instance.get('/items');
  expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, 'k1']);
});
