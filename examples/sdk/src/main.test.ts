import { apiKey } from '@authseam/auth-api-key';
import { sdkServer } from '@authseam/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ExampleClient } from './example-client.ts';
import { main, whoAmI } from './main.ts';

const variables = ['SDK_BASE_URL', 'YOUR_API_KEY'];
beforeEach(() => {
  for (const name of variables) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('is told by the embedded server who it is', async () => {
  expect(await main()).toBe('Example account');
});

test('calls the API that the variables name, with the key from the environment', async () => {
  await using server = await sdkServer({ apiKey: 'sk_live_example' });
  vi.stubEnv('SDK_BASE_URL', server.origin);
  vi.stubEnv('YOUR_API_KEY', 'sk_live_example');
  expect(await main()).toBe('Example account');
  expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual(['sk_live_example']);
});

test.each(variables.flatMap((name) => [undefined, ''].map((value) => ({ name, value }))))(
  'names $name when it is $value',
  async ({ name, value }) => {
    await using server = await sdkServer();
    for (const variable of variables) vi.stubEnv(variable, variable === name ? value : server.origin);
    await expect(main()).rejects.toThrow(`The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}.`);
    expect(server.requests).toEqual([]);
  },
);

test('sends through the fetch that it was given, with the strategy that it was given', async () => {
  await using server = await sdkServer({ accepts: ['query'] });
  const sent: unknown[] = [];
  const recording: typeof fetch = (input, init) => {
    sent.push(input);
    return fetch(input, init);
  };
  const auth = apiKey({ key: server.apiKey, in: 'query', name: 'api_key' });
  expect(await new ExampleClient({ auth, fetch: recording, baseUrl: server.origin }).me()).toEqual({
    id: 'acct_1',
    name: 'Example account',
  });
  expect(sent).toHaveLength(1);
});

test('says what the API answered when it is no success', async () => {
  await using server = await sdkServer();
  await expect(whoAmI(fetch, server)).rejects.toThrow('/v1/me answered 401: {"error":{"code":"missing_api_key"');
});

test('keeps the key at the API it is for, whatever a redirect says', async () => {
  await using server = await sdkServer();
  await using elsewhere = await sdkServer();
  server.inject({ at: '/v1/me', status: 302, headers: { Location: `${elsewhere.origin}/v1/me` } });
  const client = new ExampleClient({ auth: apiKey({ key: server.apiKey }), baseUrl: server.origin });
  await expect(client.me()).rejects.toThrow('missing_api_key');
  expect(elsewhere.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined]);
});
