import { sdkServer } from '@authseam/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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

test('says what the API answered when it is no success', async () => {
  await using server = await sdkServer();
  await expect(whoAmI(fetch, server)).rejects.toThrow('GET /v1/me answered 401 (missing_api_key): No API key was sent.');
});
