import { Readable } from 'node:stream';
import { attachAuth } from '@authseam/adapter-axios';
import { apiKey, basic } from '@authseam/auth-api-key';
import { type AuthEvent, type AuthStrategy, byOrigin } from '@authseam/core';
import axios, { type AxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';

import {
  attachedOver,
  failure,
  header,
  lateToken,
  other,
  queryKey,
  rejectFirstToken,
  rotatingTokens,
  server,
  startServers,
} from './fixtures/axios-subject.ts';

startServers();

describe.each(['http', 'fetch'] as const)('the %s adapter', (adapter) => {
  const attached = attachedOver(adapter);

  describe('the URL that is signed', () => {
    const urls: readonly (readonly [string, AxiosRequestConfig])[] = [
      ['params with arrays and nested objects', { url: '/i', params: { a: [1, 'é'], b: { c: 'x y', d: [true] }, "it's": "[|]'" } }],
      ['a query and params', { url: '/i?x=1', params: { y: '2' } }],
      [
        'URLSearchParams',
        {
          url: '/i',
          params: new URLSearchParams([
            ['a', '1 +'],
            ['a', 'é'],
          ]),
        },
      ],
      ['a serializer', { url: '/i', params: { a: [1, 2] }, paramsSerializer: { serialize: () => "a=1,2&b='[]|&c=%2f" } }],
      ['a serializer of old', { url: '/i', params: { a: 1 }, paramsSerializer: (() => 'old=1') as never }],
      ['index-less arrays', { url: '/i', params: { a: [1, 2] }, paramsSerializer: { indexes: null } }],
      ['a base with a path', { baseURL: 'base/v1/', url: 'i' }],
      ['an absolute URL of the same origin', { url: 'absolute' }],
      ['a fragment', { url: '/i?x=1#part', params: { y: 2 } }],
      ['dots and umlauts', { url: '/a/../ü b/i' }],
      ['colons', { url: '/i/12:30?at=1:2' }],
    ];
    it.each(urls)('is the URL that is sent: %s', async (_, given) => {
      const config = { ...given };
      if (config.baseURL) config.baseURL = `${server.origin}/${config.baseURL}`;
      if (config.url === 'absolute') config.url = `${server.origin}/i`;
      let signed = '';
      const witness: AuthStrategy = {
        name: 'witness',
        specVersion: 1,
        authorize: ({ url }) => {
          signed = url;
          return { headers: { 'X-Seen': '1' } };
        },
      };
      await attached(witness).request(config);
      await attached(queryKey()).request(config);
      await axios.request({ baseURL: server.origin, adapter, ...config });
      const [ours, keyed, bare] = server.requests.map(({ url }) => new URL(url).href);
      expect(server.requests[0]!.url).toBe(signed);
      expect(ours).toBe(bare);
      expect(keyed).toBe(`${bare}${bare!.includes('?') ? '&' : '?'}key=k`);
    });

    it('is what later interceptors, earlier ones and transforms made of it', async () => {
      const instance = axios.create({ baseURL: server.origin, adapter });
      let signed = '';
      const change = (name: string) => (config: { url?: string; params?: object }) => {
        config.params = { ...config.params, [name]: '1' };
        return config as never;
      };
      instance.interceptors.request.use(change('before'));
      attachAuth(instance, {
        name: 'witness',
        specVersion: 1,
        authorize: ({ url, method }) => {
          signed = `${method} ${url}`;
          return { headers: { 'X-Seen': '1' } };
        },
      });
      instance.interceptors.request.use(change('after'));
      instance.interceptors.request.use(async (config) => {
        config.url = '/changed';
        config.method = 'put';
        return config;
      });
      await instance.post('/i', { a: 1 });
      const [request] = server.requests;
      expect(`${request!.method} ${request!.url}`).toBe(signed);
      expect(signed).toBe(`PUT ${server.origin}/changed?after=1&before=1`);
    });
  });

  describe('bodies', () => {
    const bodies: Record<string, () => [unknown, AxiosRequestConfig?]> = {
      json: () => [{ a: [1, 'é'] }],
      text: () => ['plain é', { headers: { 'Content-Type': 'text/plain' } }],
      'text without a label': () => ['plain'],
      URLSearchParams: () => [new URLSearchParams({ a: '1 +' })],
      'a form of an object': () => [{ a: '1 +', b: ['x'] }, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
      Buffer: () => [Buffer.from([0, 1, 250])],
      'Uint8Array view': () => [new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
      ArrayBuffer: () => [new Uint8Array([9, 8]).buffer],
      Blob: () => [new Blob(['blob'], { type: 'text/x-test' })],
      'Blob without a type': () => [new Blob(['blob'])],
      empty: () => [''],
      nothing: () => [undefined],
      null: () => [null],
    };
    const strategies: Record<string, () => AuthStrategy> = {
      bearer: rotatingTokens,
      'one that signs forms': () => signing('form'),
      'one that signs bytes': () => signing('bytes'),
    };
    function signing(readsBody: 'form' | 'bytes'): AuthStrategy {
      const tokens = rotatingTokens();
      return { ...tokens, readsBody };
    }
    const cells = Object.keys(strategies).flatMap((strategy) => Object.keys(bodies).map((body) => [body, strategy] as const));
    it.each(cells)('%s, with %s: as bare axios sends it, and the same again after a 401', async (body, strategy) => {
      rejectFirstToken();
      const [data, config] = bodies[body]!();
      const response = await attached(strategies[strategy]!()).post('/i', data, config);
      expect(response.status).toBe(200);
      await axios.create({ baseURL: server.origin, adapter }).post('/i', ...bodies[body]!());
      const [first, second, bare] = server.requests;
      expect(server.requests).toHaveLength(3);
      for (const ours of [first, second]) {
        expect(ours!.body).toEqual(bare!.body);
        for (const name of ['content-type', 'content-length', 'transfer-encoding']) {
          expect([name, ours!.headers[name]]).toEqual([name, bare!.headers[name]]);
        }
      }
    });

    it.each(Object.keys(strategies))('FormData, with %s: the label of bare axios, and the same parts again', async (strategy) => {
      const form = (): FormData => {
        const data = new FormData();
        data.set('a', '1');
        data.set('file', new File(['content'], 'a.txt'));
        return data;
      };
      rejectFirstToken();
      await attached(strategies[strategy]!()).post('/i', form());
      await axios.create({ baseURL: server.origin, adapter }).post('/i', form());
      const seen = server.requests.map(({ text, headers }) => {
        const boundary = /^--(\S+)/.exec(text)![1]!;
        return [headers['content-type'], text].map((part) => part!.replaceAll(boundary, 'BOUNDARY')).join('\n');
      });
      expect(seen).toHaveLength(3);
      expect(seen[1]).toBe(seen[0]);
      expect(seen[0]!.replaceAll('\r\n', '\n').trim()).toBe(seen[2]!.replaceAll('\r\n', '\n').trim());
    });

    it('transforms run once', async () => {
      rejectFirstToken();
      const transformRequest = vi.fn((data: unknown) => JSON.stringify([data]));
      const transformResponse = vi.fn((data: unknown) => data);
      await attached(rotatingTokens()).post('/i', { a: 1 }, { transformRequest, transformResponse });
      expect(server.requests.map(({ text }) => text)).toEqual(['[{"a":1}]', '[{"a":1}]']);
      expect([transformRequest.mock.calls.length, transformResponse.mock.calls.length]).toEqual([1, 1]);
    });

    it('a stream goes out once, the recovery still runs', async () => {
      rejectFirstToken();
      const events: AuthEvent[] = [];
      const instance = attached(rotatingTokens(), { maxRedirects: 0 }, { onEvent: (event) => events.push(event) });
      const data = adapter === 'http' ? Readable.from(['one shot']) : new Blob(['one shot']).stream();
      expect(await failure(instance.post('/i', data))).toMatchObject({ response: { status: 401 } });
      expect(server.requests.map(({ text }) => text)).toEqual(['one shot']);
      expect(events).toContainEqual({ type: 'replay-skipped', strategy: 'tokens', reason: 'body-not-replayable' });
      expect((await instance.get('/i')).status).toBe(200);
      expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2']);
    });

    it('a stream that a strategy would have to read is refused before anything is sent', async () => {
      const instance = attached({ ...lateToken(), readsBody: 'bytes' });
      const error = await failure(instance.post('/i', Readable.from(['x'])));
      expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'body' });
      expect(server.requests).toHaveLength(0);
    });

    it('bytes that the caller reuses while a token is fetched go out as they were', async () => {
      const data = Buffer.from('before');
      const call = attached(lateToken()).post('/i', data);
      await Promise.resolve();
      data.write('after!');
      await call;
      expect(server.requests[0]!.text).toBe('before');
    });

    it('form fields join a form, and make one where there is no body', async () => {
      const strategy: AuthStrategy = { name: 'field', specVersion: 1, readsBody: 'form', authorize: () => ({ form: [['key', 'k &']] }) };
      const instance = attached(strategy);
      await instance.post('/i', new URLSearchParams('a=1'));
      await instance.post('/i');
      await instance.delete('/i');
      expect(server.requests.map(({ text }) => text)).toEqual(['a=1&key=k%20%26', 'key=k%20%26', 'key=k%20%26']);
      for (const type of header('content-type')) expect(type).toMatch(/^application\/x-www-form-urlencoded/);
      expect(server.requests.map(({ headers, body }) => Number(headers['content-length']) === body.length)).toEqual([true, true, true]);
      expect(await failure(instance.post('/i', { a: 1 }))).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'form' });
      expect(await failure(instance.get('/i'))).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'form' });
    });
  });

  describe('one request differently', () => {
    it('without, or with another strategy, byOrigin included', async () => {
      const instance = attached(apiKey({ key: 'k' }));
      await instance.get('/a', { authStrategy: false });
      await instance.get('/a', { authStrategy: basic({ username: 'u', password: 'p' }) });
      const elsewhere = byOrigin({ [other.origin]: apiKey({ key: 'other' }) });
      await instance.get('/a', { authStrategy: elsewhere });
      await instance.get('/a', { authStrategy: undefined });
      expect(header('x-api-key')).toEqual([undefined, undefined, undefined, 'k']);
      expect(header('authorization')).toEqual([undefined, `Basic ${btoa('u:p')}`, undefined, undefined]);
      await axios.create({ adapter }).get(`${other.origin}/a`);
      const free = attached(apiKey({ key: 'k' }), { baseURL: '' });
      await free.get(`${other.origin}/a`, { authStrategy: elsewhere });
      expect(other.requests.at(-1)!.headers['x-api-key']).toBe('other');
    });

    it('what is no strategy is refused', async () => {
      const error = await failure(attached(apiKey({ key: 'k' })).get('/a', { authStrategy: {} as never }));
      expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR' });
      expect(server.requests).toHaveLength(0);
    });

    it('an adapter of its own is used, inside', async () => {
      const instance = attached(apiKey({ key: 'k' }));
      const mine = vi.fn(async (config) => ({ status: 200, statusText: '', data: 'mine', headers: {}, config }));
      expect((await instance.get('/a', { adapter: mine })).data).toBe('mine');
      expect(mine.mock.calls[0]![0].headers.get('X-API-Key')).toBe('k');
      expect(server.requests).toHaveLength(0);
    });
  });
});
