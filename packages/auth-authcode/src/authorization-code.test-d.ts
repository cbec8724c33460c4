import type { AuthStrategy, TokenSet, TokenSource } from '@authseam/core';
import { expectTypeOf } from 'vitest';
import { type AuthorizationCode, type AuthorizationTransaction, authorizationCode } from './index.ts';

const base = { issuer: 'https://login.example.com', clientId: 'app', redirectUri: 'https://app.example.com/callback' } as const;
const clientSecret: string = 'secret';
const auth = authorizationCode({ ...base, clientSecret, scope: ['openid'] as const, fetch });

expectTypeOf(auth).toExtend<AuthorizationCode & AuthStrategy<TokenSet> & TokenSource>();
expectTypeOf(auth.session('anna')).toExtend<AuthStrategy & TokenSource>();
expectTypeOf(auth.createAuthorizationUrl()).resolves.toEqualTypeOf<{
  readonly url: string;
  readonly transaction: AuthorizationTransaction;
}>();
authorizationCode({ ...base, clientAuthentication: 'none', initialTokens: { accessToken: 'a' } });
authorizationCode({
  ...base,
  authorizationEndpoint: 'https://login.example.com/authorize',
  tokenEndpoint: 'https://login.example.com/token',
  clientSecret,
});

// @ts-expect-error nobody to send the person to
authorizationCode({ clientId: 'app', clientSecret, redirectUri: base.redirectUri, tokenEndpoint: 'https://login.example.com/token' });
// @ts-expect-error no secret, no key, and no word that there is none
authorizationCode(base);
// @ts-expect-error a redirect URI is missing
authorizationCode({ issuer: base.issuer, clientId: 'app', clientSecret });
// @ts-expect-error who?
auth.session();
// @ts-expect-error perhaps nobody
auth.session(process.env['USER']);
