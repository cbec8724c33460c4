// ofetch, in what only it has. docs/guests.md says what to write. Over real sockets.
import { withAuth } from '@authseam/adapter-fetch';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { type AuthStrategy, isAuthError } from '@authseam/core';
import { FetchError, ofetch } from 'ofetch';
import { describe, expect, it } from 'vitest';
import { acceptOnly, errorOf, expectSignatures, rotatingTokens, server, signed, signer, startServers } from './fixtures/guest-servers.ts';

startServers();

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
