// What only the fetch adapter has: fetch's own ways to say what to send, each held against bare fetch.
import { withAuth } from '@authseam/adapter-fetch';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { type AuthRequest, type AuthStrategy, createTokenManager, fromTokenSource } from '@authseam/core';
import { type EchoServer, echoServer } from '@authseam/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

let server: EchoServer;
let other: EchoServer;

beforeAll(async () => {
  [server, other] = await Promise.all([echoServer(), echoServer()]);
});
beforeEach(() => {
  for (const each of [server, other]) {
    each.clearFaults();
    each.clearRequests();
  }
});
afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
});

const lateToken = () => bearerToken({ token: async () => 'late' });
const queryKey = () => apiKey({ key: 'k', in: 'query', name: 'key' });
const stream = (text: string) => new Blob([text]).stream();
const streamed = (body: ReadableStream): RequestInit => ({ method: 'POST', body, duplex: 'half' }) as RequestInit;

/** A strategy that notes what it was shown. */
function witness(readsBody: 'none' | 'form' | 'bytes'): { seen: AuthRequest[]; strategy: AuthStrategy } {
  const seen: AuthRequest[] = [];
  return {
    seen,
    strategy: {
      name: 'witness',
      specVersion: 1,
      readsBody,
      authorize: (request) => {
        seen.push(request);
        return { headers: { 'X-Seen': '1' } };
      },
    },
  };
}

describe('what the caller reuses while a token is fetched', () => {
  it('is sent as it was when the call was made', async () => {
    const api = withAuth(fetch, lateToken());
    const url = new URL(`${server.origin}/items`);
    const headers = new Headers();
    const body = new URLSearchParams();
    const calls = [1, 2, 3].map((id) => {
      url.searchParams.set('id', String(id));
      headers.set('x-id', String(id));
      body.set('id', String(id));
      return api(url, { method: 'POST', headers, body });
    });
    await Promise.all(calls);
    const sent = server.requests.map(({ query, headers: own, text }) => [query, own['x-id'], text]);
    expect(sent.sort()).toEqual([1, 2, 3].map((id) => [`id=${id}`, String(id), `id=${id}`]));
  });

  it('cannot take the credential past `origins`', async () => {
    const url = new URL(`${server.origin}/items`);
    const call = withAuth(fetch, lateToken(), { origins: server.origin })(url);
    url.port = new URL(other.origin).port;
    await call;
    expect(other.requests).toEqual([]);
    expect(server.requests[0]?.headers['authorization']).toBe('Bearer late');
  });
});

describe('an init is read as fetch reads it', () => {
  it.each([
    ['a Request', () => new Request('https://elsewhere.example.com', { method: 'DELETE', headers: { 'x-a': '1' } })],
    ['an object with a prototype', () => Object.create({ method: 'DELETE', headers: { 'x-a': '1' } }) as RequestInit],
    [
      'a class with getters',
      () =>
        new (class {
          get method() {
            return 'DELETE';
          }
          get headers() {
            return { 'x-a': '1' };
          }
        })(),
    ],
  ])('%s', async (_, init) => {
    await withAuth(fetch, apiKey({ key: 'k' }))(`${server.origin}/items`, init());
    expect(server.requests[0]).toMatchObject({ method: 'DELETE', headers: { 'x-a': '1', 'x-api-key': 'k' } });
  });

  it('a Request with a body in its place', async () => {
    const init = new Request('https://elsewhere.example.com', { method: 'POST', body: 'proxied' });
    await withAuth(fetch, apiKey({ key: 'k' }))(`${server.origin}/items`, init);
    expect(server.requests[0]).toMatchObject({ method: 'POST', text: 'proxied', headers: { 'x-api-key': 'k' } });
  });

  it('a signal of null takes the signal of the Request away', async () => {
    const request = new Request(`${server.origin}/items`, { signal: AbortSignal.abort() });
    expect((await withAuth(fetch, apiKey({ key: 'k' }))(request, { signal: null })).status).toBe(200);
  });

  it('an empty body takes the place of that of a Request', async () => {
    for (const auth of [apiKey({ key: 'k' }), witness('bytes').strategy]) {
      await withAuth(fetch, auth)(new Request(`${server.origin}/items`, { method: 'POST', body: 'old' }), { body: '' });
    }
    expect(server.requests.map(({ text }) => text)).toEqual(['', '']);
  });

  it('several cookies of the caller stay several', async () => {
    const api = withAuth(fetch, apiKey({ key: 'k', in: 'cookie', name: 'key' }));
    for (const headers of [
      [
        ['Cookie', 'a=1'],
        ['cookie', 'b=2'],
      ] as [string, string][],
      { Cookie: 'a=1', cookie: 'b=2' },
    ])
      await api(`${server.origin}/items`, { headers });
    expect(server.requests.map(({ headers }) => headers['cookie'])).toEqual(['a=1; b=2; key=k', 'a=1; b=2; key=k']);
  });
});

