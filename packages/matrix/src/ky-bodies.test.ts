// Bodies of ky: what is signed, sent again and sent on along redirects, and what is sent once.
import { withAuth } from '@authseam/adapter-ky';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import type { AuthEvent } from '@authseam/core';
import ky, { type Options } from 'ky';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { acceptOnly, bodies, eager, errorOf, header, other, rotating, server, startServers, url, witness } from './fixtures/ky-subject.ts';

startServers();

const streamed = (body: ReadableStream): RequestInit => ({ method: 'POST', body, duplex: 'half' }) as RequestInit;

describe('a body', () => {
  const ways: Record<string, (options: Options) => readonly [string | Request, Options]> = {
    'as an option': (options) => [url(), options],
    'without retries': (options) => [url(), { ...options, retry: 0 }],
    'with searchParams': (options) => [url(), { ...options, searchParams: { q: '1' } }],
    'in a Request': ({ json, body }) => [new Request(url(), { method: 'POST', body: body ?? JSON.stringify(json) }), {}],
    'in a Request that a hook puts in its place': (options) => [
      url(),
      { ...options, hooks: { beforeRequest: [({ request }) => new Request(request, { headers: { 'x-hooked': '1' } })] } },
    ],
    'in a Request that a hook makes of another body': ({ json, body }) => [
      url(),
      { hooks: { beforeRequest: [() => new Request(url(), { method: 'POST', body: body ?? JSON.stringify(json) })] } },
    ],
  };
  const cases = Object.keys(ways).flatMap((way) => Object.keys(bodies).map((kind) => [kind, way] as const));

  it.each(cases)('of %s %s is sent again whole after a 401', async (kind, way) => {
    const { strategy } = rotating();
    acceptOnly('t2');
    const [input, options] = ways[way]!(bodies[kind]!());
    expect((await withAuth(ky, strategy).post(input, options)).status).toBe(200);
    const [first, second] = server.requests;
    expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2']);
    expect(first!.body.length).toBeGreaterThan(0);
    expect(second!.body).toEqual(first!.body);
    for (const name of ['content-type', 'content-length', 'x-hooked']) expect(second!.headers[name]).toBe(first!.headers[name]);
  });

  it.each(Object.keys(bodies))('of %s is shown to a strategy that signs it as it is sent, also on a retry of ky', async (kind) => {
    const { seen, strategy } = witness('bytes');
    server.inject({ status: 503 });
    await withAuth(eager, strategy).put(url(), bodies[kind]!());
    expect(server.requests).toHaveLength(2);
    for (const [index, { body, headers }] of server.requests.entries()) {
      expect(Buffer.from(seen[index]?.body ?? '')).toEqual(body);
      expect(seen[index]?.headers.get('content-type') ?? undefined).toBe(headers['content-type']);
    }
  });

  const once: Record<string, (options: Options) => Options> = {
    'a stream': (options) => ({ ...options, body: new Blob(['one shot']).stream() }),
    'a string with onUploadProgress, which makes a stream of it': (options) => ({
      ...options,
      body: 'one shot',
      onUploadProgress: () => {},
    }),
    'a stream that a hook puts in the place of a string': (options) => ({
      ...options,
      body: 'text',
      hooks: { beforeRequest: [({ request }) => new Request(request.url, streamed(new Blob(['one shot']).stream()))] },
    }),
  };
  const onceCases = Object.keys(once).flatMap((kind) => ([2, 0] as const).map((retry) => [kind, retry] as const));
  it.each(onceCases)('%s is sent once (retry: %i), whole; the recovery runs, so that the next call works', async (kind, retry) => {
    const events: AuthEvent[] = [];
    const { strategy, count } = rotating();
    acceptOnly('t2');
    const api = withAuth(ky, strategy, { onEvent: (event) => events.push(event) });
    await expect(api.post(url(), once[kind]!({ retry }))).rejects.toMatchObject({
      name: 'HTTPError',
      response: { status: 401 },
      data: { error: 'rejected' },
    });
    expect(server.requests.map(({ text }) => text)).toEqual(['one shot']);
    expect(events).toContainEqual({ type: 'replay-skipped', strategy: 'tokens', reason: 'body-not-replayable' });
    expect((await api(url())).status).toBe(200);
    expect(count()).toBe(2);
  });

  it('that ky keeps a copy of can be sent again by ky itself: `statusCodes: [401]` covers onUploadProgress', async () => {
    const { strategy } = rotating();
    acceptOnly('t2');
    const api = withAuth(eager, strategy).extend({ retry: { statusCodes: [401], methods: ['post'] } });
    expect((await api.post(url(), { body: 'again', onUploadProgress: () => {} })).status).toBe(200);
    expect(server.requests.map(({ text }) => text)).toEqual(['again', 'again']);
  });

  it('that is a stream cannot be signed: a ConfigurationError before anything is sent', async () => {
    const { strategy } = witness('bytes');
    const call = withAuth(eager, strategy).put(url(), { body: new Blob(['x']).stream() });
    await expect(call).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'body' });
    expect(server.requests).toEqual([]);
  });

  it('goes along on a redirect that asks for it', async () => {
    const response = await withAuth(ky, apiKey({ key: 'k' })).post(url('/redirect/307?to=/landed'), { json: { a: 1 } });
    expect(response).toMatchObject({ status: 200, redirected: true, url: url('/landed') });
    expect(server.requests.map(({ text }) => text)).toEqual(['{"a":1}', '{"a":1}']);
    expect(header('x-api-key')).toEqual(['k', 'k']);
  });
});

