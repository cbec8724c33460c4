import { memoryStore } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { tokenServer, tokens } from '../../oauth2/src/fixtures/token-server.ts';
import { type ClientCredentialsOptions, clientCredentials } from './client-credentials.ts';
import { clientId, clientSecret, counting, strategyFor } from './fixtures/strategy-for.ts';

describe('options', () => {
  it('are needed, and a misspelt one is told', () => {
    expect(() => clientCredentials(undefined as never)).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'options' }));
    const misspelt = { tokenEndpoint: 'https://login.example.com/token', clientId, clientSecret, audiance: 'urn:a' };
    expect(() => clientCredentials(misspelt)).toThrow(/`audiance` is not an option. Did you mean `audience`\?/);
  });

  it('say what they take', () => {
    const message = (options: object): string => {
      try {
        clientCredentials(options as never);
        return expect.fail('expected an error');
      } catch (error) {
        return (error as Error).message;
      }
    };
    const defaults = { tokenEndpoint: 'https://login.example.com/token', clientId, clientSecret };
    expect(message({})).toContain('give `issuer` or `tokenEndpoint`');
    expect(message({ ...defaults, store: {} })).toContain('`store` must be a TokenStore, such as memoryStore() or fileStore');
    expect(message({ ...defaults, storeKey: '' })).toContain('`storeKey` must be text');
    expect(message({ ...defaults, fetch: 'fetch' })).toContain('`fetch` must be a function');
  });

  it.each([
    ['tokenEndpoint', { tokenEndpoint: undefined }],
    ['tokenEndpoint', { tokenEndpoint: 'http://login.example.com/token' }],
    ['issuer', { issuer: 'login.example.com', tokenEndpoint: undefined }],
    ['clientId', { clientId: '' }],
    ['clientSecret', { clientSecret: undefined }],
    ['clientSecret', { clientSecret: 'canary\n' }],
    ['clientSecret', { clientAuthentication: 'none' }],
    ['clientAuthentication', { clientAuthentication: 'tls_client_auth' }],
    ['privateKey', { clientSecret: undefined, clientAuthentication: 'private_key_jwt' }],
    ['scope', { scope: 42 }],
    ['resource', { resource: 'api' }],
    ['parameters', { parameters: { grant_type: 'password' } }],
    ['tokenRequest', { tokenRequest: { format: 'xml' } }],
    ['tokenResponse', { tokenResponse: { accessToken: '' } }],
    ['scheme', { scheme: 'My Token' }],
    ['scheme', { scheme: '' }],
    ['storeKey', { storeKey: '' }],
    ['storeKey', { storeKey: 7 }],
    ['store', { store: new Map([['get', 1]]).values() }],
    ['store', { store: { get() {} } }],
    ['store', { store: { get() {}, set() {} } }],
    ['clientID', { clientID: 'canary' }],
    ['scopes', { scopes: 'read' }],
    ['isRejected', { isRejected: true }],
    ['fetch', { fetch: 'fetch' }],
    ['now', { now: 0 }],
    ['random', { random: 0 }],
  ])('%s is refused in %j, at construction', (option, options) => {
    const construct = () =>
      clientCredentials({ tokenEndpoint: 'https://login.example.com/token', clientId, clientSecret, ...options } as never);
    expect(construct).toThrow(expect.objectContaining({ name: 'ConfigurationError', option, strategy: 'clientCredentials' }));
    expect(construct).not.toThrow(/canary/);
  });
});

describe('the store key', () => {
  /** Under which key options put their token. */
  async function keyOf(options: object): Promise<string> {
    const keys = new Set<string>();
    const memory = memoryStore();
    const store = {
      ...memory,
      get: (key: string) => {
        keys.add(key);
        return memory.get(key);
      },
    };
    const fetch = async () => Response.json(tokens().json);
    const defaults = { tokenEndpoint: 'https://login.example.com/token', clientId, clientSecret };
    await clientCredentials({ ...defaults, fetch, store, ...options } as ClientCredentialsOptions).getToken();
    expect(keys.size).toBe(1);
    return [...keys].join();
  }

  it('reads as what it holds, without the secret', async () => {
    expect(await keyOf({ scope: 'write read', audience: 'https://api.example.com', resource: 'urn:b' })).toBe(
      '["client_credentials","https://login.example.com/token","reports",["audience","https://api.example.com"],["resource","urn:b"],["scope","read write"]]',
    );
  });

  it('is another for everything that makes two tokens different', async () => {
    const different = [
      {},
      { clientId: 'other' },
      { tokenEndpoint: 'https://login.example.com/other' },
      { issuer: 'https://login.example.com' },
      { scope: 'read' },
      { audience: 'urn:a' },
      { resource: 'urn:a' },
      { resource: ['urn:a', 'urn:b'] },
      { parameters: { organization: 'a' } },
      { parameters: { organization: 'b' } },
    ];
    const keys = await Promise.all(different.map(keyOf));
    expect(new Set(keys).size).toBe(different.length);
  });

  it('is the same for what asks for the same', async () => {
    expect(await keyOf({ scope: ['b', 'a'], clientSecret: 'other' })).toBe(await keyOf({ scope: 'a b' }));
    expect(await keyOf({ storeKey: 'mine' })).toBe('mine');
  });

  it('shares a token between strategies', async () => {
    await using server = await tokenServer(counting());
    const store = memoryStore();
    const [first, second, other] = [
      strategyFor(server, { store }),
      strategyFor(server, { store }),
      strategyFor(server, { store, scope: 'a' }),
    ];
    const sets = [await first.getToken(), await second.getToken(), await other.getToken()];
    expect(sets.map(({ accessToken }) => accessToken)).toEqual(['token-1', 'token-1', 'token-2']);
  });
});
