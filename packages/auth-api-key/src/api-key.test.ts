// OpenAPI 3.1 §4.8.27 (apiKey); RFC 6265 §4.1.1 (cookie octets); RELIABILITY.md, faults 21 and 22.
import { inspect } from 'node:util';
import type { AuthContext, AuthPatch, AuthRequest } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { type ApiKeyOptions, apiKey } from './api-key.ts';

const context: AuthContext = { now: Date.now, emit: () => {} };
const request: AuthRequest = { method: 'GET', url: 'https://api.example.com/', headers: new Headers(), replayable: true, attempt: 1 };

function patchOf(options: ApiKeyOptions): AuthPatch {
  return apiKey(options).authorize(request, context) as AuthPatch;
}

describe('where the key goes', () => {
  it.each<[string, ApiKeyOptions, AuthPatch]>([
    ['the header X-API-Key by default', { key: 'k1' }, { headers: { 'X-API-Key': 'k1' } }],
    ['another header', { key: 'k1', name: 'Api-Key' }, { headers: { 'Api-Key': 'k1' } }],
    [
      'a header with a prefix, its own space included',
      { key: 'k1', name: 'Authorization', prefix: 'ApiKey ' },
      { headers: { Authorization: 'ApiKey k1' } },
    ],
    ['a header in Latin-1', { key: 'Schlüssel' }, { headers: { 'X-API-Key': 'Schlüssel' } }],
    ['the query, not encoded yet', { key: 'k 1&é日', in: 'query', name: 'api key' }, { query: [['api key', 'k 1&é日']] }],
    ['the query with a prefix', { key: 'k1', in: 'query', name: 'auth', prefix: 'v1:' }, { query: [['auth', 'v1:k1']] }],
    ['the query under the default name', { key: 'k1', in: 'query' }, { query: [['X-API-Key', 'k1']] }],
    ['a cookie', { key: 'k1', in: 'cookie', name: 'sid' }, { cookies: { sid: 'k1' } }],
  ])('is %s', (_name, options, patch) => {
    expect(patchOf(options)).toEqual(patch);
  });

  it.each<[NonNullable<ApiKeyOptions['in']>, unknown]>([
    ['header', { headers: ['k'] }],
    ['query', { query: ['k'] }],
    ['cookie', { cookies: ['k'] }],
  ])('is called secret there and nowhere else: %s', (place, sensitive) => {
    expect(apiKey({ key: 'k1', in: place, name: 'k' }).sensitive).toEqual(sensitive);
  });

  it('is frozen, and has nothing to recover: the 401 is the answer', () => {
    const strategy = apiKey({ key: 'k1' });
    expect(Object.isFrozen(strategy)).toBe(true);
    expect(strategy).toMatchObject({ name: 'apiKey', specVersion: 1 });
    expect([strategy.recover, strategy.isRejected]).toEqual([undefined, undefined]);
  });
});

describe('a key that changes', () => {
  it('is not asked for at construction, and asked for anew for every request', () => {
    const key = vi.fn<() => string>().mockReturnValueOnce('one').mockReturnValueOnce('two');
    const strategy = apiKey({ key });
    expect(key).not.toHaveBeenCalled();
    expect(strategy.authorize(request, context)).toEqual({ headers: { 'X-API-Key': 'one' } });
    expect(strategy.authorize(request, context)).toEqual({ headers: { 'X-API-Key': 'two' } });
  });

  it('may be answered late, and keeps its prefix', async () => {
    const patch = apiKey({ key: async () => 'late', prefix: 'Key ' }).authorize(request, context);
    expect(patch).toBeInstanceOf(Promise);
    expect(await patch).toEqual({ headers: { 'X-API-Key': 'Key late' } });
  });

  it('stays one and the same patch when it does not', () => {
    const strategy = apiKey({ key: 'k1' });
    expect(strategy.authorize(request, context)).toBe(strategy.authorize(request, context));
  });
});

