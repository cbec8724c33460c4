// axios-mock-adapter beside us on an axios instance. docs/guests.md says what to write.
import { inspect } from 'node:util';
import { attachAuth } from '@authseam/adapter-axios';
import { apiKey } from '@authseam/auth-api-key';
import { type AuthStrategy, createTokenManager, fromTokenSource } from '@authseam/core';
import { findSecret, plantSecret } from '@authseam/testing';
import axios, { type AxiosError, type AxiosInstance, isAxiosError } from 'axios';
import AxiosMockAdapter from 'axios-mock-adapter';
import { describe, expect, it } from 'vitest';
import { orders } from './fixtures/axios-orders.ts';
import { acceptOnly, errorOf, rotatingTokens, sent, server, signed, signer, startServers } from './fixtures/guest-servers.ts';

startServers();

/** Its types are those of a CommonJS module, and so is the axios instance that they name. */
function mockOf(instance: AxiosInstance): AxiosMockAdapter {
  return new AxiosMockAdapter(instance as never);
}

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
    const error = await errorOf<AxiosError>(instance.get('/items', { authStrategy: false }));
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
      expect((await errorOf<AxiosError>(instance.get('/items', { params: { a: 1 } }))).response?.status).toBe(404);
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
