import { type AuthEvent, isAuthError, memoryStore, type TokenSet } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { codeClient, codeServer, issuer, redirectUri, signedIn } from './fixtures/code-server.ts';
import { type AuthorizationCode, type AuthorizationCodeOptions, authorizationCode } from './index.ts';
import { checkLoginOptions } from './loopback/login-options.ts';

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
    ['options', { redirectUrl: redirectUri }],
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

describe('createAuthorizationUrl', () => {
  it.each<[string, object]>([
    ['parameters', { parameters: { state: 'mine' } }],
    ['parameters', { parameters: { redirect_uri: 'https://evil.example' } }],
    ['parameters', { parameters: { code_challenge: 'x' } }],
    ['parameters', { parameters: { nonce: 'x' } }],
    ['parameters', { parameters: { request_uri: 'urn:x' } }],
    ['parameters', { parameters: { client_id: 'other' } }],
    ['parameters', { parameters: { scope: 'admin' } }],
    ['parameters', { parameters: { max_age: '0' } }],
    ['parameters', { parameters: { ui_locales: ['nl'] } }],
    ['maxAge', { maxAge: -1 }],
    ['maxAge', { maxAge: Number.NaN }],
    ['maxAge', { maxAge: '300' }],
    ['prompt', { prompt: ['login'] }],
    ['options', { login_hint: 'anna' }],
    ['issuer', { scope: 'openid' }],
  ])('refuses what it could not send, or what would take the place of what protects it: %s', async (option, request) => {
    await expect(codeClient(codeServer()).createAuthorizationUrl(request)).rejects.toMatchObject({ name: 'ConfigurationError', option });
  });

  it('keeps the query that the endpoint has', async () => {
    const { url } = await codeClient(codeServer(), { authorizationEndpoint: `${issuer}/authorize?policy=a%20b` }).createAuthorizationUrl();
    expect(new URL(url).searchParams.get('policy')).toBe('a b');
    expect(new URL(url).searchParams.get('client_id')).toBe('app');
  });

  it('sends each parameter once: what the endpoint says of ours is taken out, and the rest stays as it is spelled', async () => {
    const own =
      '??state=1&a=%7E+b&client_id=other&&st%61te=theirs&redirect_uri=x&response_type=token&c=d%20e&client_id=another&code_challenge_method=plain';
    for (const endpoint of [`${issuer}/authorize${own}`, `${issuer}/authorize?state=`, `${issuer}/authorize`]) {
      const { url, transaction } = await codeClient(codeServer(), { authorizationEndpoint: endpoint }).createAuthorizationUrl();
      const { search, searchParams } = new URL(url);
      expect(search.startsWith(endpoint.includes('a=') ? '??state=1&a=%7E+b&&c=d%20e&response_type=code&' : '?response_type=code&')).toBe(
        true,
      );
      const names = [...searchParams.keys()].filter((name) => name !== '');
      expect(names).toHaveLength(new Set(names).size);
      expect(Object.fromEntries(searchParams)).toMatchObject({
        client_id: 'app',
        state: transaction.state,
        redirect_uri: redirectUri,
        code_challenge_method: 'S256',
      });
    }
  });

  it('leaves nothing of a pushed request to what the endpoint says', async () => {
    const fetch = async () => Response.json({ request_uri: 'urn:example:1' }, { status: 201 });
    const endpoints = {
      authorizationEndpoint: `${issuer}/authorize?request_uri=urn%3Aother&client_id=other&redirect_uri=x&policy=1`,
      pushedAuthorizationRequestEndpoint: `${issuer}/par`,
    };
    const { url } = await codeClient(codeServer(), { ...endpoints, fetch }).createAuthorizationUrl();
    expect(new URL(url).search).toBe('?policy=1&client_id=app&request_uri=urn%3Aexample%3A1');
  });

  it('makes a verifier of 43 characters and its S256 challenge (RFC 7636, appendix B for the transform)', async () => {
    const { codeChallenge } = await import('./random-token.ts');
    expect(await codeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
    const { url, transaction } = await codeClient(codeServer()).createAuthorizationUrl();
    expect(transaction.codeVerifier).toMatch(/^[\w-]{43}$/);
    expect(new URL(url).searchParams.get('code_challenge')).toBe(await codeChallenge(transaction.codeVerifier));
    expect(JSON.parse(JSON.stringify(transaction))).toEqual(transaction);
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

describe('a signal that has aborted', () => {
  it('lets nothing out, also through a fetch that ignores it', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    const { transaction } = await auth.createAuthorizationUrl();
    const reason = new Error('gone');
    const signal = AbortSignal.abort(reason);
    await expect(auth.handleCallback(`/callback?code=a&state=${transaction.state}`, transaction, { signal })).rejects.toBe(reason);
    const pushing = codeClient(server, { pushedAuthorizationRequestEndpoint: `${issuer}/par` });
    await expect(pushing.createAuthorizationUrl({ signal })).rejects.toBe(reason);
    expect(server.requests).toEqual([]);
  });
});

describe('who signed in', () => {
  const callbackOf = async (auth: AuthorizationCode, code = 'anna') => {
    const { transaction } = await auth.createAuthorizationUrl();
    return [`/callback?code=${code}&state=${transaction.state}`, transaction] as const;
  };

  it('may be looked up, which may take its time', async () => {
    const auth = codeClient(codeServer());
    const seen: TokenSet[] = [];
    const subject = async (tokens: TokenSet) => {
      seen.push(tokens);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return 'user-1';
    };
    const tokens = await auth.handleCallback(...(await callbackOf(auth)), { subject });
    expect(seen).toEqual([tokens]);
    expect(await auth.session('user-1').getToken()).toBe(tokens);
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['the empty string', ''],
    ['a number', 42],
    ['a promise of nobody', Promise.resolve(undefined)],
  ])('that turns out to be %s when the code is spent is an error that says what to do, and nothing is kept', async (_, found) => {
    const set = vi.fn(memoryStore().set);
    const store = { ...memoryStore(), set };
    const server = codeServer();
    const auth = codeClient(server, { store });
    const work = auth.handleCallback(...(await callbackOf(auth)), { subject: () => found as string });
    await expect(work).rejects.toMatchObject({
      code: 'CONFIGURATION_ERROR',
      option: 'subject',
      message: expect.stringMatching(/thrown away.*valid at the server.*has to sign in again/),
    });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([server.requests.length, set.mock.calls]).toEqual([1, []]);
  });

  it('is not kept when the lookup fails, or somebody leaves meanwhile', async () => {
    const auth = codeClient(codeServer());
    const reason = new Error('gone');
    const failing = auth.handleCallback(...(await callbackOf(auth)), { subject: () => Promise.reject(reason) });
    await expect(failing).rejects.toBe(reason);
    const controller = new AbortController();
    const leaving = auth.handleCallback(...(await callbackOf(auth)), {
      signal: controller.signal,
      subject: () => {
        controller.abort(reason);
        return new Promise<string>(() => {});
      },
    });
    await expect(leaving).rejects.toBe(reason);
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('that a lookup did not find is nobody, and not the default subject: refused before anything is done', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    const nobody = { subject: undefined } as unknown as { subject: string };
    const [callback, transaction] = await callbackOf(auth);
    await expect(auth.handleCallback(callback, transaction, nobody)).rejects.toMatchObject({ option: 'subject' });
    expect(server.requests).toEqual([]);
    const tokens = await auth.handleCallback(callback, transaction);
    await expect(auth.signOut(nobody)).rejects.toMatchObject({ option: 'subject' });
    expect(await auth.getToken()).toBe(tokens);
    const login = { ...nobody, onUrl: () => {}, open: false } as const;
    expect(() => checkLoginOptions(login, 'x')).toThrow(expect.objectContaining({ option: 'subject' }));
  });
});

describe('a callback that is not given as it should be', () => {
  it.each<[string, unknown, RegExp]>([
    ['parameters without a question mark', 'code=a&state=b', /question mark.*URLSearchParams/],
    ['parameters without a question mark, in another order', 'iss=https://login.example.com&state=b?&code=a', /question mark/],
    ['a request of node:http', { url: '/callback?code=a', headers: { host: 'app.example.com' }, method: 'GET' }, /node:http.*its `url`/],
    ['nothing', undefined, /must be the URL/],
  ])('is an error that says what to give: %s', async (_, callback, message) => {
    const auth = codeClient(codeServer());
    const { transaction } = await auth.createAuthorizationUrl();
    await expect(auth.handleCallback(callback as string, transaction)).rejects.toMatchObject({
      option: 'callbackUrl',
      message: expect.stringMatching(message),
    });
  });

  it.each(['?', '/callback?', 'callback?', 'https://app.example.com/a=b?'])('is taken with %j before its parameters', async (start) => {
    const auth = codeClient(codeServer());
    const { transaction } = await auth.createAuthorizationUrl();
    expect(await auth.handleCallback(`${start}code=anna&state=${transaction.state}`, transaction)).toMatchObject({ tokenType: 'Bearer' });
  });
});

describe('used callbacks', () => {
  it('are remembered for ten minutes', async () => {
    let nowMs = 0;
    const server = codeServer();
    const auth = codeClient(server, { now: () => nowMs });
    const { transaction } = await auth.createAuthorizationUrl();
    const handle = () => auth.handleCallback(`/callback?code=anna&state=${transaction.state}`, transaction);
    await handle();
    nowMs = 599_999;
    await expect(handle()).rejects.toMatchObject({ code: 'CALLBACK_REJECTED' });
    nowMs = 600_000;
    await handle();
    expect(server.requests).toHaveLength(2);
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
