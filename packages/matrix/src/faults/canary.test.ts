// The search after each row finds what it should: secrets that a row lets out, each in its own way, in every encoding.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { AuthError, type AuthStrategy, createTokenManager, fromTokenSource } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { adapters } from '../adapters.ts';
import { problemsIn, type World } from './world.ts';

const encodings: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  base64: (secret) => btoa(`matrix:${secret}`),
  base64url: (secret) => Buffer.from(`{"token":"${secret}"}`).toString('base64url'),
  'percent-encoded': encodeURIComponent,
  'double-encoded': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  hex: (secret) => Buffer.from(secret).toString('hex'),
  HEX: (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
};

/** An API call with a strategy that fails so. */
async function failing(world: World, error: unknown): Promise<void> {
  const strategy: AuthStrategy = {
    name: 'leaky',
    specVersion: 1,
    authorize() {
      throw error;
    },
  };
  await world
    .attach(strategy)((await world.server()).api)
    .catch(() => undefined);
}

const leaky = (message: string, cause?: unknown): AuthError => new AuthError(message, { code: 'STRATEGY_FAILED', cause });

/** An API call with a strategy that sends so. */
async function sending(world: World, strategy: AuthStrategy, path = '/me'): Promise<void> {
  const server = await world.server();
  await world
    .attach(strategy)(`${server.origin}${path}`)
    .catch(() => undefined);
}

const leaks: Readonly<Record<string, (world: World, secret: string) => unknown>> = {
  'the message of an error': (world, secret) => failing(world, leaky(`refused: ${secret}`)),
  'a cause deep inside': (world, secret) =>
    failing(world, leaky('a', new Error('b', { cause: new Error('c', { cause: { d: [secret] } }) }))),
  'a hidden property of an error': (world, secret) =>
    failing(world, Object.defineProperty(leaky('refused'), 'request', { value: { secret }, enumerable: false })),
  'a symbol of an error': (world, secret) => failing(world, Object.assign(leaky('refused'), { [Symbol('kept')]: secret })),
  'bytes in an error': (world, secret) => failing(world, Object.assign(leaky('refused'), { body: Buffer.from(secret) })),
  'a header list in an error': (world, secret) => failing(world, Object.assign(leaky('refused'), { headers: new Map([['x', secret]]) })),
  'what an error prints': (world, secret) => failing(world, Object.assign(leaky('refused'), { toJSON: () => secret })),
  'the error of a method': async (world, secret) => {
    const source = createTokenManager({ key: 'key', fetchToken: () => Promise.reject(leaky(secret)) });
    await Promise.resolve(world.watch(source).getToken()).catch(() => undefined);
  },
  'the error of a constructor': (world, secret) =>
    world.failureOf(() => {
      throw leaky(secret);
    }),
  'the error of a client': (world, secret) => {
    const [, axios] = adapters;
    const call = world.attach(bearerToken({ token: 'example' }), {
      ...(axios as (typeof adapters)[number]),
      attach: () => () => Promise.reject(Object.assign(new (class AxiosError extends Error {})('no'), { config: { secret } })),
    });
    return call('http://127.0.0.1/').catch(() => undefined);
  },
  'an event': async (world, secret) => {
    const source = createTokenManager({
      key: 'key',
      fetchToken: ({ emit }) => {
        emit({ type: 'rejected', strategy: secret, status: 401, attempt: 1 });
        return { accessToken: 'example', tokenType: 'Bearer' };
      },
    });
    await sending(world, fromTokenSource(source, { name: 'leaky' }));
  },
  // biome-ignore lint/suspicious/noConsole: what no row may do
  'the console': (_, secret) => console.log('token', { secret }),
  'standard output': (_, secret) => process.stdout.write(secret),
  'standard error': (_, secret) => process.stderr.write(Buffer.from(secret)),
  'a warning': (_, secret) => process.emitWarning(new Error(secret)),
  'a header where it does not belong': (world, secret) => sending(world, apiKey({ key: secret, name: 'X-Debug' })),
  'the Authorization of an API that gets what is for a token endpoint': (world, secret) => sending(world, bearerToken({ token: secret })),
  'the URL of an API': (world, secret) => sending(world, apiKey({ key: secret, in: 'query' })),
  'the body of an API': async (world, secret) => {
    const server = await world.server();
    await world.attach(bearerToken({ token: 'example' }))(server.api, { method: 'POST', body: secret });
  },
  'a place where nothing should arrive': (world, secret) => sending(world, bearerToken({ token: secret }), '/elsewhere'),
  'the URL of a token endpoint': async (world, secret) => {
    const server = await world.server();
    await fetch(`${server.tokenEndpoint}?hint=${encodeURIComponent(secret)}`, { method: 'POST' });
  },
  'anything that is shown': (world, secret) => world.show('a transcript', [`> ${secret}`]),
};

