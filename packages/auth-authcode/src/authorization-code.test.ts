import { type AuthEvent, isAuthError, memoryStore } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { codeClient, codeServer, issuer, redirectUri, signedIn } from './fixtures/code-server.ts';
import { type AuthorizationCodeOptions, authorizationCode } from './index.ts';

const base = { issuer, clientId: 'app', clientAuthentication: 'none', redirectUri } as const;

describe('the options', () => {
  it.each<[string, object]>([
    ['authorizationEndpoint', { issuer: undefined, tokenEndpoint: `${issuer}/token` }],
    ['authorizationEndpoint', { tokenEndpoint: `${issuer}/token` }],
    ['tokenEndpoint', { issuer: undefined, authorizationEndpoint: `${issuer}/authorize` }],
    ['authorizationEndpoint', { authorizationEndpoint: 'http://login.example.com/authorize' }],
    ['revocationEndpoint', { revocationEndpoint: 'javascript:alert(1)' }],
    ['pushedAuthorizationRequestEndpoint', { pushedAuthorizationRequestEndpoint: '/par' }],
    ['endSessionEndpoint', { endSessionEndpoint: 'https://user:password@login.example.com/' }],
    ['clientId', { clientId: undefined }],
    ['clientSecret', { clientSecret: 'secret' }],
    ['parameters', { parameters: { state: 'mine' } }],
    ['parameters', { parameters: { code_challenge_method: 'plain' } }],
    ['parameters', { parameters: { prompt: 'none' } }],
    ['parameters', { parameters: { client_id: 'other' } }],
    ['store', { store: {} }],
    ['storeKey', { storeKey: '' }],
    ['now', { now: 5 }],
    ['fetch', { fetch: 'fetch' }],
    ['redirectUrl', { redirectUrl: redirectUri }],
    ['resource', { resource: 'not a uri' }],
    [
      'issuer',
      { issuer: undefined, authorizationEndpoint: `${issuer}/authorize`, tokenEndpoint: `${issuer}/token`, scope: ['read openid'] },
    ],
  ])('are checked at once: %s', (option, options) => {
    expect(() => authorizationCode({ ...base, ...options } as AuthorizationCodeOptions)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option }),
    );
  });

  it('say what they take', () => {
    expect(() => authorizationCode({} as AuthorizationCodeOptions)).toThrow(/`issuer` is missing: .*`authorizationEndpoint` and/);
    expect(() => authorizationCode({ ...base, store: {} as never })).toThrow('a TokenStore, such as memoryStore() or fileStore');
  });

  it.each([
    undefined,
    '',
    '/callback',
    'https://app.example.com/#a',
    'https://app.example.com/ ',
    'http://app.example.com/callback',
    'https://user:pw@app.example.com/',
    'javascript:alert(1)',
    'data:text/html,x',
    'https:\\app.example.com',
  ])('refuse the redirect URI %j', async (unfit) => {
    const expected = expect.objectContaining({ option: 'redirectUri' });
    expect(() => authorizationCode({ ...base, redirectUri: unfit as string })).toThrow(expected);
    const auth = codeClient(codeServer());
    if (unfit) await expect(auth.createAuthorizationUrl({ redirectUri: unfit })).rejects.toEqual(expected);
  });

  it.each([
    'https://app.example.com/callback?tenant=1',
    'http://127.0.0.1/callback',
    'http://[::1]:3000/',
    'http://localhost:3000/callback',
    'com.example.app:/callback',
  ])('take the redirect URI %s, for one request too', async (fit) => {
    expect(codeClient(codeServer(), { redirectUri: fit }).redirectUri).toBe(fit);
    const server = codeServer();
    const auth = codeClient(server);
    const { url, transaction } = await auth.createAuthorizationUrl({ redirectUri: fit });
    expect(new URL(url).searchParams.get('redirect_uri')).toBe(fit);
    await auth.handleCallback(`/callback?code=a&state=${transaction.state}`, transaction);
    expect(server.requests[0]?.get('redirect_uri')).toBe(fit);
  });
});