const CANARY = 'hunter22+canary/';
const encoded = [
  CANARY,
  encodeURIComponent(CANARY),
  Buffer.from(CANARY).toString('hex'),
  ...[0, 1, 2].map((offset) =>
    Buffer.from('x'.repeat(offset) + CANARY)
      .toString('base64')
      .slice(4, 16),
  ),
];

/** What `call` throws or rejects with, after a look that the canary stands nowhere in it. */
async function silentFailure(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    const { message, stack } = error as Error;
    const everything = [message, stack, inspect(error, { showHidden: true, depth: Infinity }), JSON.stringify(error), String(error)].join(
      '\n',
    );
    for (const text of encoded) expect(everything).not.toContain(text);
    return error;
  }
  throw new Error('It did not fail.');
}

describe('what is refused, without showing the key', () => {
  it.each<[string, unknown]>([
    ['a trailing newline', { key: `${CANARY}\n` }],
    ['a trailing CRLF', { key: `${CANARY}\r\n` }],
    ['NUL', { key: `${CANARY}\0` }],
    ['a newline in a query key', { key: `${CANARY}\n`, in: 'query' }],
    ['a character beyond Latin-1 in a header', { key: `${CANARY}日` }],
    ['a trailing blank in a header', { key: `${CANARY} ` }],
    ['a semicolon in a cookie', { key: `${CANARY};`, in: 'cookie' }],
    ['a blank in a cookie', { key: `${CANARY} x`, in: 'cookie' }],
    ['a character beyond ASCII in a cookie', { key: `${CANARY}é`, in: 'cookie' }],
    ['a line break in the prefix', { key: CANARY, prefix: 'Key\r\nX-Evil: ' }],
    ['a blank in a header name', { key: CANARY, name: 'X API Key' }],
    ['a colon in a header name', { key: CANARY, name: 'X-API-Key:' }],
    ['an equals sign in a cookie name', { key: CANARY, in: 'cookie', name: 'a=b' }],
    ['no name', { key: CANARY, name: '' }],
    ['no such place', { key: CANARY, in: 'body' }],
    ['an empty key', { key: '' }],
    ['no key', {}],
    ['a key of another type', { key: { value: CANARY } }],
    ['no options', undefined],
    ['the key alone', CANARY],
    ['a misspelt option', { key: CANARY, header: 'X-Foo' }],
  ])('at construction: %s', async (_name, options) => {
    const error = await silentFailure(() => apiKey(options as ApiKeyOptions));
    expect(error).toMatchObject({ name: 'ConfigurationError', strategy: 'apiKey' });
  });

  it('says which options there are', () => {
    expect(() => apiKey({ key: 'k', header: 'X-Foo' } as ApiKeyOptions)).toThrow(
      'apiKey: `header` is not an option. It takes key, in, name, prefix.',
    );
    expect(() => apiKey({ key: 'k', Name: 'X-Foo' } as ApiKeyOptions)).toThrow('Did you mean `name`?');
  });

  it.each<[string, Partial<ApiKeyOptions>]>([
    ['a line break in the prefix', { prefix: 'Key\n' }],
    ['an unfit header name', { name: 'X API Key' }],
    ['an unfit cookie name', { in: 'cookie', name: 'a=b' }],
  ])('at construction, also where the key is a function: %s', async (_name, options) => {
    expect(await silentFailure(() => apiKey({ key: () => CANARY, ...options }))).toMatchObject({ name: 'ConfigurationError' });
  });

  it.each<[string, () => unknown]>([
    ['a newline', () => `${CANARY}\n`],
    ['a newline, late', async () => `${CANARY}\n`],
    ['nothing', () => ''],
    ['nothing, late', async () => undefined],
    ['another type', () => [CANARY]],
  ])('when a function yields %s', async (_name, key) => {
    const error = await silentFailure(() => apiKey({ key: key as () => string }).authorize(request, context));
    expect(error).toMatchObject({ name: 'ConfigurationError', option: 'key', strategy: 'apiKey' });
  });
});