describe('a body where the runtime does not say what a Request was made of, as in Bun and Deno', () => {
  /** Takes any `mode` for any body. */
  class LaxRequest extends Request {
    constructor(input: string | URL | Request, { mode: _, ...init }: RequestInit = {}) {
      super(input, init);
    }
  }
  beforeEach(() => {
    vi.stubGlobal('Request', LaxRequest);
  });

  const late = new Blob(['of the hook']);
  const hooked = (makeRequest: (request: Request) => Request): Options => ({
    hooks: { beforeRequest: [({ request }) => makeRequest(request)] },
  });
  const hooks: Record<string, Options> = {
    'no hook': {},
    'no retries': { retry: 0 },
    'a hook that adds a header': hooked((request) => new Request(request, { headers: { 'x-hooked': '1' } })),
    'a hook with a body of its own': hooked(({ url: target }) => new Request(target, { method: 'POST', body: late })),
    'a hook with a stream': hooked(({ url: target }) => new Request(target, streamed(late.stream()))),
    'a hook that makes it a GET without a body': hooked(({ url: target }) => new Request(target)),
  };
  const known = ['json', 'string', 'URLSearchParams', 'bytes'];
  it.each(known.flatMap((kind) => Object.keys(hooks).map((hook) => [kind, hook] as const)))(
    '%s, %s: is sent again whole',
    async (kind, hook) => {
      acceptOnly('t2');
      const fetch = vi.fn(globalThis.fetch);
      const options = { ...bodies[kind]!(), ...hooks[hook]! };
      expect((await withAuth(ky.create({ fetch }), rotating().strategy).post(url(), options)).status).toBe(200);
      const [first, second] = server.requests;
      expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2']);
      expect(first!.text).toEqual(/own|stream/.test(hook) ? 'of the hook' : /without/.test(hook) ? '' : expect.stringMatching(/./s));
      expect(second!.body).toEqual(first!.body);
      for (const name of ['content-type', 'content-length', 'x-hooked']) expect(second!.headers[name]).toBe(first!.headers[name]);
      for (const [, init] of fetch.mock.calls) expect(Object.keys(init ?? {})).toEqual([]);
    },
  );

  it.each([
    ['Blob', bodies['Blob']!()],
    ['FormData', bodies['FormData']!()],
    ['stream', { body: late.stream() }],
    ['string with onUploadProgress', { body: 'text', onUploadProgress: () => {} }],
  ])('%s: is sent once, whole, and the next call works', async (_, options) => {
    acceptOnly('t2');
    const api = withAuth(ky, rotating().strategy);
    expect(await errorOf(api.post(url(), options))).toMatchObject({ response: { status: 401 } });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.body.length).toBeGreaterThan(0);
    expect((await api(url())).status).toBe(200);
  });

  it('is known as well where no `mode` is taken at all, as in workerd', async () => {
    const { Request: Platform } = globalThis;
    vi.stubGlobal(
      'Request',
      class extends Platform {
        constructor(input: string | URL | Request, init: RequestInit = {}) {
          if (init.mode !== undefined && init.mode !== 'cors') throw new TypeError('mode is not implemented');
          super(input, init);
        }
      },
    );
    acceptOnly('t2');
    expect((await withAuth(ky, rotating().strategy).post(url(), { body: 'text' })).status).toBe(200);
    expect(server.requests.map(({ text }) => text)).toEqual(['text', 'text']);
  });

  it('keeps what stands on the Request, retries of ky, other strategies, and one credential when attached to twice', async () => {
    server.inject({ status: 503 });
    const seen: Request[] = [];
    const traced = eager.create({
      retry: { limit: 1, delay: () => 0, methods: ['post'] },
      fetch: (input, init) => {
        seen.push(input as Request);
        return fetch(input, init);
      },
    });
    const api = withAuth(withAuth(traced, apiKey({ key: 'first' })), apiKey({ key: 'second' }));
    const authStrategy = bearerToken({ token: 'other' });
    await api.post(url(), { json: { a: 1 }, credentials: 'omit', keepalive: true, headers: { 'x-a': '1' }, authStrategy });
    expect(server.requests).toHaveLength(2);
    for (const { text, headers } of server.requests) {
      expect(text).toBe('{"a":1}');
      expect(headers).toMatchObject({ 'x-a': '1', 'content-type': 'application/json', authorization: 'Bearer other' });
      expect(headers['x-api-key']).toBeUndefined();
    }
    expect(seen.map(({ credentials, keepalive }) => [credentials, keepalive])).toEqual([
      ['omit', true],
      ['omit', true],
    ]);
  });
});

// Node 22 cannot send bytes on along a redirect that fetch follows itself; what was no bytes at first must not fail there.
describe.each(['none', 'bytes'] as const)('a body on a chain of redirects that leaves the origin, with readsBody: %s', (readsBody) => {
  it.each(Object.keys(bodies).filter((kind) => kind !== 'bytes'))('is sent on to its end: %s', async (kind) => {
    const back = encodeURIComponent(url('/back'));
    const away = encodeURIComponent(`${other.origin}/redirect/307?to=${back}`);
    const api = withAuth(ky, witness(readsBody).strategy);
    const response = await api.post(url(`/redirect/307?to=${away}`), { ...bodies[kind]!(), retry: 0 });
    expect(response).toMatchObject({ status: 200, redirected: true, url: url('/back') });
    expect(header('x-seen')).toEqual(['1', undefined]);
    const [first, last] = server.requests;
    expect(last!.body).toEqual(first!.body);
    for (const name of ['content-type', 'content-length']) expect(last!.headers[name]).toBe(first!.headers[name]);
  });
});
