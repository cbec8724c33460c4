// RFC 7617 §2 (vectors, colon, control characters) and §2.1 (UTF-8).
import { inspect } from 'node:util';
import type { AuthContext, AuthRequest, Secret } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { basic } from './basic.ts';

const context: AuthContext = { now: Date.now, emit: () => {} };
const request: AuthRequest = { method: 'GET', url: 'https://api.example.com/', headers: new Headers(), replayable: true, attempt: 1 };

describe('basic', () => {
  it.each([
    ['RFC 7617 §2', 'Aladdin', 'open sesame', 'QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
    ['RFC 7617 §2.1, UTF-8', 'test', '123£', 'dGVzdDoxMjPCow=='],
    ['a key as the user name alone', 'sk_live', '', 'c2tfbGl2ZTo='],
    ['a password alone', '', 'secret', 'OnNlY3JldA=='],
    ['colons in the password', 'u', 'a:b:c', 'dTphOmI6Yw=='],
    ['characters beyond the BMP', 'u', '🔑', 'dTrwn5SR'],
  ])('encodes %s', (_name, username, password, encoded) => {
    expect(basic({ username, password }).authorize(request, context)).toEqual({ headers: { Authorization: `Basic ${encoded}` } });
  });

  it('takes a password of 100 000 characters', () => {
    const patch = basic({ username: 'u', password: 'x'.repeat(100_000) }).authorize(request, context);
    expect(patch).toEqual({ headers: { Authorization: `Basic ${Buffer.from(`u:${'x'.repeat(100_000)}`).toString('base64')}` } });
  });

  const expected = { headers: { Authorization: `Basic ${Buffer.from('u:p').toString('base64')}` } };

  it('asks functions for every request, not at construction, and answers at once when they do', () => {
    const password = vi.fn<() => string>(() => 'p');
    const strategy = basic({ username: () => 'u', password });
    expect(password).not.toHaveBeenCalled();
    expect(strategy.authorize(request, context)).toEqual(expected);
    expect(strategy.authorize(request, context)).toEqual(expected);
    expect(password).toHaveBeenCalledTimes(2);
  });

  it.each<[string, Secret, Secret]>([
    ['the user name', async () => 'u', 'p'],
    ['the password', 'u', async () => 'p'],
    ['both', async () => 'u', async () => 'p'],
    ['the user name, with a password at hand', async () => 'u', () => 'p'],
  ])('waits for %s', async (_name, username, password) => {
    const patch = basic({ username, password }).authorize(request, context);
    expect(patch).toBeInstanceOf(Promise);
    expect(await patch).toEqual(expected);
  });

  it('stays one and the same patch when nothing can change', () => {
    const strategy = basic({ username: 'u', password: 'p' });
    expect(strategy.authorize(request, context)).toBe(strategy.authorize(request, context));
  });

  it('is frozen, says that only Authorization is secret, and has nothing to recover', () => {
    const strategy = basic({ username: 'u', password: 'p' });
    expect(Object.isFrozen(strategy)).toBe(true);
    expect(strategy).toMatchObject({ name: 'basic', specVersion: 1, sensitive: { headers: ['authorization'] } });
    expect([strategy.recover, strategy.isRejected]).toEqual([undefined, undefined]);
  });
});

const [USER, PASSWORD] = ['canary-user+/', 'canary-password+/'];
const encoded = [USER, PASSWORD].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('hex'),
  ...[0, 1, 2].map((offset) =>
    Buffer.from('x'.repeat(offset) + secret)
      .toString('base64')
      .slice(4, 16),
  ),
]);

describe('what is refused, without showing user name or password', () => {
  it.each<[string, string, unknown, unknown]>([
    ['a colon in the user name', 'username', `${USER}:x`, PASSWORD],
    ['a newline after the user name', 'username', `${USER}\n`, PASSWORD],
    ['a newline after the password', 'password', USER, `${PASSWORD}\n`],
    ['a control character in the password', 'password', USER, `${PASSWORD}\x7f`],
    ['no user name', 'username', undefined, PASSWORD],
    ['no password', 'password', USER, undefined],
    ['a password of another type', 'password', USER, [PASSWORD]],
  ])('%s', async (_name, option, username, password) => {
    const given = { username, password } as { username: string; password: string };
    const spellings = [given, { username: () => given.username, password: () => given.password }];
    const late = { username: async () => given.username, password: async () => given.password };
    for (const options of [...spellings, late]) {
      let caught: unknown;
      try {
        await basic(options).authorize(request, context);
      } catch (error) {
        caught = error;
      }
      expect(caught).toMatchObject({ name: 'ConfigurationError', option, strategy: 'basic' });
      const shown = [(caught as Error).stack, inspect(caught, { showHidden: true, depth: Infinity }), JSON.stringify(caught)].join('\n');
      for (const text of encoded) expect(shown).not.toContain(text);
    }
    if (typeof username !== 'function') expect(() => basic(given)).toThrow(expect.objectContaining({ option }));
  });

  it.each<[string, unknown, string]>([
    ['no options', undefined, 'options'],
    ['the user name alone', USER, 'options'],
    ['a misspelt option', { username: USER, pass: PASSWORD }, 'pass'],
  ])('%s', (_name, options, option) => {
    const call = () => basic(options as never);
    expect(call).toThrow(expect.objectContaining({ name: 'ConfigurationError', option, strategy: 'basic' }));
    expect(call).not.toThrow(/canary/);
  });

  it('leaves no rejection unhandled when both fail', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const down = new Error('down');
      const username = () => new Promise<string>((_, reject) => setImmediate(reject, down));
      await expect((async () => basic({ username, password: () => 'a\n' }).authorize(request, context))()).rejects.toBeInstanceOf(Error);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});
