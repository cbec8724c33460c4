// The axios adapter in a real Chromium: XMLHttpRequest, which follows redirects whatever one says, and axios's fetch adapter.
import type { LoopbackServer, ReceivedRequest } from '@authseam/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ChromiumPage, hasChromium, openChromiumPage } from './browser/chromium-page.ts';
import { corsServer } from './browser/cors-server.ts';

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
function arrived({ requests }: LoopbackServer): ReceivedRequest[] {
  return requests.filter(({ method }) => method !== 'OPTIONS');
}

const redirectTo = (target: string): string => `${api.origin}/redirect/307?to=${encodeURIComponent(target)}`;

describe.each(['xhr', 'fetch'] as const)('the %s adapter', (adapter) => {
  it('sends a 401 again once, byte for byte', async () => {
    for (const body of ['json', 'bytes', 'Blob', 'URLSearchParams', 'FormData'] as const) {
      api.clearRequests();
      const { response, events } = await page.evaluate(
        ([url, adapter, body]) => {
          const { strategy } = authseam.rotatingTokens();
          const form = new FormData();
          form.set('a', new File(['content'], 'a.txt'));
          const bodies = {
            json: { a: 'é' },
            bytes: new Uint8Array([0, 250]).buffer,
            Blob: new Blob(['b']),
            URLSearchParams: new URLSearchParams('a=1'),
            FormData: form,
          };
          return authseam.sendAxios(strategy, { url, adapter, method: 'post', data: bodies[body] });
        },
        [`${api.origin}/only/t2`, adapter, body] as const,
      );
      expect(response).toMatchObject({ status: 200, text: 'this is /only/t2' });
      expect(events).toEqual(['token-fetched', 'rejected', 'token-fetched']);
      const [first, second] = arrived(api);
      const plain = ({ text, headers }: ReceivedRequest): string => {
        const boundary = /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1] ?? 'none';
        return `${headers['content-type']} ${headers['content-length']} ${text}`.replaceAll(boundary, '');
      };
      expect(plain(second!)).toBe(plain(first!));
      expect(first!.body.length).toBeGreaterThan(0);
    }
  });

  it('a bearer token and a redirect to another origin: followed, and the browser takes the token off', async () => {
    const { response, events } = await page.evaluate(
      ([url, adapter]) => authseam.sendAxios(authseam.bearerToken({ token: 'example-token' }), { url, adapter }),
      [redirectTo(`${other.origin}/landed`), adapter] as const,
    );
    expect(response).toMatchObject({ status: 200, text: 'this is /landed' });
    expect(events).toEqual([]);
    expect(arrived(api)[0]!.headers['authorization']).toBe('Bearer example-token');
    expect(arrived(other).map(({ headers }) => headers['authorization'])).toEqual([undefined]);
  });

  it.each(['header', 'query'] as const)('an API key in the %s and a redirect is refused: nothing arrives there', async (place) => {
    const { error } = await page.evaluate(
      ([url, adapter, place]) => authseam.sendAxios(authseam.apiKey({ key: 'example-key', in: place, name: 'x-key' }), { url, adapter }),
      [redirectTo(`${other.origin}/landed`), adapter, place] as const,
    );
    expect(error).toMatchObject({ code: 'UNSAFE_DESTINATION' });
    expect(JSON.stringify(arrived(api))).toContain('example-key');
    expect(other.requests).toEqual([]);
  });

  it('with unsafeAllowHiddenRedirects it is followed', async () => {
    const { response } = await page.evaluate(
      ([url, adapter]) =>
        authseam.sendAxios(authseam.apiKey({ key: 'example-key', name: 'x-key' }), { url, adapter }, { unsafeAllowHiddenRedirects: true }),
      [redirectTo(`${other.origin}/landed`), adapter] as const,
    );
    expect(response).toMatchObject({ status: 200, text: 'this is /landed' });
  });

  it('an API key arrives where nothing redirects, a cookie is refused', async () => {
    const outcomes = await page.evaluate(
      async ([url, adapter]) => {
        const place = (where: 'header' | 'query' | 'cookie') => authseam.apiKey({ key: 'example-key', in: where, name: 'x-key' });
        return Promise.all(
          (['header', 'query', 'cookie'] as const).map((where) => authseam.sendAxios(place(where), { url, adapter, params: { a: '1' } })),
        );
      },
      [`${api.origin}/items`, adapter] as const,
    );
    expect(outcomes.map(({ response, error }) => response?.status ?? error?.code)).toEqual([200, 200, 'CONFIGURATION_ERROR']);
    expect(
      arrived(api)
        .map(({ query }) => query)
        .sort(),
    ).toEqual(['a=1', 'a=1&x-key=example-key']);
  });

  it('a 401 from another origin causes no refresh', async () => {
    const { response, events } = await page.evaluate(
      ([url, adapter]) => authseam.sendAxios(authseam.rotatingTokens().strategy, { url, adapter }),
      [redirectTo(`${other.origin}/only/t2`), adapter] as const,
    );
    expect(response).toMatchObject({ status: 401 });
    if (adapter === 'xhr') expect(events).toEqual(['token-fetched']);
  });

  it('a relative URL goes to the page, with `baseURL` too', async () => {
    const statuses = await page.evaluate(async (adapter) => {
      const strategy = authseam.bearerToken({ token: 'example-token' });
      const configs = [{ url: '/items' }, { baseURL: '/api', url: 'items' }];
      return Promise.all(configs.map(async (config) => (await authseam.sendAxios(strategy, { ...config, adapter })).response?.status));
    }, adapter);
    expect(statuses).toEqual([200, 200]);
    expect(own.requests.map(({ path, headers }) => `${path} ${headers['authorization']}`).sort()).toEqual([
      '/api/items Bearer example-token',
      '/items Bearer example-token',
    ]);
  });
});
