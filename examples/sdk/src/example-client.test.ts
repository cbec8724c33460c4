// What the SDK promises, once per HTTP client. Real clients against real servers: nothing here is mocked.
import { inspect } from 'node:util';
import { apiKey } from '@authseam/auth-api-key';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { type AuthStrategy, isAuthError } from '@authseam/core';
import { type Answer, type Fault, findSecret, type ReceivedRequest, type SdkServer, sdkServer } from '@authseam/testing';
import axios from 'axios';
import ky from 'ky';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { axiosHttp } from './axios-http.ts';
import { ExampleClient, type ExampleClientOptions, type Item } from './example-client.ts';
import { ExampleApiError, ExampleConnectionError } from './example-error.ts';
import { fetchHttp } from './fetch-http.ts';
import { type TokenApi, tokenApi } from './fixtures/token-api.ts';
import { kyHttp } from './ky-http.ts';

let server: SdkServer;
let elsewhere: SdkServer;
let oauth: TokenApi;

beforeAll(async () => {
  [server, elsewhere, oauth] = await Promise.all([sdkServer(), sdkServer(), tokenApi()]);
});
beforeEach(() => {
  for (const each of [server, elsewhere, oauth.api, oauth.login]) {
    each.clearFaults();
    each.clearRequests();
  }
  vi.stubEnv('YOUR_API_KEY', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await Promise.all([server.close(), elsewhere.close(), oauth[Symbol.asyncDispose]()]);
});

const keysAt = ({ requests }: { readonly requests: readonly ReceivedRequest[] }): (string | undefined)[] =>
  requests.map(({ headers }) => headers['x-api-key']);
const thrownBy = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined).catch((error: unknown) => error);

/** Answers requests for items with these pages, as long as the key is right. */
function servePages(...pages: readonly { readonly data: readonly Item[]; readonly next?: string }[]): void {
  const page = (body: object) => (answer: Answer) => (answer.status === 200 ? { status: 200, body } : answer);
  server.inject(pages.map((body): Fault => ({ at: '/v1/items', transform: page(body) })));
}

/** What a customer with an application at the authorization server gives the SDK. */
function grant(clientSecret = oauth.login.clientSecret): AuthStrategy {
  const { issuer, clientId, audience } = oauth.login;
  return clientCredentials({ issuer, clientId, clientSecret, clientAuthentication: 'client_secret_post', audience });
}

async function readAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const clients = [
  { name: 'fetch', http: () => fetchHttp() },
  { name: 'axios on http', http: () => axiosHttp(axios.create()) },
  { name: 'axios on fetch', http: () => axiosHttp(axios.create({ adapter: 'fetch' })) },
  { name: 'ky', http: () => kyHttp(ky.create({ retry: 0 })) }, // its retries wait for seconds
];

