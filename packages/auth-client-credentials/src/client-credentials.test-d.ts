import type { AuthStrategy, TokenSet, TokenSource } from '@authseam/core';
import { expectTypeOf } from 'vitest';
import { clientCredentials } from './client-credentials.ts';

const base = { tokenEndpoint: 'https://login.example.com/token', clientId: 'id' } as const;
const clientSecret: string = 'secret';

expectTypeOf(clientCredentials({ ...base, clientSecret })).toExtend<AuthStrategy<TokenSet> & TokenSource>();
expectTypeOf(clientCredentials({ ...base, clientSecret })).toExtend<AuthStrategy>();
clientCredentials({ issuer: 'https://login.example.com', clientId: 'id', clientSecret: async () => clientSecret, scope: ['a'] as const });
clientCredentials({ ...base, issuer: 'https://login.example.com', privateKey: { key: 'pem', algorithm: 'PS256', keyId: 'k' } });
clientCredentials({ ...base, clientAuthentication: 'none', fetch });

// @ts-expect-error a server is missing
clientCredentials({ clientId: 'id', clientSecret });
// @ts-expect-error a secret or a key is missing
clientCredentials(base);
// @ts-expect-error a secret that may be undefined
clientCredentials({ ...base, clientSecret: clientSecret as string | undefined });
// @ts-expect-error both a secret and a key
clientCredentials({ ...base, clientSecret, privateKey: 'pem' });
// @ts-expect-error a method without what it needs
clientCredentials({ ...base, clientSecret, clientAuthentication: 'private_key_jwt' });
// @ts-expect-error a method with what it does not use
clientCredentials({ ...base, clientSecret, clientAuthentication: 'none' });
