import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  AuthError,
  ConfigurationError,
  InteractionRequiredError,
  isAuthError,
  TokenEndpointError,
  TokenStoreError,
  UnsafeDestinationError,
} from './auth-error.ts';

const CAUSE = new Error('the cause');

const errors: readonly (readonly [
  name: string,
  error: AuthError,
  type: new (...args: never[]) => AuthError,
  fields: Record<string, unknown>,
])[] = [
  [
    'AuthError',
    new AuthError('it failed', { code: 'AUTH_TIMEOUT', strategy: 'test', cause: CAUSE }),
    AuthError,
    { code: 'AUTH_TIMEOUT', cause: CAUSE },
  ],
  [
    'ConfigurationError',
    new ConfigurationError('it failed', { option: 'key', strategy: 'test' }),
    ConfigurationError,
    { code: 'CONFIGURATION_ERROR', option: 'key' },
  ],
  [
    'TokenEndpointError',
    new TokenEndpointError('it failed', {
      status: 400,
      error: 'invalid_grant',
      errorDescription: 'expired',
      retryAfterMs: 5,
      strategy: 'test',
    }),
    TokenEndpointError,
    { code: 'TOKEN_ENDPOINT_ERROR', status: 400, error: 'invalid_grant', errorDescription: 'expired', retryAfterMs: 5 },
  ],
  [
    'InteractionRequiredError',
    new InteractionRequiredError('it failed', {
      strategy: 'test',
      cause: CAUSE,
      error: 'insufficient_scope',
      subject: 'alice',
      authorization: { scope: 'admin' },
    }),
    InteractionRequiredError,
    { code: 'INTERACTION_REQUIRED', cause: CAUSE, error: 'insufficient_scope', subject: 'alice', authorization: { scope: 'admin' } },
  ],
  [
    'UnsafeDestinationError',
    new UnsafeDestinationError('it failed', { origin: 'https://evil.test', strategy: 'test' }),
    UnsafeDestinationError,
    { code: 'UNSAFE_DESTINATION', origin: 'https://evil.test' },
  ],
  [
    'TokenStoreError',
    new TokenStoreError('it failed', { operation: 'set', strategy: 'test', cause: CAUSE }),
    TokenStoreError,
    { code: 'TOKEN_STORE_ERROR', operation: 'set', cause: CAUSE },
  ],
];

describe.each(errors)('%s', (name, error, type, fields) => {
  it('has its code, strategy and fields', () => {
    expect(error).toMatchObject({ ...fields, strategy: 'test', message: 'it failed' });
  });

  it('is an Error, an AuthError and itself', () => {
    expect([error instanceof Error, error instanceof AuthError, error instanceof type]).toEqual([true, true, true]);
    expect(isAuthError(error)).toBe(true);
  });

  it('calls itself by its name, in its stack too', () => {
    expect(error.name).toBe(name);
    expect(String(error)).toBe(`${name}: it failed`);
    expect(error.stack).toMatch(new RegExp(`^${name}: it failed\n`));
  });

  it('keeps its name when a minifier has renamed the class', () => {
    const own = Object.getOwnPropertyDescriptor(type, 'name') ?? {};
    Object.defineProperty(type, 'name', { value: 'e', configurable: true });
    try {
      const again = new type(...(['it failed', { code: 'X', option: 'x', status: 400, origin: 'x', operation: 'get' }] as never[]));
      expect(again.name).toBe(name);
    } finally {
      Object.defineProperty(type, 'name', own);
    }
  });

  it('shows its own fields when printed as JSON, and nothing noisy: no cause, no stack, no brand', () => {
    const shown = JSON.parse(JSON.stringify(error)) as Record<string, unknown>;
    const { cause: _, ...own } = fields;
    expect(shown).toMatchObject({ ...own, strategy: 'test' });
    expect(Object.keys(shown).filter((key) => !['name', 'strategy', ...Object.keys(own)].includes(key))).toEqual([]);
    expect(inspect(error)).not.toContain('Symbol(');
  });

  it('has a cause only when there was one', () => {
    expect(Object.hasOwn(error, 'cause')).toBe('cause' in fields);
    expect(Object.keys(error)).not.toContain('cause');
  });
});

describe('isAuthError', () => {
  it('knows the errors of another copy of this package, which `instanceof` does not', async () => {
    const another = './auth-error.ts?another-copy';
    const copy = (await import(/* @vite-ignore */ another)) as typeof import('./auth-error.ts');
    const foreign = new copy.ConfigurationError('it failed', { option: 'key' });
    expect(copy.AuthError).not.toBe(AuthError);
    expect(foreign instanceof AuthError).toBe(false);
    expect(isAuthError(foreign)).toBe(true);
    expect(copy.isAuthError(new AuthError('it failed', { code: 'X' }))).toBe(true);
  });

  it.each([undefined, null, 'AuthError', 7, {}, [], new Error('x'), { name: 'AuthError', code: 'AUTH_TIMEOUT', message: 'x' }, AuthError])(
    'does not take %o for one',
    (value) => {
      expect(isAuthError(value)).toBe(false);
    },
  );
});
