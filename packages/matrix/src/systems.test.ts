// Strategies against the systems that users meet first, each a real server on loopback.
import { apiKey } from '@authseam/auth-api-key';
import { type ClientCredentialsOptions, clientCredentials } from '@authseam/auth-client-credentials';
import { type AuthEvent, compose, staticHeaders } from '@authseam/core';
import { type Auth0Client, auth0Server, huvrServer, sdkServer } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';

const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const publicKey = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
const jwk = { ...(await crypto.subtle.exportKey('jwk', keys.privateKey)), kid: 'k1', alg: 'ES256' };
const longSecret = 'not a real secret, for tests: 0123456789abcdef';

type Proof = Omit<Extract<ClientCredentialsOptions, { tokenEndpoint: string }>, 'tokenEndpoint' | 'clientId'>;

/** How the client is registered, and what it is given to prove itself. */
const proofs: readonly [string, object, Proof][] = [
  ['client_secret_basic', { clientSecret: '1PpG/Q 1' }, { clientSecret: '1PpG/Q 1' }],
  ['client_secret_basic', { clientSecret: 'pässwörd+%&=:✓' }, { clientSecret: 'pässwörd+%&=:✓' }],
  ['client_secret_post', { clientSecret: '1PpG/Q 1' }, { clientSecret: () => '1PpG/Q 1', clientAuthentication: 'client_secret_post' }],
  [
    'client_secret_post',
    { clientSecret: 'pässwörd+%&=:✓' },
    { clientSecret: 'pässwörd+%&=:✓', clientAuthentication: 'client_secret_post' },
  ],
  ['client_secret_jwt', { clientSecret: longSecret }, { clientSecret: longSecret, clientAuthentication: 'client_secret_jwt' }],
  ['private_key_jwt', { jwks: { keys: [publicKey] } }, { privateKey: { key: pem, algorithm: 'ES256', keyId: 'k1' } }],
  ['private_key_jwt', { jwks: { keys: [publicKey] } }, { privateKey: jwk }],
  ['private_key_jwt', { jwks: { keys: [publicKey] } }, { privateKey: { key: keys.privateKey, keyId: 'k1' } }],
];

