import { type AuthStrategy, isAuthError } from '@authseam/core';
import { expectTypeOf, it } from 'vitest';
import { type OAuth1Error, oauth1, type SignatureMethod } from './index.ts';

it('is a strategy', () => {
  expectTypeOf(oauth1).returns.toExtend<AuthStrategy>();
  expectTypeOf<SignatureMethod>().toEqualTypeOf<
    'HMAC-SHA1' | 'HMAC-SHA256' | 'HMAC-SHA512' | 'RSA-SHA1' | 'RSA-SHA256' | 'RSA-SHA512' | 'PLAINTEXT'
  >();
});

it('takes keys in every shape, and secrets as strings or functions', () => {
  oauth1({ consumerKey: 'key', signatureMethod: 'RSA-SHA256', privateKey: {} as CryptoKey });
  oauth1({ consumerKey: 'key', signatureMethod: 'RSA-SHA256', privateKey: {} as JsonWebKey });
  oauth1({ consumerKey: 'key', signatureMethod: 'RSA-SHA256', privateKey: {} as import('node:crypto').KeyObject });
  oauth1({ consumerKey: () => 'key', consumerSecret: async () => 'secret', token: 'token', tokenSecret: () => 'other' });
  // @ts-expect-error: no such method
  oauth1({ consumerKey: 'key', signatureMethod: 'HMAC-MD5' });
});

it('tells its errors by their code', () => {
  const error: unknown = undefined;
  if (isAuthError(error, 'OAUTH1_REJECTED')) expectTypeOf(error).toEqualTypeOf<OAuth1Error>();
});
