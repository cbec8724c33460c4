import { apiKey, basic, bearerToken } from '@authseam/auth-api-key';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthStrategy, compose, staticHeaders } from '@authseam/core';
import { plantSecret } from '@authseam/testing';

/** A strategy under test, with every secret that it may put on a request. */
export interface MatrixStrategy {
  readonly name: string;
  create(): { readonly strategy: AuthStrategy; readonly secrets: readonly string[] };
}

/** Every strategy, and every place where one of them puts a credential. Adding one is a line here. */
export const strategies: readonly MatrixStrategy[] = [
  { name: 'apiKey header', create: () => withSecret((key) => apiKey({ key })) },
  { name: 'apiKey query', create: () => withSecret((key) => apiKey({ key, in: 'query', name: 'api_key' })) },
  { name: 'apiKey cookie', create: () => withSecret((key) => apiKey({ key, in: 'cookie', name: 'api_key' })) },
  { name: 'bearerToken', create: () => withSecret((token) => bearerToken({ token })) },
  { name: 'bearerToken function', create: () => withSecret((token) => bearerToken({ token: async () => token, scheme: 'Token' })) },
  { name: 'basic', create: () => withSecret((password) => basic({ username: 'user', password })) },
  { name: 'clientCredentials', create: () => withSecret(grantFrom) },
  { name: 'oauth1', create: () => withSecret((token) => oauth1({ consumerKey: 'matrix', token, tokenSecret: '' })) },
  {
    name: 'oauth1 query',
    create: () => withSecret((token) => oauth1({ consumerKey: 'matrix', token, tokenSecret: '', placement: 'query' })),
  },
  { name: 'compose', create: () => withSecret((key) => compose(staticHeaders({ 'User-Agent': 'matrix/1.0' }), apiKey({ key }))) },
  { name: 'form field', create: () => withSecret(formField) },
];

function withSecret(make: (secret: string) => AuthStrategy): ReturnType<MatrixStrategy['create']> {
  const secret = plantSecret('credential');
  return { strategy: make(secret), secrets: [secret] };
}

/** Client credentials whose token endpoint is a function: the wire of token requests has tests of its own. */
function grantFrom(accessToken: string): AuthStrategy {
  const answer = JSON.stringify({ access_token: accessToken, token_type: 'Bearer', expires_in: 3600 });
  return clientCredentials({
    tokenEndpoint: 'https://login.example.com/token',
    clientId: 'matrix',
    clientSecret: 'not-under-test',
    fetch: async () => new Response(answer, { headers: { 'Content-Type': 'application/json' } }),
  });
}

/** The one place that no built-in strategy uses yet: a field of a form body. */
function formField(secret: string): AuthStrategy {
  return {
    name: 'formField',
    specVersion: 1,
    readsBody: 'form',
    authorize: ({ method }) => (method === 'GET' ? { headers: { 'X-Form-Key': secret } } : { form: [['form_key', secret]] }),
  };
}