describe.each(Object.entries(leaks))('%s', (_, leak) => {
  it('is a problem with a secret of this world, and none with another text', async () => {
    const problems = await problemsIn(async (world) => void (await leak(world, world.secret('refresh token'))));
    expect(problems).not.toEqual([]);
    for (const problem of problems) expect(problem).toContain('refresh-token+canary');
    expect(await problemsIn(async (world) => void (await leak(world, 'just-some-other-text+of/that~kind')))).toEqual([]);
  });
});

it.each(Object.entries(encodings))('finds a secret that is %s', async (_, encoded) => {
  expect(await problemsIn((world) => failing(world, leaky(encoded(world.secret('secret')))))).not.toEqual([]);
  expect(await problemsIn(async (world) => void process.stdout.write(encoded(world.secret('secret'))))).not.toEqual([]);
  expect(await problemsIn((world) => sending(world, apiKey({ key: encoded(world.secret('secret')), name: 'X-Debug' })))).not.toEqual([]);
});

it('takes secrets where they belong, and learns of those that others have made', async () => {
  const shown: string[] = [];
  const problems = await problemsIn(async (world) => {
    const server = await world.hostile();
    const auth = world.authorizationCode(server);
    const { accessToken, refreshToken } = await world.signIn(auth);
    await world.attach(auth)(`${server.apiUrl}/api/me`);
    await sending(world, apiKey({ key: world.secret('key', 'x-api-key') }));
    for (const secret of [accessToken, refreshToken ?? '']) {
      world.show('a transcript', secret);
      shown.push(secret.slice(0, 20));
    }
  });
  expect(problems.filter((problem) => !problem.startsWith('a transcript'))).toEqual([]);
  for (const secret of shown) expect(problems).toContainEqual(expect.stringContaining(secret));
});

it('finds what others may read, faults that did not happen, and servers that failed', async () => {
  const mode = problemsIn(async (world) => {
    const directory = world.directory();
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, 'entry.json'), '{}');
    chmodSync(join(directory, 'entry.json'), 0o640);
  });
  expect(await mode).toEqual(['entry.json has mode 640']);
  expect(await problemsIn(async (world) => (await world.server()).inject({ at: 'token', status: 503, times: 2 }))).toEqual([
    '2 faults did not happen',
  ]);
  const failed = problemsIn(async (world) => {
    const server = await world.server();
    server.inject({ at: 'api', transform: () => Promise.reject(new Error('on purpose')) });
    await fetch(server.api);
  });
  expect(await failed).toEqual(['a server failed: Error: on purpose']);
});

it('gives back what it has captured', async () => {
  const { log } = console;
  const { write } = process.stdout;
  await expect(problemsIn(() => Promise.reject(new Error('a row that fails')))).rejects.toThrow('a row that fails');
  // biome-ignore lint/suspicious/noConsole: only looked at
  expect([console.log, process.stdout.write]).toEqual([log, write]);
});
