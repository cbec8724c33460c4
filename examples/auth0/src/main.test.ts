import { withAuth } from '@authseam/adapter-fetch';
import { auth0Server } from '@authseam/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { auth, main, readMessages, whoAmI } from './main.ts';

const variables = ['AUTH0_DOMAIN', 'AUTH0_CLIENT_ID', 'AUTH0_CLIENT_SECRET', 'AUTH0_AUDIENCE', 'AUTH0_API_URL'];
beforeEach(() => {
  for (const name of variables) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('is told by the embedded server who it is, and what it may read', async () => {
  const [who, reader, writer] = (await main()).split('\n');
  expect(who).toBe('The API knows this client as auth0-client.');
  expect(reader).toMatch(/read:messages: {2}200 \{"message":"Hello from a private endpoint! Your token has read:messages\."/);
  expect(writer).toMatch(/write:messages: 403 Bearer realm="api", error="insufficient_scope",.* scope="read:messages"$/);
});

test('a lack of scope costs no token request', async () => {
  await using server = await auth0Server();
  const api = withAuth(fetch, auth(server, 'write:messages'));
  expect(await whoAmI(api, server)).toBe('auth0-client');
  expect(await readMessages(api, server)).toMatch(/^403 /);
  expect([server.tokenRequests, server.requests.filter(({ route }) => route === 'api').length]).toEqual([1, 2]);
});

test('takes what an API says that does not name the caller', async () => {
  await using server = await auth0Server();
  server.inject({ at: '/api/private', status: 200, body: { message: 'Hello from a private endpoint!' } });
  expect(await whoAmI(withAuth(fetch, auth(server)), server)).toBe('Hello from a private endpoint!');
});

test.each(variables.flatMap((name) => [undefined, ''].map((value) => ({ name, value }))))(
  'names $name when it is $value',
  async ({ name, value }) => {
    for (const variable of variables) vi.stubEnv(variable, variable === name ? value : 'http://127.0.0.1:9');
    await expect(main()).rejects.toThrow(`The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}.`);
  },
);