for (const adapter of adapters) {
  describe(`Auth0 through ${adapter.name}`, () => {
    it.each(proofs)('gives a token to a client that proves itself by %s (%#)', async (clientAuthentication, registered, proof) => {
      const client = { clientId: 'client one', clientAuthentication, ...registered } as Auth0Client;
      await using server = await auth0Server({ clients: [client] });
      for (const where of [{ issuer: server.issuer }, { issuer: server.issuer, tokenEndpoint: server.tokenEndpoint }]) {
        const auth = clientCredentials({
          ...where,
          clientId: 'client one',
          audience: server.audience,
          ...proof,
        } as ClientCredentialsOptions);
        expect(await adapter.attach(auth)(`${server.apiUrl}/api/private`)).toMatchObject({ status: 200 });
      }
      expect(server.failures).toEqual([]);
    });

    it('a scope that was not granted is a 403 that causes no refresh; a revoked token causes one', async () => {
      await using server = await auth0Server();
      const { clientId, clientSecret, issuer, audience } = server;
      const auth = clientCredentials({ issuer, clientId, clientSecret, audience, scope: ['write:messages'] });
      const call = adapter.attach(auth);
      expect(await call(`${server.apiUrl}/api/private-scoped`)).toMatchObject({ status: 403 });
      expect(server.tokenRequests).toBe(1);
      server.revokeTokens();
      expect(await call(`${server.apiUrl}/api/private`)).toMatchObject({ status: 200 });
      expect(server.tokenRequests).toBe(2);
    });

    it('an issuer that the metadata does not name is refused before a secret is sent', async () => {
      await using server = await auth0Server();
      const { clientId, clientSecret, audience } = server;
      const auth = clientCredentials({ issuer: `${server.issuer}/`, clientId, clientSecret, audience });
      await expect(adapter.attach(auth)(`${server.apiUrl}/api/private`)).rejects.toMatchObject({ strategy: 'clientCredentials' });
      expect(server.tokenRequests).toBe(0);
    });

    it('a wrong secret says what to check, once', async () => {
      await using server = await auth0Server();
      const { clientId, issuer, audience } = server;
      const call = adapter.attach(clientCredentials({ issuer, clientId, clientSecret: 'a-wrong-secret', audience }));
      const errors = await Promise.allSettled([call(`${server.apiUrl}/api/private`), call(`${server.apiUrl}/api/private`)]);
      for (const error of errors) {
        expect(error).toMatchObject({ reason: { error: 'invalid_client', message: expect.stringMatching(/clientSecret|secret or key/) } });
      }
      expect(server.tokenRequests).toBe(1);
    });

    it("the standard `resource` serves as well as Auth0's `audience`", async () => {
      await using server = await auth0Server();
      const { clientId, clientSecret, issuer, audience } = server;
      const auth = clientCredentials({ issuer, clientId, clientSecret, resource: audience });
      expect(await adapter.attach(auth)(`${server.apiUrl}/api/private`)).toMatchObject({ status: 200 });
    });
  });

  describe(`HUVR through ${adapter.name}`, () => {
    const userAgent = 'authseam-matrix/1.0 (tests)';
    const huvr = (server: { tokenEndpoint: string; clientId: string; clientSecret: string }, now = Date.now) =>
      compose(
        staticHeaders({ 'User-Agent': userAgent }),
        clientCredentials({
          tokenEndpoint: server.tokenEndpoint,
          clientId: server.clientId,
          clientSecret: server.clientSecret,
          clientAuthentication: 'client_secret_post',
          tokenRequest: { format: 'json', fields: { grant_type: false }, headers: { 'User-Agent': userAgent } },
          tokenResponse: { lifetimeSeconds: 3600 },
          scheme: 'Token',
          now,
        }),
      );

    it('takes a JSON grant, the scheme Token and our User-Agent, and its 60-minute tokens are renewed in time', async () => {
      let clock = Date.now();
      await using server = await huvrServer({ now: () => clock });
      const call = adapter.attach(huvr(server, () => clock));
      for (let hour = 0; hour < 3; hour++) {
        expect(await call(`${server.origin}/api/auth/user/`)).toMatchObject({ status: 200 });
        clock += 3_600_000;
      }
      expect(server.tokenRequests).toBe(3);
      expect(server.requests.every(({ headers }) => headers['user-agent'] === userAgent)).toBe(true);
      const grant = server.requests.find(({ route }) => route === 'token');
      expect(JSON.parse(grant?.text ?? '')).toEqual({ client_id: server.clientId, client_secret: server.clientSecret });
    });

    it('200 concurrent calls on a revoked token, strict server: one token request, none fails', async () => {
      await using server = await huvrServer({ onlyNewestToken: true });
      const call = adapter.attach(huvr(server));
      await call(`${server.origin}/api/auth/user/`);
      server.revokeTokens();
      server.inject({ at: 'api', delayMs: () => Math.random() * 100, times: Number.POSITIVE_INFINITY });
      const answers = await Promise.all(Array.from({ length: 200 }, () => call(`${server.origin}/api/assets/`)));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      expect(server.tokenRequests).toBe(2);
    });
  });

  describe(`an SDK's API through ${adapter.name}`, () => {
    it.each(['header', 'query', 'cookie'] as const)('takes its key as %s', async (place) => {
      await using server = await sdkServer({});
      const key = apiKey({ key: server.apiKey, in: place, name: place === 'header' ? 'X-API-Key' : 'api_key' });
      expect(await adapter.attach(key)(`${server.origin}/v1/me`)).toMatchObject({ status: 200 });
    });

    it('a key function follows a rotation', async () => {
      await using server = await sdkServer({});
      let key = server.apiKey;
      const events: AuthEvent[] = [];
      const call = adapter.attach(apiKey({ key: async () => key }), { onEvent: (event) => events.push(event) });
      expect(await call(`${server.origin}/v1/me`)).toMatchObject({ status: 200 });
      const next = server.rotateKey();
      expect(await call(`${server.origin}/v1/me`)).toMatchObject({ status: 401 });
      expect(events).toEqual([{ type: 'rejected', strategy: 'apiKey', status: 401, attempt: 1 }]);
      key = next;
      expect(await call(`${server.origin}/v1/me`)).toMatchObject({ status: 200 });
    });
  });
}
