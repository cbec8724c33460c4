import { apiKey, basic, bearerToken } from '@authseam/auth-api-key';
import { authorizationCode } from '@authseam/auth-authcode';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthStrategy, compose, createTokenManager, fromTokenSource, staticHeaders } from '@authseam/core';
import { plantSecret } from '@authseam/testing';
import type { StrategySettings, StrategySubject, StrategyUnderTest } from '@authseam/testing/conformance';

/** Every strategy, and every place where one of them puts a credential. Adding one is a line here. */
export const strategies: readonly StrategySubject[] = [
  { name: 'apiKey header', create: fixed((key) => apiKey({ key })) },
  { name: 'apiKey query', create: fixed((key) => apiKey({ key, in: 'query', name: 'api_key' })) },
  { name: 'apiKey cookie', create: fixed((key) => apiKey({ key, in: 'cookie', name: 'api_key' })) },
  { name: 'bearerToken', create: fixed((token) => bearerToken({ token })) },
  { name: 'bearerToken function', renews: true, create: vault((token) => bearerToken({ token, scheme: 'Token' })) },
  { name: 'basic', create: fixed((password) => basic({ username: 'user', password })) },
  { name: 'clientCredentials', renews: true, shares: true, takesStore: true, create: granted },
  { name: 'authorizationCode', renews: true, shares: true, takesStore: true, stepsUp: true, create: signedIn },
  { name: 'fromTokenSource', renews: true, shares: true, takesStore: true, create: managed },
  { name: 'oauth1', create: signed((credentials) => oauth1(credentials)) },
  { name: 'oauth1 query', create: signed((credentials) => oauth1({ ...credentials, placement: 'query' })) },
  { name: 'oauth1 PLAINTEXT', create: signed((credentials) => oauth1({ ...credentials, signatureMethod: 'PLAINTEXT' })) },
  { name: 'compose', create: fixed((key) => compose(staticHeaders({ 'User-Agent': 'matrix/1.0' }), apiKey({ key }))) },
  { name: 'form field', create: fixed(formField) },
];

function fixed(make: (secret: string) => AuthStrategy): StrategySubject['create'] {
  return () => {
    const secret = plantSecret('credential');
    return { strategy: make(secret), secrets: [secret] };
  };
}

/** A secret that something else rotates, asked for with every request. */
function vault(make: (secret: () => Promise<string>) => AuthStrategy): StrategySubject['create'] {
  return ({ onObtain } = {}) => {
    const secrets = [plantSecret('credential')];
    const secret = async (): Promise<string> => {
      await onObtain?.();
      return secrets.at(-1) ?? '';
    };
    return { strategy: make(secret), secrets, rotate: () => void secrets.push(plantSecret('credential')) };
  };
}

/** Client credentials whose token endpoint is a function: the wire of token requests has tests of its own. */
function granted({ onObtain, store }: StrategySettings = {}): StrategyUnderTest {
  const secrets = [plantSecret('client-secret')];
  const issue = issuer(secrets, onObtain);
  const strategy = clientCredentials({
    tokenEndpoint: 'https://login.example.com/token',
    clientId: 'matrix',
    clientSecret: secrets[0] ?? '',
    ...(store && { store }),
    random: () => 0,
    fetch: async () => Response.json({ access_token: await issue(), token_type: 'Bearer', expires_in: 3600 }),
  });
  return { strategy, secrets };
}

/** Somebody signed in with a token that ran out, whose refresh tokens work once. */
function signedIn({ onObtain, store }: StrategySettings = {}): StrategyUnderTest {
  const secrets = [plantSecret('first-token'), plantSecret('refresh-token')];
  const issue = issuer(secrets, onObtain);
  const strategy = authorizationCode({
    authorizationEndpoint: 'https://login.example.com/authorize',
    tokenEndpoint: 'https://login.example.com/token',
    clientId: 'matrix',
    clientAuthentication: 'none',
    redirectUri: 'https://app.example.com/callback',
    initialTokens: { accessToken: secrets[0] ?? '', refreshToken: secrets[1] ?? '', expiresAtMs: 0 },
    ...(store && { store }),
    random: () => 0,
    fetch: async () => Response.json({ access_token: await issue(), token_type: 'Bearer', expires_in: 3600 }),
  });
  return { strategy, secrets };
}

/** A token manager as an SDK would use it. */
function managed({ onObtain, store }: StrategySettings = {}): StrategyUnderTest {
  const secrets: string[] = [];
  const issue = issuer(secrets, onObtain);
  const fetchToken = async () => ({ accessToken: await issue(), tokenType: 'Bearer' });
  const source = createTokenManager({ key: 'matrix', name: 'managed', fetchToken, random: () => 0, ...(store && { store }) });
  return { strategy: fromTokenSource(source, { name: 'managed' }), secrets };
}

function issuer(secrets: string[], onObtain: StrategySettings['onObtain']): () => Promise<string> {
  return async () => {
    await onObtain?.();
    secrets.push(plantSecret('credential'));
    return secrets.at(-1) ?? '';
  };
}

/** The token shows on the wire; the two secrets do not, but with PLAINTEXT. */
function signed(make: (credentials: Parameters<typeof oauth1>[0]) => AuthStrategy): StrategySubject['create'] {
  return () => {
    const [consumerSecret, tokenSecret, token] = ['consumer-secret', 'token-secret', 'credential'].map(plantSecret) as [
      string,
      string,
      string,
    ];
    return {
      strategy: make({ consumerKey: 'matrix', consumerSecret, token, tokenSecret }),
      secrets: [consumerSecret, tokenSecret, token],
    };
  };
}

/** The one place that no built-in strategy uses yet: a field of a form body. */
function formField(secret: string): AuthStrategy {
  return Object.freeze<AuthStrategy>({
    name: 'formField',
    specVersion: 1,
    readsBody: 'form',
    authorize: ({ method }) => (method === 'GET' ? { headers: { 'X-Form-Key': secret } } : { form: [['form_key', secret]] }),
  });
}
