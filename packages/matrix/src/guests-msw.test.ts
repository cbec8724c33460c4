// MSW beside us. It patches fetch and node:http of this process: hence a file of its own. Nothing leaves the machine, and what passes through MSW goes
// to a real server on loopback.
import { attachAuth } from '@authseam/adapter-axios';
import { withAuth } from '@authseam/adapter-fetch';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthStrategy, isAuthError, type WithAuthOptions } from '@authseam/core';
import { type EchoServer, type ExtraHorizonServer, echoServer, extraHorizonServer } from '@authseam/testing';
import axios, { isAxiosError } from 'axios';
import { HttpResponse, http, passthrough } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const api = 'https://api.example.com';
const tokenEndpoint = 'https://login.example.com/token';
const platformFetch = globalThis.fetch;

/** What MSW saw: the Authorization header and the body of each request. */
const seen: string[] = [];
const msw = setupServer();
let real: EchoServer;
let signed: ExtraHorizonServer;

beforeAll(async () => {
  [real, signed] = await Promise.all([echoServer(), extraHorizonServer()]);
  msw.listen({ onUnhandledFrame: 'error' });
});
afterEach(() => {
  msw.resetHandlers();
  seen.splice(0);
  real.clearRequests();
});
afterAll(async () => {
  msw.close();
  expect(globalThis.fetch).toBe(platformFetch);
  await Promise.all([real.close(), signed.close()]);
});

/** Tokens t1, t2, … from an authorization server that is a handler of MSW. */
function grant(): AuthStrategy {
  let count = 0;
  msw.use(
    http.post(tokenEndpoint, async ({ request }) => {
      seen.push(`token ${await request.text()}`);
      return HttpResponse.json({ access_token: `t${++count}`, token_type: 'Bearer', expires_in: 3600 });
    }),
  );
  return clientCredentials({ tokenEndpoint, clientId: 'client', clientSecret: 'not-under-test' });
}

/** An API that lets `accepted` in. */
function items(accepted: string): void {
  msw.use(
    http.all(`${api}/items`, async ({ request }) => {
      const authorization = request.headers.get('authorization');
      seen.push(`${authorization} ${await request.text()}`);
      return authorization === `Bearer ${accepted}` ? HttpResponse.json({ ok: true }) : HttpResponse.json({ ok: false }, { status: 401 });
    }),
  );
}

interface Client {
  readonly name: string;
  attach(
    strategy: AuthStrategy,
    options?: WithAuthOptions,
  ): (url: string, body?: string, signal?: AbortSignal) => Promise<{ status: number; url: string; data: unknown }>;
}

const ofAxios = (adapter: 'http' | 'fetch'): Client => ({
  name: `axios on ${adapter}`,
  attach(strategy, options) {
    const instance = axios.create({ adapter });
    attachAuth(instance, strategy, options);
    return async (url, data, signal) => {
      const method = data === undefined ? 'get' : 'post';
      const headers = data === undefined ? {} : { 'Content-Type': 'text/plain' };
      const response = await instance.request({ url, method, data, headers, validateStatus: null, ...(signal && { signal }) });
      return { status: response.status, url: response.request.res?.responseUrl ?? response.request.url, data: response.data };
    };
  },
});

const clients: readonly Client[] = [
  {
    name: 'fetch',
    attach(strategy, options) {
      const call = withAuth(fetch, strategy, options);
      return async (url, body, signal) => {
        const response = await call(url, { ...(body !== undefined && { method: 'POST', body }), ...(signal && { signal }) });
        const text = await response.text();
        return { status: response.status, url: response.url, data: text.startsWith('{') ? JSON.parse(text) : text };
      };
    },
  },
  ofAxios('http'),
  ofAxios('fetch'),
];

