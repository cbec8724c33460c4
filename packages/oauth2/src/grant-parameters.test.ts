import { describe, expect, it } from 'vitest';
import { type GrantParametersOptions, grantParameters } from './grant-parameters.ts';

describe('grantParameters', () => {
  it('puts everything on the wire, several resources under one name', () => {
    const { scope, pairs } = grantParameters(
      {
        scope: ['write', 'read'],
        audience: 'https://api.example.com',
        resource: ['https://b.example', 'urn:a'],
        parameters: { organization: 'org-1' },
      },
      's',
    );
    expect(scope).toBe('write read');
    expect(pairs).toEqual([
      ['scope', 'write read'],
      ['audience', 'https://api.example.com'],
      ['resource', 'https://b.example'],
      ['resource', 'urn:a'],
      ['organization', 'org-1'],
    ]);
  });

  it('asks for nothing by default', () => {
    expect(grantParameters({ scope: '', audience: '' }, 's')).toEqual({ scope: undefined, pairs: [], key: [] });
  });

  it('has one key for what asks for the same, and another for anything else', () => {
    const key = (options: GrantParametersOptions) => JSON.stringify(grantParameters(options, 's').key);
    expect(key({ scope: 'b  a', resource: ['urn:b', 'urn:a'], parameters: { y: '1', x: '2' } })).toBe(
      key({ scope: ['a', 'b', 'a'], resource: ['urn:a', 'urn:b'], parameters: { x: '2', y: '1' } }),
    );
    const different = [
      {},
      { scope: 'a' },
      { scope: 'a b' },
      { audience: 'urn:a' },
      { resource: 'urn:a' },
      { parameters: { a: 'b' } },
      { parameters: { a: 'c' } },
      { audience: 'urn:a', resource: 'urn:a' },
    ].map(key);
    expect(new Set(different).size).toBe(different.length);
  });

  it.each([
    ['scope', { scope: 42 }],
    ['scope', { scope: ['a', null] }],
    ['audience', { audience: ['a'] }],
    ['resource', { resource: 'api' }],
    ['resource', { resource: ['https://a.example/#x'] }],
    ['parameters', { parameters: { limit: 1 } }],
    ['parameters', { parameters: 'a=b' }],
    ['parameters', { parameters: null }],
    ['parameters', { parameters: [['a', 'b']] }],
    ['parameters', { parameters: new URLSearchParams('a=b') }],
    ['parameters', { parameters: { grant_type: 'password' } }],
    ['parameters', { parameters: { client_secret: 'x' } }],
    ['parameters', { parameters: { scope: 'x' } }],
  ])('refuses %s in %j', (option, options) => {
    expect(() => grantParameters(options as never, 's')).toThrow(expect.objectContaining({ name: 'ConfigurationError', option }));
  });
});
