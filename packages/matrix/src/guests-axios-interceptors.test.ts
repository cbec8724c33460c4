// Interceptors of the user beside us on an axios instance. docs/guests.md says what to write.
import { inspect } from 'node:util';
import { attachAuth } from '@authseam/adapter-axios';
import { apiKey } from '@authseam/auth-api-key';
import { createTokenManager, fromTokenSource } from '@authseam/core';
import { findSecret, plantSecret } from '@authseam/testing';
import axios, { AxiosError, type AxiosInstance, isAxiosError } from 'axios';
import { describe, expect, it } from 'vitest';
import { orders, type Plug } from './fixtures/axios-orders.ts';
import { errorOf, server, signed, signer, startServers } from './fixtures/guest-servers.ts';

startServers();

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
    const error = await errorOf<AxiosError>(instance.get('/items'));
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
