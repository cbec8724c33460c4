// authorizationCode against a certified server (oidc-provider): PKCE required, refresh tokens rotate, one used twice revokes its family.
import type { AuthorizationCodeOptions } from '@authseam/auth-authcode';
import { type AuthEvent, isAuthError, memoryStore } from '@authseam/core';
import { cookieJar, type OidcClient, signIn } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { authFor, isInteraction, publicClient, redirectUris, serverFor, signedIn } from './fixtures/certified-sign-in.ts';

const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const publicKey = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
const longSecret = 'not a real secret, for tests: 0123456789abcdef';

type Proof = Pick<AuthorizationCodeOptions, 'clientAuthentication' | 'clientSecret' | 'privateKey'>;

/** How a client is registered, and what it is given to prove itself. */
const clients: readonly (readonly [string, OidcClient, Proof])[] = [
  ['none', publicClient, { clientAuthentication: 'none' }],
  ['client_secret_basic', { clientId: 'basic', clientSecret: 'sécret&+% 雪', redirectUris }, { clientSecret: 'sécret&+% 雪' }],
  [
    'client_secret_post',
    { clientId: 'post', clientAuthentication: 'client_secret_post', clientSecret: '1PpG/Q 1', redirectUris },
    { clientAuthentication: 'client_secret_post', clientSecret: async () => '1PpG/Q 1' },
  ],
  [
    'client_secret_jwt',
    { clientId: 'secret-jwt', clientAuthentication: 'client_secret_jwt', clientSecret: longSecret, redirectUris },
    { clientAuthentication: 'client_secret_jwt', clientSecret: longSecret },
  ],
  [
    'private_key_jwt',
    { clientId: 'key-jwt', clientAuthentication: 'private_key_jwt', jwks: { keys: [publicKey] }, redirectUris },
    { privateKey: { key: keys.privateKey, keyId: 'k1' } },
  ],
];

describe.each(clients)('a client that proves itself by %s', (method, client, proof) => {
  it.each(['available', 'off'] as const)(
    'lives: sign-in, calls, 20 refreshes, sign-out; pushed requests %s',
    async (pushedAuthorizationRequests) => {
      let nowMs = Date.now();
      await using server = await serverFor({ clients: [client], pushedAuthorizationRequests, now: () => nowMs });
      const store = memoryStore();
      const auth = authFor(server, { clientId: client.clientId, clientAuthentication: undefined, ...proof, store, now: () => nowMs });
      const call = adapters[0]!.attach(auth);
      const first = await signedIn(auth, { user: 'bob' });
      expect(first).toMatchObject({
        tokenType: 'Bearer',
        scope: 'openid read',
        refreshToken: expect.any(String),
        idToken: expect.any(String),
      });
      expect(server.requests.filter(({ route }) => route === 'par')).toHaveLength(pushedAuthorizationRequests === 'off' ? 0 : 1);
      const seen = new Set([first.refreshToken]);
      for (let round = 1; round <= 20; round += 1) {
        nowMs += 3_600_000;
        const answer = await call(`${server.apiUrl}/api/me`);
        expect([answer.status, JSON.parse(answer.text)]).toEqual([
          200,
          expect.objectContaining({ sub: 'bob', client_id: client.clientId }),
        ]);
        seen.add((await auth.getToken()).refreshToken);
      }
      expect([seen.size, server.refreshes, server.exchanges, server.familyRevoked]).toEqual([21, 20, 1, false]);
      const { accessToken, scope } = await auth.getToken();
      expect(scope).toBe('openid read');
      expect(await auth.signOut()).toEqual({ isRevoked: true, logoutUrl: expect.stringContaining(`${server.issuer}/logout?`) });
      expect(server.revocations).toBe(1);
      expect(await fetch(`${server.apiUrl}/api/me`, { headers: { Authorization: `Bearer ${accessToken}` } })).toMatchObject({
        status: 401,
      });
      await expect(call(`${server.apiUrl}/api/me`)).rejects.toSatisfy((error) => isInteraction(error, undefined));
      expect(server.refreshes).toBe(20);
      expect(server.failures).toEqual([]);
      const proved = server.requests.filter(({ route }) => ['token', 'par', 'revocation'].includes(route));
      for (const { headers, text } of proved) expect(proofIn(headers, text)).toBe(method);
    },
  );
});

function proofIn(headers: Readonly<Record<string, string | undefined>>, text: string): string {
  const form = new URLSearchParams(text);
  const found = [
    ...(headers['authorization']?.startsWith('Basic ') ? ['client_secret_basic'] : []),
    ...(form.has('client_secret') ? ['client_secret_post'] : []),
    ...(form.has('client_assertion')
      ? [algorithmOf(form.get('client_assertion') ?? '') === 'HS256' ? 'client_secret_jwt' : 'private_key_jwt']
      : []),
  ];
  return found.join() || 'none';
}

