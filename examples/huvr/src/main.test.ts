import { huvrServer } from '@authseam/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';

const variables = ['HUVR_BASE_URL', 'HUVR_CLIENT_ID', 'HUVR_CLIENT_SECRET'];
beforeEach(() => {
  for (const name of variables) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('is told by the embedded server who it is', async () => {
  expect(await main()).toBe('huvr-client');
});

test('calls the HUVR that the variables name, saying who it is every time', async () => {
  await using server = await huvrServer({ clientId: 'inspections' });
  vi.stubEnv('HUVR_BASE_URL', server.origin);
  vi.stubEnv('HUVR_CLIENT_ID', server.clientId);
  vi.stubEnv('HUVR_CLIENT_SECRET', server.clientSecret);
  expect(await main()).toBe('inspections');
  const [token, api, ...more] = server.requests;
  expect(JSON.parse(token?.text ?? '')).toEqual({ client_id: server.clientId, client_secret: server.clientSecret });
  expect(api?.headers['authorization']).toMatch(/^Token \w+$/);
  expect([token?.headers['user-agent'], api?.headers['user-agent'], more.length]).toEqual([
    'authseam-example/1.0',
    'authseam-example/1.0',
    0,
  ]);
});

test.each(variables.flatMap((name) => [undefined, ''].map((value) => ({ name, value }))))(
  'names $name when it is $value',
  async ({ name, value }) => {
    await using server = await huvrServer();
    for (const variable of variables) vi.stubEnv(variable, variable === name ? value : server.origin);
    await expect(main()).rejects.toThrow(`The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}.`);
    expect(server.requests).toEqual([]);
  },
);
