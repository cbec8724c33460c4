import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExtraHorizonServer, extraHorizonServer } from '@authseam/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';

const variables = ['API_HOST', 'API_OAUTH_CONSUMER_KEY', 'API_OAUTH_CONSUMER_SECRET', 'API_OAUTH_TOKEN', 'API_OAUTH_TOKEN_SECRET'];
const others = ['API_EMAIL', 'API_PASSWORD', 'CONSUMER_KEY', 'CONSUMER_SECRET', 'ACCESS_TOKEN', 'TOKEN_SECRET'];
beforeEach(() => {
  for (const name of [...variables, ...others]) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function setAll(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
}

function consumerOf({ origin, consumerKey, consumerSecret }: ExtraHorizonServer): Record<string, string> {
  return { API_HOST: origin, API_OAUTH_CONSUMER_KEY: consumerKey, API_OAUTH_CONSUMER_SECRET: consumerSecret };
}

function credentialsOf(server: ExtraHorizonServer): Record<string, string> {
  return { ...consumerOf(server), API_OAUTH_TOKEN: server.token, API_OAUTH_TOKEN_SECRET: server.tokenSecret };
}

test('is told by the embedded server who it is', async () => {
  expect(await main()).toBe('Jane Example');
});

test('calls the Extra Horizon that the variables name', async () => {
  await using server = await extraHorizonServer({ consumerKey: 'my-app' });
  setAll(credentialsOf(server));
  expect(await main()).toBe('Jane Example');
  expect(server.requests.map(({ path }) => path)).toEqual(['/users/v1/me']);
  expect(server.verdicts[0]).toMatchObject({
    placement: 'header',
    parameters: { oauth_consumer_key: 'my-app', oauth_token: server.token },
  });
});

test('knows the older names, which yield to the newer', async () => {
  await using server = await extraHorizonServer();
  const { consumerKey, consumerSecret, token, tokenSecret } = server;
  setAll({
    API_HOST: server.origin,
    CONSUMER_KEY: consumerKey,
    CONSUMER_SECRET: consumerSecret,
    ACCESS_TOKEN: token,
    TOKEN_SECRET: tokenSecret,
  });
  expect(await main()).toBe('Jane Example');
  setAll({ ...credentialsOf(server), ACCESS_TOKEN: 'of another system' });
  expect(await main()).toBe('Jane Example');
});

test('an e-mail address and a password obtain a token first, signed with the consumer pair only', async () => {
  await using server = await extraHorizonServer();
  setAll({ ...consumerOf(server), API_EMAIL: server.email, API_PASSWORD: server.password });
  expect(await main()).toBe('Jane Example');
  expect(server.requests.map(({ path }) => path)).toEqual(['/auth/v2/oauth1/tokens', '/users/v1/me']);
  expect(server.verdicts[0]?.parameters['oauth_token']).toBeUndefined();
  setAll({ API_PASSWORD: 'wrong' });
  await expect(main()).rejects.toThrow('Extra Horizon refused to sign in with 401');
});

test.each(variables.flatMap((name) => [undefined, ''].map((value) => ({ name, value }))))(
  'names $name when it is $value',
  async ({ name, value }) => {
    await using server = await extraHorizonServer();
    setAll(credentialsOf(server));
    vi.stubEnv(name, value);
    await expect(main()).rejects.toThrow(`The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}.`);
    expect(server.requests).toEqual([]);
  },
);

test.each(['API_EMAIL', 'API_PASSWORD'])('names %s when only the other one is set', async (name) => {
  await using server = await extraHorizonServer();
  setAll({ ...consumerOf(server), API_EMAIL: 'a', API_PASSWORD: 'b' });
  vi.stubEnv(name, undefined);
  await expect(main()).rejects.toThrow(`The environment variable ${name} is not set.`);
});

test('reads credentials.txt when it is named, the variables left aside, and names what it lacks', async () => {
  await using server = await extraHorizonServer();
  const folder = await mkdtemp(join(tmpdir(), 'extra-horizon-'));
  const file = join(folder, 'credentials.txt');
  const write = (values: object) =>
    writeFile(
      file,
      `\uFEFF# downloaded\r\n${Object.entries(values)
        .map(([name, value]) => `${name} = ${value}\r\n`)
        .join('')}`,
    );
  try {
    setAll({ API_HOST: 'unused.example.com' });
    await write(credentialsOf(server));
    expect(await main(file)).toBe('Jane Example');
    for (const name of variables) {
      const { [name]: _, ...rest } = credentialsOf(server);
      await write(rest);
      await expect(main(file)).rejects.toThrow(`${name} is missing in ${file}.`);
      await write({ ...rest, [name]: '' });
      await expect(main(file)).rejects.toThrow(`${name} is empty in ${file}.`);
    }
    await expect(main(join(folder, 'nothing.txt'))).rejects.toThrow('nothing.txt');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a credentials.txt in the working folder is not read by itself', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'extra-horizon-'));
  const before = process.cwd();
  try {
    await writeFile(join(folder, 'credentials.txt'), 'API_HOST=nowhere.example.com\n');
    process.chdir(folder);
    expect(await main()).toBe('Jane Example');
    await expect(main('credentials.txt')).rejects.toThrow('API_OAUTH_CONSUMER_KEY is missing in credentials.txt.');
  } finally {
    process.chdir(before);
    await rm(folder, { recursive: true });
  }
});

test('a host without a scheme is called by https', async () => {
  await using server = await extraHorizonServer();
  setAll({ ...credentialsOf(server), API_HOST: '127.0.0.1:1' });
  const outcome = await main().catch((error: Error) => error);
  expect(outcome).toBeInstanceOf(Error);
  expect(server.requests).toEqual([]);
});