function algorithmOf(jwt: string): string {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).alg;
}

describe('refreshing', () => {
  it('keeps a refresh token that is not replaced, and the ID token', async () => {
    await using server = await serverFor({ rotateRefreshToken: false });
    const auth = authFor(server);
    const { refreshToken } = await signedIn(auth);
    for (let round = 0; round < 3; round += 1)
      expect(await auth.getToken({ forceRefresh: true })).toMatchObject({ refreshToken, idToken: expect.any(String) });
  });

  it('ends in InteractionRequiredError when the refresh token is worth nothing, asks once, and starts over after a sign-in', async () => {
    await using server = await serverFor();
    const events: AuthEvent[] = [];
    const store = memoryStore();
    const auth = authFor(server, { store, storeKey: 'users' });
    const { refreshToken = '', accessToken } = await signedIn(auth);
    await fetch(server.revocationEndpoint, { method: 'POST', body: new URLSearchParams({ token: refreshToken, client_id: 'public' }) });
    const call = adapters[0]!.attach(auth, { onEvent: (event) => events.push(event) });
    for (const code of ['invalid_grant', undefined, undefined])
      await expect(call(`${server.apiUrl}/api/me`)).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: code, authorization: {} });
    expect(server.refreshes).toBe(1);
    expect(store.get('users')).toBeUndefined();
    expect(accessToken).not.toBe((await signedIn(auth)).accessToken);
    expect(await call(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
  });

  it('without a refresh token ends with the access token', async () => {
    let nowMs = Date.now();
    await using server = await serverFor({ refreshTokens: 'never', now: () => nowMs });
    const auth = authFor(server, { now: () => nowMs });
    await signedIn(auth);
    expect(await adapters[0]!.attach(auth)(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
    nowMs += 3_600_000;
    await expect(auth.getToken()).rejects.toMatchObject({
      code: 'INTERACTION_REQUIRED',
      message: expect.stringContaining('no refresh token'),
    });
    expect(server.refreshes).toBe(0);
  });
});

describe('signing out', () => {
  it('gives a URL that signs the browser out of the server too', async () => {
    const postLogoutRedirectUri = 'https://app.example/';
    await using server = await serverFor({ clients: [{ ...publicClient, postLogoutRedirectUris: [postLogoutRedirectUri] }] });
    const auth = authFor(server);
    const cookies = cookieJar();
    const { idToken } = await signedIn(auth, { cookies });
    const { logoutUrl = '' } = await auth.signOut({ postLogoutRedirectUri });
    expect(Object.fromEntries(new URL(logoutUrl).searchParams)).toEqual({
      client_id: 'public',
      id_token_hint: idToken,
      post_logout_redirect_uri: postLogoutRedirectUri,
    });
    expect((await signIn(logoutUrl, { cookies })).callbackUrl).toBe(postLogoutRedirectUri);
    await expect(signedIn(auth, { cookies, request: { prompt: 'none' } })).rejects.toMatchObject({ error: 'login_required' });
  });

  it('of one user leaves the others signed in', async () => {
    await using server = await serverFor();
    const auth = authFor(server);
    for (const user of ['alice', 'bob']) await signedIn(auth, { user, subject: user });
    await auth.signOut({ subject: 'alice' });
    await expect(auth.session('alice').getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', subject: 'alice' });
    expect(await adapters[0]!.attach(auth.session('bob'))(`${server.apiUrl}/api/me`)).toMatchObject({
      text: expect.stringContaining('"bob"'),
    });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });
});

for (const adapter of adapters) {
  describe(`through ${adapter.name}`, () => {
    it('a step-up challenge is a typed error that createAuthorizationUrl takes as it is, and no refresh', async () => {
      await using server = await serverFor();
      const auth = authFor(server);
      const call = adapter.attach(auth);
      const cookies = cookieJar();
      await signedIn(auth, { cookies });
      for (const [path, error, authorization] of [
        ['/api/admin', 'insufficient_scope', { scope: 'admin' }],
        ['/api/transfer', 'insufficient_user_authentication', { acrValues: 'urn:example:acr:mfa', maxAge: 300 }],
      ] as const) {
        const thrown = await call(server.apiUrl + path).catch((caught) => caught);
        const found = isAuthError(thrown) ? thrown : thrown.cause;
        expect(found).toMatchObject({ name: 'InteractionRequiredError', error, authorization });
        await signedIn(auth, { cookies, request: found.authorization });
        expect(await call(server.apiUrl + path)).toMatchObject({ status: 200 });
      }
      expect(server.refreshes).toBe(0);
      expect(server.exchanges).toBe(3);
    });
  });
}
