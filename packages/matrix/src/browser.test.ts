// The fetch adapter in a real Chromium: above all the redirects, which a browser follows, and hides, by itself.
import type { LoopbackServer } from '@authseam/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ChromiumPage, hasChromium, openChromiumPage } from './browser/chromium-page.ts';
import { type CorsRequest, corsHttp2Server, corsServer } from './browser/cors-server.ts';

let opened: ChromiumPage;
let page: Page;
let own: LoopbackServer;
let api: LoopbackServer;
let other: LoopbackServer;

beforeAll(async () => {
  if (!hasChromium()) return;
  [opened, api, other] = await Promise.all([openChromiumPage(), corsServer(), corsServer()]);
  ({ page, server: own } = opened);
});
beforeEach((context) => {
  if (!hasChromium()) context.skip('needs chromium');
  for (const server of [own, api, other]) server.clearRequests();
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
  await Promise.all([api?.close(), other?.close()]);
});

/** What a server got, preflights left out. */
function arrived({ requests }: { readonly requests: readonly CorsRequest[] }): CorsRequest[] {
  return requests.filter(({ method }) => method !== 'OPTIONS');
}

function authorizations(server: { readonly requests: readonly CorsRequest[] }): unknown[] {
  return arrived(server).map(({ headers }) => headers['authorization']);
}

/** A URL of the API that redirects to `target`. */
function redirectTo(target: string, status = 302): string {
  return `${api.origin}/redirect/${status}?to=${encodeURIComponent(target)}`;
}