describe('a server of its own kind', () => {
  it('speaks JSON, names things otherwise, and rejects with 400, 401 or 403 and a code in the body (Extra Horizon)', async () => {
    const requests: unknown[] = [];
    const fetch = async (_url: string, { body }: RequestInit) => {
      requests.push(JSON.parse(body as string));
      return Response.json({ accessToken: `at-${requests.length}`, refreshToken: `rt-${requests.length}`, expiresIn: 300 });
    };
    const auth = codeClient(codeServer(), {
      fetch,
      clientAuthentication: 'client_secret_post',
      clientSecret: 'secret',
      tokenRequest: { format: 'json', fields: { code_verifier: 'codeVerifier' } },
      tokenResponse: { accessToken: 'accessToken', refreshToken: 'refreshToken', expiresIn: 'expiresIn' },
      scheme: 'Bearer',
      isRejected: async (response: { json(): Promise<unknown> }) =>
        [117, 118].includes(((await response.json()) as { code?: number }).code ?? 0),
    });
    const { transaction } = await auth.createAuthorizationUrl();
    await auth.handleCallback(`/callback?code=c-1&state=${transaction.state}`, transaction);
    const client = { client_id: 'app', client_secret: 'secret' };
    expect(requests).toEqual([
      { grant_type: 'authorization_code', code: 'c-1', redirect_uri: redirectUri, codeVerifier: transaction.codeVerifier, ...client },
    ]);
    const request = { method: 'GET', url: 'https://api.example.com/', headers: { get: () => null }, replayable: true, attempt: 1 };
    const context = { now: Date.now, emit: () => {} };
    for (const [at, status] of [400, 401, 403].entries()) {
      const { receipt } = await auth.authorize(request, context);
      const response = (code: number) => ({
        status,
        url: request.url,
        headers: { get: () => null },
        text: async () => '',
        json: async () => ({ code }),
      });
      expect(await auth.isRejected?.(response(5), { request, receipt })).toBe(false);
      expect(await auth.isRejected?.(response(118), { request, receipt })).toBe(true);
      expect(await auth.recover?.(response(118), { request, receipt }, context)).toBe(true);
      auth.observe?.({ ...response(0), status: 200 }, { request, receipt: await auth.getToken() });
      expect(requests.at(-1)).toEqual({ grant_type: 'refresh_token', refresh_token: `rt-${at + 1}`, ...client });
    }
  });

  it('that grants less is reported with the refresh that gave less', async () => {
    const server = codeServer();
    const auth = codeClient(server, { scope: 'read write' });
    expect(await signedIn(auth, 'anna')).toMatchObject({ scope: 'read write' });
    server.answers.push(() => Response.json({ access_token: 'a', token_type: 'bearer', scope: 'read' }));
    const events: AuthEvent[] = [];
    expect(await auth.getToken({ forceRefresh: true, emit: (event) => events.push(event) })).toMatchObject({
      scope: 'read',
      refreshToken: 'rt-anna-1',
    });
    expect(events).toContainEqual({ type: 'scope-changed', strategy: 'authorizationCode', requested: 'read write', granted: 'read' });
  });
});

describe('step-up', () => {
  const request = { method: 'GET', url: 'https://api.example.com/', headers: { get: () => null }, replayable: true, attempt: 1 };
  const context = { now: Date.now, emit: () => {} };
  const challenged = (status: number, header: string) => ({
    status,
    url: request.url,
    headers: { get: () => header },
    text: async () => '',
    json: async () => null,
  });

  it.each<[number, string, object | undefined]>([
    [403, 'Bearer error="insufficient_scope", scope="a b"', { scope: 'a b' }],
    [401, 'Bearer error="insufficient_scope"', {}],
    [401, 'Bearer error="insufficient_user_authentication", acr_values="x y", max_age="5"', { acrValues: 'x y', maxAge: 5 }],
    [401, 'Basic realm="a", DPoP error="insufficient_user_authentication", max_age=0', { maxAge: 0 }],
    [401, 'Bearer error="insufficient_user_authentication", max_age="-1", acr_values=""', {}],
    [401, `Bearer error="insufficient_user_authentication", max_age="${'9'.repeat(400)}"`, {}],
    [401, 'Bearer error="invalid_token", scope="a"', undefined],
    [403, 'Bearer error="invalid_token"', undefined],
    [400, 'Bearer error="insufficient_scope"', undefined],
  ])('%i %s', async (status, header, authorization) => {
    const server = codeServer();
    const auth = codeClient(server);
    await signedIn(auth, 'anna', 'anna');
    const anna = auth.session('anna');
    const { receipt } = await anna.authorize(request, context);
    const response = challenged(status, header);
    expect(await anna.isRejected?.(response, { request, receipt })).toBe(authorization !== undefined);
    if (!authorization) return;
    const error = await Promise.resolve()
      .then(() => anna.recover?.(response, { request, receipt }, context))
      .catch((caught) => caught);
    expect(isAuthError(error, 'INTERACTION_REQUIRED') && error.authorization).toEqual(authorization);
    expect(error).toMatchObject({
      subject: 'anna',
      error: header.includes('scope') ? 'insufficient_scope' : 'insufficient_user_authentication',
    });
    expect((await auth.createAuthorizationUrl(error.authorization)).url).toContain(issuer);
    expect(server.requests).toHaveLength(1);
  });
});

describe('the store key', () => {
  it('holds server, client, scope, audience, resource, parameters and subject', async () => {
    const keys: string[] = [];
    const memory = memoryStore();
    const set: typeof memory.set = (key, ...rest) => {
      keys.push(key);
      return memory.set(key, ...rest);
    };
    const store = { ...memory, set };
    const auth = codeClient(codeServer(), {
      store,
      scope: 'write read',
      audience: 'urn:a',
      resource: 'urn:b',
      parameters: { organization: 'o' },
    });
    await signedIn(auth, 'anna');
    await signedIn(auth, 'anna', 'anna@example.com');
    const base =
      '["authorization_code","https://login.example.com/token","app",["audience","urn:a"],["organization","o"],["resource","urn:b"],["scope","read write"]]';
    expect(keys).toEqual([base, JSON.stringify([base, 'anna@example.com'])]);
  });
});
