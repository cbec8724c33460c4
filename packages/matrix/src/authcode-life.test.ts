// authorizationCode against a certified server (oidc-provider): PKCE required, refresh tokens rotate, one used twice revokes its family.
import { type AuthorizationCode, type AuthorizationCodeOptions, authorizationCode } from '@authseam/auth-authcode';
import { type AuthEvent, isAuthError, memoryStore } from '@authseam/core';
import {
  cookieJar,
  type OidcClient,
  type OidcServer,
  type OidcServerOptions,
  oidcServer,
  type SignInOptions,
  signIn,
} from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';

const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const publicKey = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
const longSecret = 'not a real secret, for tests: 0123456789abcdef';
const redirectUri = 'https://app.example/callback';
const redirectUris = [redirectUri];

type Proof = Pick<AuthorizationCodeOptions, 'clientAuthentication' | 'clientSecret' | 'privateKey'>;

/** How a client is registered, and what it is given to prove itself. */
const clients: readonly (readonly [string, OidcClient, Proof])[] = [
  ['none', { clientId: 'public', clientAuthentication: 'none', redirectUris }, { clientAuthentication: 'none' }],
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

const publicClient = clients[0]![1];

function serverFor(options: OidcServerOptions = {}): Promise<OidcServer> {
  return oidcServer({ clients: [publicClient], ...options });
}

function authFor({ issuer }: OidcServer, options: object = {}): AuthorizationCode {
  return authorizationCode({
    issuer,
    clientId: 'public',
    clientAuthentication: 'none',
    redirectUri,
    scope: 'openid read',
    ...options,
  } as AuthorizationCodeOptions);
}

/** Signs somebody in, as a web application and a browser do together. */
async function signedIn(
  auth: AuthorizationCode,
  { subject, request = {}, ...options }: SignInOptions & { subject?: string; request?: object } = {},
) {
  const { url, transaction } = await auth.createAuthorizationUrl(request);
  const { callbackUrl } = await signIn(url, options);
  // The transaction lies in a session, as JSON.
  return auth.handleCallback(callbackUrl, JSON.parse(JSON.stringify(transaction)), subject === undefined ? {} : { subject });
}

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

/** An `InteractionRequiredError`, as it is or as the cause of a client's own error. */
function isInteraction(error: unknown, code: string | undefined): boolean {
  const found = isAuthError(error) ? error : (error as { cause?: unknown }).cause;
  return isAuthError(found, 'INTERACTION_REQUIRED') && found.error === code;
}

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

describe('the authorization request', () => {
  it('is for the scope, audience, resource and extra parameters of the options, with PKCE, state and nonce of its own', async () => {
    await using server = await serverFor({ pushedAuthorizationRequests: 'off' });
    const auth = authFor(server, { resource: server.audience, audience: 'a b&c', parameters: { organization: 'org-1' } });
    const request = {
      scope: 'write openid',
      prompt: 'login consent',
      loginHint: 'bob@example.com',
      acrValues: 'a b',
      maxAge: 0,
      parameters: { ui_locales: 'nl' },
    };
    const { url, transaction } = await auth.createAuthorizationUrl(request);
    const { origin, pathname, searchParams } = new URL(url);
    expect(origin + pathname).toBe(server.authorizationEndpoint);
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: 'public',
      redirect_uri: redirectUri,
      scope: 'openid read write',
      audience: 'a b&c',
      resource: server.audience,
      organization: 'org-1',
      prompt: 'login consent',
      login_hint: 'bob@example.com',
      acr_values: 'a b',
      max_age: '0',
      ui_locales: 'nl',
      state: transaction.state,
      nonce: transaction.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(url).not.toContain(transaction.codeVerifier);
    const other = await auth.createAuthorizationUrl();
    for (const name of ['state', 'nonce', 'codeVerifier'] as const) expect(other.transaction[name]).not.toBe(transaction[name]);
  });

  it('is pushed where the server wants that: nothing of it shows in the URL', async () => {
    await using server = await serverFor({ pushedAuthorizationRequests: 'required' });
    const auth = authFor(server);
    const { url } = await auth.createAuthorizationUrl();
    expect([...new URL(url).searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    expect((await signedIn(auth)).accessToken).toBeDefined();
  });

  it('keeps resource and audience through refreshes', async () => {
    await using server = await serverFor();
    for (const target of [{ resource: server.audience }, { audience: server.audience }]) {
      const auth = authFor(server, target);
      await signedIn(auth);
      const set = await auth.getToken({ forceRefresh: true });
      expect(JSON.parse(Buffer.from(set.accessToken.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
        aud: server.audience,
        scope: 'read',
      });
      expect(await adapters[0]!.attach(auth)(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
    }
  });

  it('goes to endpoints that are named, with an issuer and without', async () => {
    await using server = await serverFor();
    const { authorizationEndpoint, tokenEndpoint, revocationEndpoint } = server;
    const named = { authorizationEndpoint, tokenEndpoint, revocationEndpoint };
    for (const options of [named, { ...named, issuer: undefined, scope: 'read' }]) {
      const auth = authFor(server, options);
      expect(await signedIn(auth)).toMatchObject({ refreshToken: expect.any(String) });
      expect(await auth.signOut()).toEqual({ isRevoked: true });
    }
    expect(server.requests.filter(({ route }) => route === 'discovery')).toEqual([]);
    expect(() => authFor(server, { ...named, issuer: undefined })).toThrow(expect.objectContaining({ option: 'issuer' }));
  });
});

describe('the callback', () => {
  it('comes as URL, path, parameters, Request or form post', async () => {
    await using server = await serverFor();
    const auth = authFor(server);
    const forms: readonly ((callbackUrl: string) => Parameters<typeof auth.handleCallback>[0])[] = [
      (url) => url,
      (url) => new URL(url),
      (url) => new URL(url).searchParams,
      (url) => new Request(url),
      (url) => new URL(url).pathname + new URL(url).search,
    ];
    for (const form of forms) {
      const { url, transaction } = await auth.createAuthorizationUrl();
      const { callbackUrl } = await signIn(url);
      expect(await auth.handleCallback(form(callbackUrl), transaction)).toMatchObject({ accessToken: expect.any(String) });
    }
    for (const bodyOf of [(body: URLSearchParams) => new Request(redirectUri, { method: 'POST', body }), (body: URLSearchParams) => body]) {
      const { url, transaction } = await auth.createAuthorizationUrl({ responseMode: 'form_post' });
      const { form } = await signIn(url);
      expect(await auth.handleCallback(bodyOf(form ?? new URLSearchParams()), transaction)).toMatchObject({
        accessToken: expect.any(String),
      });
    }
  });

  it('that says no is an AuthorizationError with its code: access_denied, and login_required of prompt=none', async () => {
    await using server = await serverFor();
    const auth = authFor(server);
    await expect(signedIn(auth, { deny: true })).rejects.toMatchObject({
      name: 'AuthorizationError',
      code: 'AUTHORIZATION_REFUSED',
      error: 'access_denied',
      errorDescription: 'the user said no',
    });
    await expect(signedIn(auth, { request: { prompt: 'none' } })).rejects.toMatchObject({ error: 'login_required' });
    expect(server.exchanges).toBe(0);
    expect(isInteraction(await Promise.resolve(auth.getToken()).catch((error) => error), undefined)).toBe(true);
  });

  it('a narrower scope is what the tokens say', async () => {
    await using server = await serverFor();
    expect(await signedIn(authFor(server, { scope: 'openid read admin' }), { consent: ['read'] })).toMatchObject({ scope: 'openid read' });
  });
});

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
