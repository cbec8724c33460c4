import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { attachAuth } from '@authseam/adapter-axios';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { oauth1 } from '@authseam/auth-oauth1';
import axios, { type AxiosInstance, type AxiosRequestConfig, isAxiosError } from 'axios';
import PackageFormData from 'form-data';
import { describe, expect, it, vi } from 'vitest';

import {
  attached,
  failure,
  header,
  headerKey,
  lateToken,
  other,
  rejectFirstToken,
  rotatingTokens,
  server,
  startServers,
} from './fixtures/axios-subject.ts';

startServers();

describe('attaching', () => {
  it('again replaces; detaching restores; a detach that was replaced does nothing', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const mine = vi.fn((config) => config);
    instance.interceptors.request.use(mine);
    const before = { defaults: instance.defaults, adapter: instance.defaults.adapter, keys: Reflect.ownKeys(instance) };
    const first = attachAuth(instance, apiKey({ key: 'one' }));
    const second = attachAuth(instance, apiKey({ key: 'two' }));
    await instance.get('/a');
    first();
    await instance.get('/a');
    second();
    second();
    await instance.get('/a');
    expect(header('x-api-key')).toEqual(['two', 'two', undefined]);
    expect({ defaults: instance.defaults, adapter: instance.defaults.adapter, keys: Reflect.ownKeys(instance) }).toEqual(before);
    expect(mine).toHaveBeenCalledTimes(3);
    let left = 0;
    const { request } = instance.interceptors as unknown as { request: { forEach(each: () => void): void } };
    request.forEach(() => {
      left += 1;
    });
    expect(left).toBe(1);
  });

  it('children of create() start without', async () => {
    const parent = axios.create({ baseURL: server.origin }) as AxiosInstance & typeof axios;
    attachAuth(parent, apiKey({ key: 'k' }));
    const child = parent.create({ headers: { 'X-Child': '1' } });
    await child.get('/a');
    attachAuth(child, apiKey({ key: 'child' }));
    await child.get('/a');
    await parent.get('/a');
    expect(header('x-api-key')).toEqual([undefined, 'child', 'k']);
  });

  it('a config that is sent again is authorized once, by the instance that sends it', async () => {
    server.inject({ status: 503 });
    const instance = axios.create({ baseURL: server.origin });
    attachAuth(instance, apiKey({ key: 'k' }));
    const error = await failure(instance.post('/a', { a: 1 }));
    if (!isAxiosError(error)) return expect.unreachable();
    await instance.request(error.config!);
    const second = axios.create({ baseURL: server.origin });
    attachAuth(second, apiKey({ key: 'second' }));
    await second.request(error.config!);
    expect(header('x-api-key')).toEqual(['k', 'k', 'second']);
  });

  it('a config that an interceptor sends on is authorized once', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const authorize = vi.fn(() => ({ headers: { 'X-Key': 'k' } }));
    let isNested = false;
    instance.interceptors.request.use(async (config) => {
      if (!isNested) {
        isNested = true;
        await instance.request({ ...config });
      }
      return config;
    });
    attachAuth(instance, { name: 'counted', specVersion: 1, authorize });
    await instance.get('/a');
    expect([authorize.mock.calls.length, server.requests.length]).toEqual([2, 2]);
  });

  it('the default instance can be attached to', async () => {
    const detach = attachAuth(axios, apiKey({ key: 'k' }), { origins: server.origin });
    await axios(`${server.origin}/a`);
    await axios.get(`${other.origin}/a`);
    detach();
    await axios.get(`${server.origin}/a`);
    expect([...header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual(['k', undefined, undefined]);
  });

  it.each([
    ['no instance', undefined],
    ['fetch', fetch],
    ['ky', Object.assign(async () => {}, { extend: () => {}, create: () => {} })],
    ['a config', {}],
    ['a strategy', apiKey({ key: 'k' })],
  ])('refuses %s', (_, instance) => {
    expect(() => attachAuth(instance as never, apiKey({ key: 'k' }))).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_ERROR',
        option: 'instance',
        message: expect.stringContaining('attachAuth(axios, strategy). For fetch and ky see @authseam/adapter-fetch and -ky.'),
      }),
    );
  });

  it('refuses what is no strategy, and one in the defaults, then or later', async () => {
    expect(() => attachAuth(axios.create(), {} as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR' }));
    const authStrategy = apiKey({ key: 'k' });
    expect(() => attachAuth(axios.create({ authStrategy }), authStrategy)).toThrow(expect.objectContaining({ option: 'authStrategy' }));
    const instance = axios.create({ baseURL: server.origin });
    attachAuth(instance, authStrategy);
    instance.defaults.authStrategy = authStrategy;
    expect(await failure(instance.get('/a'))).toMatchObject({ option: 'authStrategy' });
    expect(server.requests).toHaveLength(0);
  });

  it('signs with a nonce of its own each time a config is sent again', async () => {
    const instance = axios.create({ baseURL: server.origin });
    attachAuth(instance, oauth1({ consumerKey: 'c', consumerSecret: 's' }));
    const config = { url: '/a', method: 'post', data: new URLSearchParams('a=1') };
    await Promise.all([instance.request(config), instance.request(config)]);
    const nonces = header('authorization').map((value) => /oauth_nonce="([^"]+)"/.exec(value!)![1]);
    expect(new Set(nonces).size).toBe(2);
  });

  it('attaching again keeps the place among the interceptors', async () => {
    const instance = attached(headerKey());
    instance.interceptors.request.use((config) => Object.assign(config, { adapter: 'http' }));
    await instance.get('/a');
    attachAuth(instance, apiKey({ key: 'again' }));
    await instance.get('/a');
    expect(header('x-api-key')).toEqual(['k', 'again']);
  });

  it('a config that was caught goes out bare after detaching', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const detach = attachAuth(instance, headerKey());
    const error = await failure(instance.get('/a', { signal: AbortSignal.abort() }));
    detach();
    const { signal: _, ...config } = (error as unknown as { config: AxiosRequestConfig }).config ?? {};
    await instance.request({ url: '/a', ...config });
    expect(header('x-api-key')).toEqual([undefined]);
  });

  it('detaching takes out nobody else’s interceptor', async () => {
    const instance = axios.create({ baseURL: server.origin });
    const detach = attachAuth(instance, headerKey());
    instance.interceptors.request.clear();
    const mine = vi.fn((config) => config);
    instance.interceptors.request.use(mine);
    detach();
    await instance.get('/a');
    expect(mine).toHaveBeenCalledOnce();
  });

  it('options are checked, so that a misspelt `origins` lets nothing out', () => {
    for (const options of [null, { origin: 'https://api.example.com' }]) {
      expect(() => attachAuth(axios.create(), headerKey(), options as never)).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION_ERROR' }),
      );
    }
  });
});