describe.each(clients)('$name', ({ name, attach }) => {
  it('token request, 401, refresh and replay are all intercepted', async () => {
    items('t2');
    expect(await attach(grant())(`${api}/items`, 'body é')).toMatchObject({ status: 200, data: { ok: true } });
    const token = 'token grant_type=client_credentials';
    expect(seen).toEqual([token, 'Bearer t1 body é', token, 'Bearer t2 body é']);
  });

  it('a standing 401 arrives whole', async () => {
    items('never');
    expect(await attach(grant())(`${api}/items`)).toMatchObject({ status: 401, data: { ok: false } });
    expect(seen).toHaveLength(4);
  });

  it('a redirect is followed hop by hop', async () => {
    items('t1');
    msw.use(http.get(`${api}/old`, () => new HttpResponse(null, { status: 302, headers: { Location: '/items' } })));
    const answer = await attach(grant())(`${api}/old`);
    expect(answer).toMatchObject({ status: 200, data: { ok: true } });
    if (name !== 'axios on fetch') expect(answer.url).toBe(`${api}/items`);
  });

  it('to another origin it takes no credential along', async () => {
    const elsewhere: (string | null)[] = [];
    msw.use(
      http.get(`${api}/away`, () => new HttpResponse(null, { status: 302, headers: { Location: 'https://other.example.com/' } })),
      http.get('https://other.example.com/', ({ request }) => {
        elsewhere.push(request.headers.get('authorization'));
        return new HttpResponse('other');
      }),
    );
    expect(await attach(grant())(`${api}/away`)).toMatchObject({ status: 200, data: 'other' });
    expect(elsewhere).toEqual([null]);
  });

  it('passthrough() sends to the real server, with the credential', async () => {
    msw.use(http.all(`${real.origin}/*`, () => passthrough()));
    real.inject({ status: 401, when: ({ headers }) => headers['authorization'] === 'Bearer t1' });
    expect((await attach(grant())(`${real.origin}/items`, 'body é')).status).toBe(200);
    expect(real.requests.map(({ headers, text }) => [headers['authorization'], text])).toEqual([
      ['Bearer t1', 'body é'],
      ['Bearer t2', 'body é'],
    ]);
  });

  it('passthrough() keeps signatures right', async () => {
    msw.use(http.all(`${signed.origin}/*`, () => passthrough()));
    const { consumerKey, consumerSecret, token, tokenSecret } = signed;
    const answer = await attach(oauth1({ consumerKey, consumerSecret, token, tokenSecret }))(`${signed.origin}/users/v1/me?q=it%27s`);
    expect(answer.status).toBe(200);
  });

  it('HttpResponse.error() is an error of the client', async () => {
    msw.use(http.get(`${api}/broken`, () => HttpResponse.error()));
    const call = attach(grant());
    const failed = await call(`${api}/broken`).then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(failed).toSatisfy(name === 'fetch' ? (error: unknown) => error instanceof TypeError : isAxiosError);
  });

  it('a token endpoint that refuses is an error of ours, and nothing is sent to the API', async () => {
    items('t1');
    const strategy = grant();
    msw.use(http.post(tokenEndpoint, () => new HttpResponse(null, { status: 400 })));
    await expect(attach(strategy)(`${api}/items`)).rejects.toSatisfy(isAuthError);
    expect(seen).toEqual([]);
  });

  it('an abort ends the wait for a token', async () => {
    const strategy = grant();
    let asked = false;
    msw.use(
      http.post(tokenEndpoint, () => {
        asked = true;
        return new Promise<never>(() => {});
      }),
    );
    const controller = new AbortController();
    const call = attach(strategy)(`${api}/items`, undefined, controller.signal);
    const ended = call.then(
      () => expect.unreachable(),
      (error) => error,
    );
    await expect.poll(() => asked).toBe(true);
    controller.abort();
    expect(await ended).toMatchObject({ name: name === 'fetch' ? 'AbortError' : 'CanceledError' });
  });
});

it('a fetch that was taken before listen() is not intercepted, its token requests are; one that is looked up at each call is', async () => {
  await using fresh = await echoServer();
  msw.use(http.get(`${fresh.origin}/items`, () => HttpResponse.json({ mocked: true })));
  const looked = withAuth((...args: Parameters<typeof fetch>) => fetch(...args), grant());
  expect(await (await looked(`${fresh.origin}/items`)).json()).toEqual({ mocked: true });
  const taken = withAuth(platformFetch, grant());
  await using another = await echoServer();
  msw.use(http.get(`${another.origin}/items`, () => HttpResponse.json({ mocked: true })));
  expect(await (await taken(`${another.origin}/items`)).json()).toMatchObject({ method: 'GET' });
  expect(another.requests[0]!.headers['authorization']).toBe('Bearer t1');
  expect(fresh.requests).toEqual([]);
});
