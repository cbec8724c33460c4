// openapi-fetch, in what only it has. docs/guests.md says what to write. Over real sockets.
import { withAuth } from '@authseam/adapter-fetch';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { isAuthError } from '@authseam/core';
import createClient, { type Middleware } from 'openapi-fetch';
import { describe, expect, it } from 'vitest';
import type { Paths } from './fixtures/fetch-guests.ts';
import { acceptOnly, errorOf, expectSignatures, rotatingTokens, server, signed, signer, startServers } from './fixtures/guest-servers.ts';

startServers();

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
