// RELIABILITY.md, faults 21 and 22.
import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { ConfigurationError } from './auth-error.ts';
import { checkSecret, resolveSecret } from './secret.ts';

const use = { option: 'key', strategy: 'apiKey' };
const CANARY = 'hunter22';

const unfit: readonly (readonly [name: string, value: unknown])[] = [
  ['a trailing newline', `${CANARY}\n`],
  ['a trailing CRLF', `${CANARY}\r\n`],
  ['a carriage return', `\r${CANARY}`],
  ['NUL', `${CANARY}\0${CANARY}`],
  ['a tab', `${CANARY}\t`],
  ['DEL', `${CANARY}\x7f`],
  ['nothing in it', ''],
  ['another type: undefined', undefined],
  ['another type: null', null],
  ['another type: a number', 42],
  ['another type: an object', { key: CANARY }],
  ['another type: a list', [CANARY]],
];

const fit = ['a', 'hunter22', ' with blanks ', 'Zugänge', '日本🔑', "!'()*~+/=%"];

/** What `call` throws, or rejects with. */
async function failure(call: () => unknown): Promise<ConfigurationError> {
  try {
    await call();
  } catch (error) {
    return error as ConfigurationError;
  }
  throw new Error('It did not fail.');
}

async function expectRefusal(call: () => unknown): Promise<void> {
  const error = await failure(call);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'key', strategy: 'apiKey' });
  expect(error.message).toContain('`key`');
  expect(inspect(error, { showHidden: true, depth: Infinity }) + JSON.stringify(error)).not.toContain(CANARY);
}

describe('a secret', () => {
  it.each(unfit)('with %s is refused without being shown: at construction', async (_name, value) => {
    await expectRefusal(() => checkSecret(value, use));
  });

  it.each(unfit)('with %s is refused without being shown: when a function yields it', async (_name, value) => {
    await expectRefusal(() => resolveSecret(() => value as string, use));
  });

  it.each(unfit)('with %s is refused without being shown: when a promise does', async (_name, value) => {
    await expectRefusal(() => resolveSecret(() => Promise.resolve(value as string), use));
  });

  it.each(fit)('%j is fine, as a string and from a function', async (value) => {
    expect(() => checkSecret(value, use)).not.toThrow();
    expect(resolveSecret(value, use)).toBe(value);
    expect(resolveSecret(() => value, use)).toBe(value);
    await expect(resolveSecret(async () => value, use)).resolves.toBe(value);
  });

  it('may be empty where that is legal', async () => {
    const lenient = { ...use, allowEmpty: true };
    expect(() => checkSecret('', lenient)).not.toThrow();
    expect(resolveSecret(() => '', lenient)).toBe('');
    await expect(resolveSecret(async () => '', lenient)).resolves.toBe('');
  });

  it('is not asked for at construction, and asked for anew at each use', () => {
    const secret = vi.fn<() => string>().mockReturnValueOnce('one').mockReturnValueOnce('two');
    checkSecret(secret, use);
    expect(secret).not.toHaveBeenCalled();
    expect([resolveSecret(secret, use), resolveSecret(secret, use)]).toEqual(['one', 'two']);
  });

  it('lets pass through what its function throws', async () => {
    const down = new Error('the vault is sealed');
    expect(() =>
      resolveSecret(() => {
        throw down;
      }, use),
    ).toThrow(down);
    await expect(resolveSecret(() => Promise.reject(down), use)).rejects.toBe(down);
  });
});
