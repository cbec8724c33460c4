// axios-retry beside us on an axios instance. docs/guests.md says what to write.
import { inspect } from 'node:util';
import { apiKey } from '@authseam/auth-api-key';
import { type AuthStrategy, createTokenManager, fromTokenSource, isAuthError } from '@authseam/core';
import { findSecret, plantSecret } from '@authseam/testing';
import axios, { AxiosError, type AxiosInstance } from 'axios';
import axiosRetry, { type IAxiosRetryConfig } from 'axios-retry';
import { describe, expect, it } from 'vitest';
import { orders } from './fixtures/axios-orders.ts';
import { acceptOnly, errorOf, rotatingTokens, sent, server, signed, signer, startServers } from './fixtures/guest-servers.ts';

startServers();

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
    server.inject({ delayMs: 400, times: Number.POSITIVE_INFINITY });
    server.inject({ status: 503, times: Number.POSITIVE_INFINITY });
    const error = await errorOf(retrying(rotatingTokens().strategy, { retries: 5 }).get('/items', { timeout: 1_500 }));
    expect(error.code).toBe(AxiosError.ECONNABORTED);
    expect(sent().length).toBeLessThan(6);
    server.clearRequests();
    const last = await errorOf<AxiosError>(
      retrying(rotatingTokens().strategy, { retries: 3, shouldResetTimeout: true }).get('/items', { timeout: 1_500 }),
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
