// Whatever HTTP client a customer hands over: it is used as it was set up, and left as it was.
import { spawnSync } from 'node:child_process';
import { attachAuth } from '@authseam/adapter-axios';
import { apiKey } from '@authseam/auth-api-key';
import { type SdkServer, sdkServer } from '@authseam/testing';
import axios from 'axios';
import ky from 'ky';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { axiosHttp } from './axios-http.ts';
import { ExampleClient } from './example-client.ts';
import { ExampleConnectionError } from './example-error.ts';
import { fetchHttp } from './fetch-http.ts';
import { kyHttp } from './ky-http.ts';

let server: SdkServer;

beforeAll(async () => {
  server = await sdkServer();
});
beforeEach(() => {
  server.clearFaults();
  server.clearRequests();
});
afterAll(async () => {
  await server.close();
});

const auth = () => apiKey({ key: server.apiKey });
const url = () => `${server.origin}/v1/me`;
const keys = (): (string | undefined)[] => server.requests.map(({ headers }) => headers['x-api-key']);
const thrownBy = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined).catch((error: unknown) => error);

test('fetch: the given function sends', async () => {
  const seen: unknown[] = [];
  const recording: typeof fetch = (input, init) => {
    seen.push(String(input));
    return fetch(input, init);
  };
  await new ExampleClient({ auth: auth(), http: fetchHttp(recording), baseUrl: server.origin }).me();
  expect(seen).toEqual([url()]);
});

test('axios: its defaults hold, and its own calls stay as they were', async () => {
  const instance = axios.create({ baseURL: 'https://other.example.com/', headers: { 'X-Team': 'billing' } });
  const seen: (string | undefined)[] = [];
  instance.interceptors.request.use((config) => {
    seen.push(config.url);
    return config;
  });
  await new ExampleClient({ auth: auth(), http: axiosHttp(instance), baseUrl: server.origin }).me();
  expect([keys(), server.requests[0]?.headers['x-team'], seen]).toEqual([[server.apiKey], 'billing', []]);

  server.clearRequests();
  expect(await thrownBy(instance.get(url()))).toMatchObject({ status: 401 });
  expect([keys(), seen]).toEqual([[undefined], [url()]]);
});

test('axios: what it makes of URLs and answers is for its own calls', async () => {
  const given = { baseURL: 'https://other.example.com/', allowAbsoluteUrls: false, responseType: 'arraybuffer' } as const;
  const instance = axios.create({ ...given, transformResponse: () => ({ transformed: true }) });
  const client = new ExampleClient({ auth: auth(), http: axiosHttp(instance), baseUrl: server.origin });
  expect((await client.me()).id).toBe('acct_1');
  server.inject({ status: 503, body: { error: { code: 'tired' } } });
  expect(await thrownBy(client.me())).toMatchObject({ status: 503, code: 'tired' });
});

test('ky: its hooks and retries work, and its own calls stay as they were', async () => {
  const seen: string[] = [];
  const instance = ky.create({
    retry: { limit: 1, delay: () => 0 },
    hooks: { beforeRequest: [({ request }) => void seen.push(request.url)] },
  });
  server.inject({ status: 503, body: { error: { code: 'tired' } } });
  const client = new ExampleClient({ auth: auth(), http: kyHttp(instance), baseUrl: server.origin });
  expect((await client.me()).id).toBe('acct_1');
  expect([keys(), seen]).toEqual([[server.apiKey, server.apiKey], [url()]]);

  server.clearRequests();
  expect((await instance(url(), { throwHttpErrors: false })).status).toBe(401);
  expect(keys()).toEqual([undefined]);
});

test.each([
  { name: 'axios', http: axiosHttp(axios.create({ timeout: 50 })) },
  { name: 'ky', http: kyHttp(ky.create({ timeout: 50, retry: 0 })) },
])('$name: its timeout is no answer', async ({ http }) => {
  server.inject({ stall: 'before-headers' });
  const error = await thrownBy(new ExampleClient({ auth: auth(), http, baseUrl: server.origin }).me());
  expect(error).toBeInstanceOf(ExampleConnectionError);
});

test('axios: an instance that is authorized already is used as it is, interceptors included, and public calls are bare', async () => {
  const instance = axios.create();
  const seen: (string | undefined)[] = [];
  attachAuth(instance, auth(), { origins: server.origin });
  instance.interceptors.request.use((config) => {
    seen.push(config.url);
    return config;
  });
  const client = new ExampleClient({ auth: false, http: axiosHttp(instance), baseUrl: server.origin });
  server.inject({ at: '/v1/status', status: 200, body: { status: 'up' } });
  await client.me();
  await client.status();
  expect(keys()).toEqual([server.apiKey, undefined]);
  expect(seen).toHaveLength(2);
});

test('the SDK loads where neither axios nor ky is installed', () => {
  const forbid = `import { registerHooks } from 'node:module';
  registerHooks({
    resolve(name, context, next) {
      if (/^(?:axios|ky)$/.test(name)) throw new Error('not installed: ' + name);
      return next(name, context);
    },
  });`;
  const load = (file: string): string => {
    const code = `await import(${JSON.stringify(new URL(file, import.meta.url).href)}); console.log('loaded');`;
    const hooks = `data:text/javascript,${encodeURIComponent(forbid)}`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=@authseam/source', '--import', hooks, '--input-type=module', '-e', code],
      { encoding: 'utf8' },
    );
    return stdout.trim() || (/not installed: \w+/.exec(stderr)?.[0] ?? stderr);
  };
  expect(load('./example-client.ts')).toBe('loaded');
  expect([load('./axios-http.ts'), load('./ky-http.ts')]).toEqual(['not installed: axios', 'not installed: ky']);
});