describe.each(clients)('through $name', ({ http }) => {
  const clientOf = (options: ExampleClientOptions = {}): ExampleClient =>
    new ExampleClient({ auth: apiKey({ key: server.apiKey }), http: http(), baseUrl: server.origin, ...options });

  test('sends the key that it was given', async () => {
    expect(await clientOf().me()).toEqual({ id: 'acct_1', name: 'Example account' });
    expect(keysAt(server)).toEqual([server.apiKey]);
  });

  test('takes the key from the environment by itself, and names the variable that is not set', async () => {
    const client = new ExampleClient({ http: http(), baseUrl: server.origin });
    const error = await thrownBy(client.me());
    expect(isAuthError(error, 'CONFIGURATION_ERROR') && error.message).toContain('YOUR_API_KEY is not set');
    expect(server.requests).toEqual([]);
    vi.stubEnv('YOUR_API_KEY', server.apiKey);
    expect((await client.me()).id).toBe('acct_1');
  });

  test('sends JSON', async () => {
    await clientOf().createItem({ name: 'Zoë’s' });
    const [request, ...more] = server.requests;
    expect([request?.method, request?.text, more.length]).toEqual(['POST', '{"name":"Zoë’s"}', 0]);
    expect(request?.headers['content-type']).toMatch(/^application\/json\b/);
  });

  test('keeps the path of the base URL', async () => {
    server.inject({ at: '/api/v1/me', status: 200, body: { id: 'acct_2' } });
    expect((await clientOf({ baseUrl: `${server.origin}/api` }).me()).id).toBe('acct_2');
  });

  test('sends no credentials to a public endpoint', async () => {
    server.inject([{ at: '/v1/status', status: 200, body: { status: 'up' } }]);
    expect(await clientOf().status()).toEqual({ status: 'up' });
    expect(keysAt(server)).toEqual([undefined]);
  });

  describe('errors', () => {
    test('an answer that is an error is told by status and code', async () => {
      const error = await thrownBy(clientOf({ auth: apiKey({ key: 'wrong' }) }).me());
      expect(error).toBeInstanceOf(ExampleApiError);
      expect(error).toMatchObject({
        message: 'GET /v1/me answered 401 (invalid_api_key): The API key is not valid.',
        status: 401,
        code: 'invalid_api_key',
      });
    });

    test.each([
      { answer: { status: 502, body: '<h1>Bad gateway</h1>' }, message: 'GET /v1/me answered 502: <h1>Bad gateway</h1>' },
      { answer: { status: 500, body: '' }, message: 'GET /v1/me answered 500: nothing' },
      { answer: { status: 418, body: null }, message: 'GET /v1/me answered 418: null' },
      { answer: { status: 200, body: '<h1>Welcome to the hotel</h1>' }, message: 'GET /v1/me answered 200: <h1>Welcome to the hotel</h1>' },
    ])('an answer that the API would not give: $answer.status $answer.body', async ({ answer, message }) => {
      server.inject(answer);
      const error = await thrownBy(clientOf().me());
      expect(error).toBeInstanceOf(ExampleApiError);
      expect(error).toMatchObject({ message, status: answer.status, code: undefined });
    });

    test.each(['on-arrival', 'before-headers', 'mid-body'] as const)('a connection that breaks %s', async (reset) => {
      server.inject({ reset });
      const error = await thrownBy(clientOf().me());
      expect(error).toBeInstanceOf(ExampleConnectionError);
      expect(error).toMatchObject({ message: 'GET /v1/me got no answer.', cause: expect.any(Error) });
      expect(findSecret(inspect(error, { depth: 10 }), [server.apiKey])).toEqual([]);
    });

    test('what goes wrong with authentication arrives as it is', async () => {
      const error = await thrownBy(clientOf({ auth: grant('wrong'), baseUrl: oauth.api.origin }).me());
      expect(isAuthError(error, 'TOKEN_ENDPOINT_ERROR') && [error.strategy, error.error]).toEqual(['clientCredentials', 'invalid_client']);
      expect(oauth.api.requests).toEqual([]);
    });
  });

  describe('a signal', () => {
    const reason = new Error('The customer has left.');

    test('that is aborted already sends nothing', async () => {
      expect(await thrownBy(clientOf().me({ signal: AbortSignal.abort(reason) }))).toBe(reason);
      expect(server.requests).toEqual([]);
    });

    test('ends the wait for an answer', async () => {
      server.inject({ stall: 'before-headers' });
      const controller = new AbortController();
      const call = thrownBy(clientOf().me({ signal: controller.signal }));
      await vi.waitUntil(() => server.requests.length === 1);
      controller.abort(reason);
      expect(await call).toBe(reason);
    });

    test('ends the wait for a token; the calls of others get theirs', async () => {
      const client = clientOf({ auth: grant(), baseUrl: oauth.api.origin });
      oauth.login.inject({ at: 'token', delayMs: 200 });
      const controller = new AbortController();
      const aborted = thrownBy(client.me({ signal: controller.signal }));
      const other = client.me();
      await vi.waitUntil(() => oauth.login.tokenRequests === 1);
      controller.abort(reason);
      expect(await aborted).toBe(reason);
      expect(oauth.api.requests).toEqual([]);
      expect((await other).id).toBe('acct_1');
      expect([oauth.login.tokenRequests, oauth.api.requests.length]).toEqual([1, 1]);
    });
  });

  describe('credentials stay with the API', () => {
    const one = { id: '1', name: 'one' };
    const two = { id: '2', name: 'two' };

    test('on all its pages', async () => {
      servePages({ data: [one], next: '/v1/items?page=2' }, { data: [two] });
      expect(await readAll(clientOf().items())).toEqual([one, two]);
      expect(server.requests.map(({ query }) => query)).toEqual(['', 'page=2']);
      expect(keysAt(server)).toEqual([server.apiKey, server.apiKey]);
    });

    test('when a page links to another origin', async () => {
      servePages({ data: [one], next: `${elsewhere.origin}/v1/items` });
      const error = await thrownBy(readAll(clientOf().items()));
      expect(error).toMatchObject({ status: 401, code: 'missing_api_key' });
      expect(keysAt(elsewhere)).toEqual([undefined]);
    });

    test('when a redirect leads to another origin', async () => {
      server.inject({ at: '/v1/me', status: 307, headers: { Location: `${elsewhere.origin}/v1/me` } });
      expect(await thrownBy(clientOf().me())).toMatchObject({ status: 401, code: 'missing_api_key' });
      expect(keysAt(elsewhere)).toEqual([undefined]);
    });
  });

  describe('with OAuth 2 instead of a key', () => {
    const tokensAt = (): (string | undefined)[] => oauth.api.requests.map(({ headers }) => headers['authorization']);

    test('an expired token is refreshed once for many calls', async () => {
      const client = clientOf({ auth: grant(), baseUrl: oauth.api.origin });
      const calls = () => Array.from({ length: 20 }, () => client.me());
      await Promise.all(calls());
      expect([oauth.login.tokenRequests, new Set(tokensAt()).size]).toEqual([1, 1]);

      oauth.login.expireTokens();
      expect(new Set((await Promise.all(calls())).map(({ id }) => id))).toEqual(new Set(['acct_1']));
      expect([oauth.login.tokenRequests, new Set(tokensAt()).size]).toEqual([2, 2]);
      expect(oauth.api.requests).toHaveLength(20 + 20 + 20);
    });

    test('what was posted with an expired token is posted again', async () => {
      const client = clientOf({ auth: grant(), baseUrl: oauth.api.origin });
      await client.me();
      oauth.login.expireTokens();
      expect(await client.createItem({ name: 'Zoë’s' })).toEqual({ id: 'item_1', name: 'Zoë’s' });
      const posts = oauth.api.requests.filter(({ method }) => method === 'POST');
      expect(posts.map(({ text }) => text)).toEqual(['{"name":"Zoë’s"}', '{"name":"Zoë’s"}']);
      const types = posts.map(({ headers }) => headers['content-type']);
      expect([types.filter((type) => /^application\/json\b/.test(type ?? '')).length, new Set(types).size]).toEqual([2, 1]);
    });
  });
});
