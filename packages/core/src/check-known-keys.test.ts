import { describe, expect, it } from 'vitest';
import { checkKnownKeys } from './check-known-keys.ts';

const keys = ['clientId', 'clientSecret', 'scope', 'audience'];

describe('checkKnownKeys', () => {
  it.each([{}, { clientId: 'a' }, Object.create(null), { scope: undefined }])('takes %j', (value) => {
    expect(() => checkKnownKeys(value, keys, { strategy: 's' })).not.toThrow();
  });

  it.each([
    ['clientID', 'Did you mean `clientId`? It takes clientId, clientSecret, scope, audience.'],
    ['client_secret', 'Did you mean `clientId`?'],
    ['scopes', 'Did you mean `scope`?'],
    ['audiance', 'Did you mean `audience`?'],
    ['secret', '`secret` is not an option. It takes'],
    ['constructor', '`constructor` is not an option. It takes'],
  ])('tells what %s may stand for', (key, hint) => {
    const check = () => checkKnownKeys({ clientId: 'canary', [key]: 'canary' }, keys, { strategy: 's' });
    expect(check).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: key, strategy: 's', message: expect.stringContaining(hint) }),
    );
    expect(check).not.toThrow(/canary/);
  });

  it.each([undefined, null, 'json', 42, [], new Map(), new URLSearchParams(), () => {}])('refuses %s', (value) => {
    expect(() => checkKnownKeys(value, keys, { option: 'tokenRequest', strategy: 's' })).toThrow(/`tokenRequest` must be an object/);
  });
});
