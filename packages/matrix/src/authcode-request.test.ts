// The authorization requests of authorizationCode at a certified server (oidc-provider), and the callbacks that answer them.
import { signIn } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { authFor, isInteraction, redirectUri, serverFor, signedIn } from './fixtures/certified-sign-in.ts';

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