describe('a Request', () => {
  const bodies = {
    string: 'text',
    bytes: new Uint8Array([1, 2, 3]),
    Blob: new Blob(['blob']),
    URLSearchParams: new URLSearchParams('a=1'),
  };
  it.each(Object.entries(bodies))('with a %s body goes whole to a URL with a query key, and again after a 401', async (_, body) => {
    server.inject({ status: 401, when: ({ headers }) => headers['authorization'] === 'Bearer t1' });
    for (const auth of [queryKey(), rotating()])
      await withAuth(fetch, auth)(new Request(`${server.origin}/items`, { method: 'POST', body }));
    expect(server.requests).toHaveLength(3);
    expect(new Set(server.requests.map(({ text }) => text)).size).toBe(1);
    expect(server.requests.every(({ headers }) => headers['content-length'] !== undefined)).toBe(true);
  });

  it('with a stream keeps streaming, also where a query key moves it', async () => {
    for (const auth of [apiKey({ key: 'k' }), queryKey()]) {
      await withAuth(fetch, auth)(new Request(`${server.origin}/items`, streamed(stream('one shot'))));
    }
    expect(server.requests.map(({ text }) => text)).toEqual(['one shot', 'one shot']);
  });

  it('is left to be sent once: fetch and ours leave it in the same state', async () => {
    const request = new Request(`${server.origin}/items`, { method: 'POST', body: 'text' });
    await withAuth(fetch, apiKey({ key: 'k' }))(request);
    expect(request.bodyUsed).toBe(true);
  });

  it('that goes out bare the second time is still whole', async () => {
    server.inject({ status: 401 });
    const fickle: AuthStrategy = {
      name: 'fickle',
      specVersion: 1,
      authorize: ({ attempt }) => (attempt === 1 ? { headers: { 'X-Fickle': '1' } } : {}),
      recover: () => true,
    };
    const response = await withAuth(fetch, fickle)(new Request(`${server.origin}/items`, { method: 'POST', body: 'text' }));
    expect(response.status).toBe(200);
    expect(server.requests.map(({ text }) => text)).toEqual(['text', 'text']);
  });
});