describe('a bearer token and a redirect', () => {
  it.each([302, 307])('to another origin: %i is followed, and the browser takes the token off', async (status) => {
    const { response, events } = await page.evaluate(
      (url) => authseam.send(authseam.bearerToken({ token: 'example-token' }), url, { method: 'POST', body: 'hello' }),
      redirectTo(`${other.origin}/landed`, status),
    );
    expect(response).toEqual({ status: 200, url: `${other.origin}/landed`, redirected: true, text: 'this is /landed' });
    expect(events).toEqual([]);
    expect(authorizations(api)).toEqual(['Bearer example-token']);
    expect(authorizations(other)).toEqual([undefined]);
    expect(arrived(other)[0]).toMatchObject(status === 307 ? { method: 'POST', text: 'hello' } : { method: 'GET', text: '' });
    expect(JSON.stringify(other.requests)).not.toContain('example-token');
  });

  it('a 401 from another origin is the answer, and causes no refresh', async () => {
    const { response, events, count } = await page.evaluate(
      async (url) => {
        const { strategy, count } = authseam.rotatingTokens();
        return { ...(await authseam.send(strategy, url)), count: count() };
      },
      redirectTo(`${other.origin}/only/t2`),
    );
    expect(response).toMatchObject({ status: 401, url: `${other.origin}/only/t2`, text: 'rejected' });
    expect({ events, count }).toEqual({ events: ['token-fetched'], count: 1 });
    expect(authorizations(api)).toEqual(['Bearer t1']);
    expect(authorizations(other)).toEqual([undefined]);
  });

  it('within its origin keeps the token, and a 401 after it causes a refresh', async () => {
    const { response, count } = await page.evaluate(async (url) => {
      const { strategy, count } = authseam.rotatingTokens();
      return { ...(await authseam.send(strategy, url)), count: count() };
    }, redirectTo('/only/t2'));
    expect(response).toMatchObject({ status: 200, url: `${api.origin}/only/t2`, redirected: true });
    expect(count).toBe(2);
    expect(arrived(api).map(({ path }) => path)).toEqual(['/redirect/302', '/only/t2', '/redirect/302', '/only/t2']);
    expect(authorizations(api)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2', 'Bearer t2']);
  });
});

describe.each(['header', 'query'] as const)('an API key in the %s and a redirect', (place) => {
  it.each(['another origin', 'the same origin'])('to %s is refused: nothing arrives there', async (target) => {
    const home = target === 'another origin' ? other : api;
    const { error, response } = await page.evaluate(
      ([url, place]) => authseam.send(authseam.apiKey({ key: 'example-key', in: place, name: 'x-key' }), url),
      [redirectTo(`${home.origin}/landed`), place] as const,
    );
    expect(response).toBeUndefined();
    expect(error).toMatchObject({ code: 'UNSAFE_DESTINATION', message: expect.stringContaining('unsafeAllowHiddenRedirects') });
    expect(error?.message).not.toContain('example-key');
    expect(arrived(api).map(({ path }) => path)).toEqual(['/redirect/302']);
    expect(JSON.stringify(arrived(api))).toContain('example-key');
    expect(other.requests).toEqual([]);
  });

  it('to another origin is followed with unsafeAllowHiddenRedirects, and takes a header along', async () => {
    const { error, response } = await page.evaluate(
      ([url, place]) => {
        const strategy = authseam.apiKey({ key: 'example-key', in: place, name: 'x-key' });
        return authseam.send(strategy, url, {}, { unsafeAllowHiddenRedirects: true });
      },
      [redirectTo(`${other.origin}/landed`), place] as const,
    );
    expect(error).toBeUndefined();
    expect(response).toMatchObject({ status: 200, url: `${other.origin}/landed`, redirected: true, text: 'this is /landed' });
    expect(JSON.stringify(arrived(api))).toContain('example-key');
    expect(arrived(other)).toHaveLength(1);
    expect(arrived(other)[0]?.headers['x-key']).toBe(place === 'header' ? 'example-key' : undefined);
  });

  it('arrives where nothing redirects', async () => {
    const { response } = await page.evaluate(
      ([url, place]) => authseam.send(authseam.apiKey({ key: 'example-key', in: place, name: 'x-key' }), url),
      [`${api.origin}/items?a=1`, place] as const,
    );
    expect(response).toMatchObject({ status: 200, redirected: false });
    const [request] = arrived(api);
    expect(request?.query).toBe(place === 'query' ? 'a=1&x-key=example-key' : 'a=1');
    expect(request?.headers['x-key']).toBe(place === 'header' ? 'example-key' : undefined);
  });
});

it.each(['manual', 'error'] as const)("a caller's own `redirect: '%s'` is kept", async (redirect) => {
  const { error, response } = await page.evaluate(
    ([url, redirect]) => authseam.send(authseam.apiKey({ key: 'example-key' }), url, { redirect }),
    [redirectTo(`${other.origin}/landed`), redirect] as const,
  );
  if (redirect === 'manual') expect(response).toMatchObject({ status: 0, redirected: false });
  else expect(error).toMatchObject({ name: 'TypeError' });
  expect(arrived(api)).toHaveLength(1);
  expect(other.requests).toEqual([]);
});

describe('a 401', () => {
  const bodies = ['string', 'bytes', 'Blob', 'URLSearchParams', 'Request of a string', 'Request of bytes', 'Request of a Blob'] as const;

  it.each(bodies)('causes one refresh and one replay, byte for byte: %s', async (kind) => {
    const { response, events, count } = await page.evaluate(
      async ([url, kind]) => {
        const { strategy, count } = authseam.rotatingTokens();
        const bytes = new Uint8Array([0, 1, 250, 251, 252, 13, 10]);
        const body =
          kind === 'URLSearchParams'
            ? new URLSearchParams({ a: '1 +', b: 'é' })
            : kind.endsWith('Blob')
              ? new Blob([bytes], { type: 'text/x-test' })
              : kind.endsWith('bytes')
                ? bytes
                : 'text é';
        const init = { method: 'POST', body, headers: { 'x-a': '1' } };
        const outcome = kind.startsWith('Request')
          ? await authseam.send(strategy, new Request(url, init))
          : await authseam.send(strategy, url, init);
        return { ...outcome, count: count() };
      },
      [`${api.origin}/only/t2`, kind] as const,
    );
    expect(response).toMatchObject({ status: 200, url: `${api.origin}/only/t2`, text: 'this is /only/t2' });
    expect({ events, count }).toEqual({ events: ['token-fetched', 'rejected', 'token-fetched'], count: 2 });
    expect(authorizations(api)).toEqual(['Bearer t1', 'Bearer t2']);
    const [first, second] = api.requests.filter(({ method }) => method === 'POST');
    expect(first?.body.byteLength).toBeGreaterThan(6);
    expect(second?.body).toEqual(first?.body);
    for (const name of ['content-type', 'content-length', 'x-a']) expect(second?.headers[name]).toBe(first?.headers[name]);
  });

  it.each(['stream', 'Request of a stream'] as const)('causes a refresh but no replay: %s', async (kind) => {
    await using http2 = await corsHttp2Server();
    const [first, second, count] = await page.evaluate(
      async ([url, kind]) => {
        const { strategy, count } = authseam.rotatingTokens();
        const body = new Blob(['one shot']).stream();
        const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
        const first = kind === 'stream' ? await authseam.send(strategy, url, init) : await authseam.send(strategy, new Request(url, init));
        return [first, await authseam.send(strategy, url), count()] as const;
      },
      [`${http2.origin}/only/t2`, kind] as const,
    );
    expect(first.error).toBeUndefined();
    expect(first.response).toMatchObject({ status: 401, text: 'rejected' });
    expect(first.events).toContain('replay-skipped');
    expect(second.response).toMatchObject({ status: 200 });
    expect(count).toBe(2);
    expect(arrived(http2).map(({ method, text }) => [method, text])).toEqual([
      ['POST', 'one shot'],
      ['GET', ''],
    ]);
    expect(authorizations(http2)).toEqual(['Bearer t1', 'Bearer t2']);
  });
});

it('a cookie is refused, with the reason: nothing is sent', async () => {
  const { error } = await page.evaluate(
    (url) => authseam.send(authseam.apiKey({ key: 'example-key', in: 'cookie', name: 'key' }), url),
    `${api.origin}/items`,
  );
  expect(error).toEqual({
    name: 'ConfigurationError',
    code: 'CONFIGURATION_ERROR',
    message: expect.stringMatching(/browsers do not let a page set cookies/),
  });
  expect(api.requests).toEqual([]);
});

it.each([
  ['items', '/app/items'],
  ['/items', '/items'],
])('a relative URL resolves against the page: %s', async (url, path) => {
  const { response, events } = await page.evaluate(
    ([url, origins]) => authseam.send(authseam.bearerToken({ token: 'example-token' }), url, {}, { origins }),
    [url, own.origin] as const,
  );
  expect(response).toMatchObject({ status: 200, url: `${own.origin}${path}` });
  expect(events).toEqual([]);
  expect(own.requests.map((request) => [request.path, request.headers['authorization']])).toEqual([[path, 'Bearer example-token']]);
});

it('a relative URL resolves against the `<base>` of the page, also where `origins` is asked', async () => {
  const { named, bare, query } = await page.evaluate(
    async ([home, elsewhere]) => {
      const base = document.createElement('base');
      base.href = `${home}/v2/`;
      document.head.append(base);
      const key = authseam.apiKey({ key: 'example-key', name: 'x-key' });
      const named = await authseam.send(key, 'named', {}, { origins: home });
      const bare = await authseam.send(key, 'bare', {}, { origins: elsewhere });
      const query = await authseam.send(authseam.apiKey({ key: 'example-key', in: 'query', name: 'x-key' }), 'query');
      base.remove();
      return { named, bare, query };
    },
    [api.origin, own.origin] as const,
  );
  expect([named, bare, query].map(({ response }) => response?.status)).toEqual([200, 200, 200]);
  expect(bare.events).toEqual(['request-bare']);
  expect(arrived(api).map((request) => [request.path, request.query, request.headers['x-key']])).toEqual([
    ['/v2/named', '', 'example-key'],
    ['/v2/bare', '', undefined],
    ['/v2/query', 'x-key=example-key', undefined],
  ]);
  expect(own.requests).toEqual([]);
});

it('an abort while it waits for a token ends the call at once: nothing is sent', async () => {
  const { error, events } = await page.evaluate((url) => {
    const source = authseam.createTokenManager({ key: 'test', fetchToken: () => new Promise(() => {}) });
    const controller = new AbortController();
    const call = authseam.send(authseam.fromTokenSource(source, { name: 'tokens' }), url, { signal: controller.signal });
    controller.abort();
    return call;
  }, `${api.origin}/items`);
  expect(error).toMatchObject({ name: 'AbortError', code: undefined });
  expect(events).toEqual([]);
  expect(api.requests).toEqual([]);
});