describe('the http adapter', () => {
  it('the form-data package goes out once', async () => {
    rejectFirstToken();
    const form = new PackageFormData();
    form.append('a', '1');
    expect(await failure(attached(rotatingTokens()).post('/i', form))).toMatchObject({ response: { status: 401 } });
    expect(server.requests).toHaveLength(1);
  });

  it('a large upload is not buffered', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const before = held();
    /** What is kept in the end. What was freed is seen as free a little later. */
    const keptBytes = async (): Promise<number> => {
      for (let look = 0; look < 20 && held() - before > 20_000_000; look++) await new Promise((resolve) => setTimeout(resolve, 50));
      return held() - before;
    };
    let kept = 0;
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let index = 0; index < 96; index += 1) yield Buffer.alloc(1_000_000);
      kept = await keptBytes();
    }
    const sink = await import('node:http').then(({ createServer }) =>
      createServer((request, response) => request.resume().on('end', () => response.end('ok'))).listen(0),
    );
    const { port } = sink.address() as { port: number };
    await attached(bearerToken({ token: 't' }), { baseURL: '' }).post(`http://127.0.0.1:${port}/`, Readable.from(chunks()), {
      maxBodyLength: 2e8,
    });
    sink.close();
    expect(kept).toBeLessThan(20_000_000);
  });

  it('goes through a proxy of the caller’s, and over a Unix socket', async () => {
    const { createServer } = await import('node:http');
    const socketPath = `${tmpdir()}/authseam-${process.pid}.sock`;
    const local = createServer((request, response) => response.end(request.headers['x-api-key'])).listen(socketPath);
    const { data } = await attached(apiKey({ key: 'k' }), { baseURL: '' }).get('http://localhost/a', { socketPath });
    local.close();
    expect(data).toBe('k');
    const proxy = { host: '127.0.0.1', port: Number(new URL(server.origin).port) };
    await attached(apiKey({ key: 'k' }), { baseURL: 'http://localhost:9' }).get('/proxied', { proxy });
    expect(server.requests.at(-1)!.headers['x-api-key']).toBe('k');
  });

  it('adapters of the caller’s own judge the status themselves', async () => {
    const plain = attached(headerKey(), { adapter: async (config) => ({ status: 404, statusText: '', data: '', headers: {}, config }) });
    expect((await plain.get('/a')).status).toBe(404);
    const asking = attached(headerKey(), {
      adapter: async (config) => ({ status: config.validateStatus!(200) ? 200 : 500, statusText: '', data: '', headers: {}, config }),
    });
    expect((await asking.get('/a')).status).toBe(200);
  });

  it('`Authorization: false` is a word of the caller’s', async () => {
    await attached(bearerToken({ token: 't' })).get('/a', { headers: { Authorization: false } });
    expect(header('authorization')).toEqual([undefined]);
  });

  it('a URL may be an object', async () => {
    await attached(headerKey(), { baseURL: '' }).get(new URL(`${server.origin}/a`) as never);
    expect(header('x-api-key')).toEqual(['k']);
  });

  it('params that the caller goes on with go out as they were', async () => {
    const params = new URLSearchParams('a=1');
    const calls = [{}, { Authorization: 'Mine' }].map((headers) => attached(lateToken()).get('/a', { params, headers }));
    params.append('b', '2');
    await Promise.all(calls);
    expect(server.requests.map(({ query }) => query)).toEqual(['a=1', 'a=1']);
    expect(header('authorization').sort()).toEqual(['Bearer late', 'Mine']);
  });
});