describe('what a strategy is shown', () => {
  it.each(['get', 'post', 'put', 'delete', 'head', 'options', 'PATCH'])('is the method that is sent: %s', async (method) => {
    const { seen, strategy } = witness('none');
    await withAuth(fetch, strategy)(`${server.origin}/items`, { method });
    expect(seen[0]?.method).toBe(server.requests[0]?.method);
  });

  const form = new FormData();
  form.set('file', new Blob(['content']), 'a.txt');
  const bodies: Record<string, NonNullable<RequestInit['body']>> = {
    string: 'text é',
    URLSearchParams: new URLSearchParams([['a', '1 +']]),
    view: new Uint8Array([9, 1, 2, 9]).subarray(1, 3),
    ArrayBuffer: new Uint8Array([1, 2]).buffer,
    Blob: new Blob(['blob'], { type: 'text/x-test' }),
    FormData: form,
  };
  it.each(Object.entries(bodies))('is the body and the Content-Type that are sent: %s', async (_, body) => {
    const { seen, strategy } = witness('bytes');
    await withAuth(fetch, strategy)(`${server.origin}/items`, { method: 'POST', body });
    await withAuth(fetch, strategy)(new Request(`${server.origin}/items`, { method: 'POST', body }));
    for (const [index, { headers, body: bytes }] of server.requests.entries()) {
      expect(Buffer.from(seen[index]?.body ?? '')).toEqual(bytes);
      expect(seen[index]?.headers.get('content-type') ?? undefined).toBe(headers['content-type']);
    }
  });

  it('is no body that can be read only once: that is an error before anything is sent', async () => {
    const { strategy } = witness('bytes');
    for (const input of [
      [`${server.origin}/a`, streamed(stream('x'))],
      [new Request(`${server.origin}/a`, streamed(stream('x')))],
    ] as const) {
      await expect(withAuth(fetch, strategy)(...(input as [string, RequestInit]))).rejects.toMatchObject({
        code: 'CONFIGURATION_ERROR',
        option: 'body',
      });
    }
    expect(server.requests).toEqual([]);
  });

  it('form fields leave bytes before them what they are', async () => {
    const strategy: AuthStrategy = { name: 'form', specVersion: 1, readsBody: 'form', authorize: () => ({ form: [['key', 'k']] }) };
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0x3d, 0xff]);
    await withAuth(fetch, strategy)(`${server.origin}/items`, { method: 'POST', body, headers });
    expect(server.requests[0]?.body).toEqual(Buffer.concat([body, Buffer.from('&key=k')]));
  });

  it('form fields replace a Content-Length that no longer fits', async () => {
    const strategy: AuthStrategy = { name: 'form', specVersion: 1, readsBody: 'form', authorize: () => ({ form: [['key', 'k']] }) };
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '3' };
    await withAuth(fetch, strategy)(`${server.origin}/items`, { method: 'POST', body: 'a=1', headers });
    expect(server.requests[0]?.text).toBe('a=1&key=k');
  });
});

describe('a response that nobody gets', () => {
  it('is given up even if its body stalls', async () => {
    let cancelled = (): void => {};
    const isCancelled = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const stalled = new ReadableStream({ cancel: () => cancelled() });
    let sends = 0;
    const fake = async () => (++sends === 1 ? new Response(stalled, { status: 401 }) : new Response('ok'));
    expect((await withAuth(fake, rotating())('https://api.example.com/items')).status).toBe(200);
    await isCancelled;
  });
});

describe('wrappers', () => {
  it('of wrappers: what one call says is for the outer one', async () => {
    const api = withAuth(withAuth(fetch, apiKey({ key: 'inner' })), apiKey({ key: 'outer', name: 'X-Outer' }));
    await api(`${server.origin}/a`);
    await api(`${server.origin}/a`, { authStrategy: false });
    expect(server.requests.map(({ headers }) => [headers['x-api-key'], headers['x-outer']])).toEqual([
      ['inner', 'outer'],
      ['inner', undefined],
    ]);
  });

  it('refuse what is not fetch', () => {
    const axiosLike = Object.assign(() => {}, { interceptors: {} });
    for (const wrong of [undefined, {}, axiosLike]) {
      expect(() => withAuth(wrong as never, apiKey({ key: 'k' }))).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'fetch' }),
      );
    }
  });

  it('report what a listener throws as a warning, and nothing breaks', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const onEvent = () => {
      throw new Error('listener');
    };
    expect(
      (await withAuth(fetch, apiKey({ key: 'k' }), { onEvent, origins: 'https://api.example.com' })(`${server.origin}/a`)).status,
    ).toBe(200);
    expect(warned).toHaveBeenCalledWith(expect.objectContaining({ message: 'listener' }));
    warned.mockRestore();
  });
});

function rotating(): AuthStrategy {
  let count = 0;
  const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) });
  return fromTokenSource(source, { name: 'tokens' });
}
