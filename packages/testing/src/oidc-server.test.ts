import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { cookieJar } from './oidc/cookie-jar.ts';
import type { OidcClient } from './oidc/oidc-client.ts';
import { type SignInOptions, signIn } from './oidc/sign-in.ts';
import { type OidcServer, oidcServer } from './oidc-server.ts';

type Fields = Readonly<Record<string, string>>;

interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly error?: string;
}

const keyPair = await generateKeyPair('ES256');
const jwtSecret = 'a secret of more than thirty-two characters';
const redirectUris = ['https://app.example/callback'];
const spa: OidcClient = { clientId: 'spa', clientAuthentication: 'none', redirectUris: ['https://spa.example/callback'] };
const clients: readonly OidcClient[] = [
  { clientId: 'basic', clientSecret: 'sécret&+% 雪', redirectUris, postLogoutRedirectUris: ['https://app.example/'] },
  { clientId: 'post', clientAuthentication: 'client_secret_post', clientSecret: '1PpG/Q 1', redirectUris },
  { clientId: 'secret-jwt', clientAuthentication: 'client_secret_jwt', clientSecret: jwtSecret, redirectUris },
  { clientId: 'key-jwt', clientAuthentication: 'private_key_jwt', jwks: { keys: [await exportJWK(keyPair.publicKey)] }, redirectUris },
  spa,
  { clientId: 'native', clientAuthentication: 'none', applicationType: 'native', redirectUris: ['http://127.0.0.1/cb', 'app.example:/cb'] },
];
const shared = await oidcServer({ clients });
afterAll(async () => {
  expect(shared.failures).toEqual([]);
  await shared.close();
});
beforeEach(() => shared.clearRequests());

const codeVerifier = randomBytes(32).toString('base64url');

function authorizationUrl(server: OidcServer, fields: Fields = {}): string {
  const code_challenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const query = {
    response_type: 'code',
    client_id: 'spa',
    redirect_uri: 'https://spa.example/callback',
    scope: 'openid',
    state: 'a state',
  };
  return `${server.authorizationEndpoint}?${new URLSearchParams({ ...query, code_challenge, code_challenge_method: 'S256', ...fields })}`;
}

/** Signs in and returns the parameters of the callback. */
async function callback(server: OidcServer, fields: Fields = {}, options: SignInOptions = {}): Promise<URLSearchParams> {
  return new URL((await signIn(authorizationUrl(server, fields), options)).callbackUrl).searchParams;
}

function askToken(server: OidcServer, fields: Fields, headers: Fields = {}): Promise<Response> {
  return fetch(server.tokenEndpoint, { method: 'POST', body: new URLSearchParams(fields), headers });
}

async function exchange(server: OidcServer, fields: Fields = {}, options: SignInOptions = {}): Promise<TokenAnswer> {
  const code = (await callback(server, fields, options)).get('code') ?? '';
  const request = { grant_type: 'authorization_code', code, redirect_uri: 'https://spa.example/callback', code_verifier: codeVerifier };
  return (await (await askToken(server, { ...request, client_id: 'spa' })).json()) as TokenAnswer;
}

async function refresh(server: OidcServer, refreshToken: string | undefined, fields: Fields = {}): Promise<TokenAnswer> {
  const request = { grant_type: 'refresh_token', refresh_token: refreshToken ?? '', client_id: 'spa', ...fields };
  return (await (await askToken(server, request)).json()) as TokenAnswer;
}

function callApi(server: OidcServer, path: string, accessToken?: string, headers: Fields = {}): Promise<Response> {
  return fetch(server.apiUrl + path, {
    headers: { ...headers, ...(accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` }) },
  });
}

async function assertion(clientId: string, alg: string, key: Parameters<SignJWT['sign']>[0]): Promise<Fields> {
  const jwt = new SignJWT({ jti: randomUUID() }).setProtectedHeader({ alg }).setIssuer(clientId).setSubject(clientId);
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await jwt.setAudience(shared.issuer).setIssuedAt().setExpirationTime('1m').sign(key),
  };
}

test('metadata names every endpoint, S256 alone, and iss in responses', async () => {
  const metadata = (await (await fetch(`${shared.issuer}/.well-known/openid-configuration`)).json()) as object;
  expect(metadata).toMatchObject({
    issuer: shared.issuer,
    authorization_endpoint: shared.authorizationEndpoint,
    token_endpoint: shared.tokenEndpoint,
    revocation_endpoint: shared.revocationEndpoint,
    pushed_authorization_request_endpoint: `${shared.issuer}/par`,
    end_session_endpoint: `${shared.issuer}/logout`,
    userinfo_endpoint: `${shared.issuer}/userinfo`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    response_modes_supported: expect.arrayContaining(['query', 'form_post']),
    grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
    acr_values_supported: ['urn:example:acr:password', 'urn:example:acr:mfa'],
  });
});

test('a sign-in ends at the redirect URI, and its code is good for tokens of that user', async () => {
  const parameters = await callback(shared, { scope: 'openid profile email read', nonce: 'n-1' }, { user: 'bob' });
  expect([...parameters.keys()].sort()).toEqual(['code', 'iss', 'state']);
  expect([parameters.get('iss'), parameters.get('state')]).toEqual([shared.issuer, 'a state']);
  const answer = await exchange(shared, { scope: 'openid email read', nonce: 'n-1' }, { user: 'bob' });
  expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'openid email read', refresh_token: expect.any(String) });
  const keys = createRemoteJWKSet(new URL(`${shared.issuer}/jwks`));
  const { payload } = await jwtVerify(answer.id_token ?? '', keys, { issuer: shared.issuer, audience: 'spa' });
  expect(payload).toMatchObject({ sub: 'bob', nonce: 'n-1', acr: 'urn:example:acr:password' });
  const me = await callApi(shared, '/api/me', answer.access_token);
  expect([me.status, await me.json()]).toEqual([200, { sub: 'bob', client_id: 'spa', scope: 'openid email read', acr: payload['acr'] }]);
  const userinfo = await fetch(`${shared.issuer}/userinfo`, { headers: { Authorization: `Bearer ${answer.access_token}` } });
  expect(await userinfo.json()).toEqual({ sub: 'bob', email: 'bob@example.com', email_verified: true });
  expect([shared.exchanges, shared.refreshes]).toEqual([1, 0]);
});

test('form_post gives the form instead of a query, errors included', async () => {
  const { callbackUrl, form } = await signIn(authorizationUrl(shared, { response_mode: 'form_post', state: '<&"\'>' }));
  expect([callbackUrl, form?.get('state'), form?.get('iss')]).toEqual(['https://spa.example/callback', '<&"\'>', shared.issuer]);
  expect(form?.get('code')).toMatch(/^[\w-]{20,}$/);
  const denied = await signIn(authorizationUrl(shared, { response_mode: 'form_post' }), { deny: true });
  expect(denied.form?.get('error')).toBe('access_denied');
});

test('who says no sends access_denied back, with state and iss', async () => {
  expect(Object.fromEntries(await callback(shared, {}, { deny: true }))).toEqual({
    error: 'access_denied',
    error_description: 'the user said no',
    iss: shared.issuer,
    state: 'a state',
  });
});

test('consent to a part of the scope gives a narrower token', async () => {
  const answer = await exchange(shared, { scope: 'openid read admin' }, { consent: ['read'] });
  expect(answer.scope).toBe('openid read');
  const refused = await callApi(shared, '/api/admin', answer.access_token);
  expect(refused.status).toBe(403);
  expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  expect(refused.headers.get('www-authenticate')).toContain('scope="admin"');
  const whole = await exchange(shared, { scope: 'openid read admin' });
  expect((await callApi(shared, '/api/admin', whole.access_token)).status).toBe(200);
  const audienceToo = { scope: 'openid read admin', audience: shared.audience };
  expect((await exchange(shared, audienceToo, { consent: ['admin'] })).scope).toBe('admin');
});

test('PKCE is required, with S256, and its verifier is checked', async () => {
  const unbound = { code_challenge: '', code_challenge_method: '' };
  const confidential = { client_id: 'basic', redirect_uri: 'https://app.example/callback' };
  for (const fields of [unbound, { ...unbound, ...confidential }, { code_challenge_method: 'plain' }]) {
    expect((await callback(shared, fields)).get('error')).toBe('invalid_request');
  }
  const code = (await callback(shared)).get('code') ?? '';
  const request = { grant_type: 'authorization_code', code, redirect_uri: 'https://spa.example/callback', client_id: 'spa' };
  for (const code_verifier of ['', randomBytes(32).toString('base64url')]) {
    expect(await (await askToken(shared, { ...request, code_verifier })).json()).toMatchObject({ error: 'invalid_grant' });
  }
});

test('a code works once', async () => {
  const code = (await callback(shared)).get('code') ?? '';
  const request = { grant_type: 'authorization_code', code, redirect_uri: 'https://spa.example/callback', code_verifier: codeVerifier };
  const answers = [await askToken(shared, { ...request, client_id: 'spa' }), await askToken(shared, { ...request, client_id: 'spa' })];
  expect(answers.map(({ status }) => status)).toEqual([200, 400]);
  const { access_token: revoked } = (await answers[0]!.json()) as TokenAnswer;
  expect((await callApi(shared, '/api/me', revoked)).status).toBe(401);
});

test('every client authentication method, at the token endpoint and for pushed requests', async () => {
  const basicHeader = new URLSearchParams([['', 'sécret&+% 雪']]).toString().slice(1);
  const proofs: readonly (readonly [string, () => Promise<Fields> | Fields, Fields])[] = [
    ['basic', () => ({}), { Authorization: `Basic ${btoa(`basic:${basicHeader}`)}` }],
    ['post', () => ({ client_id: 'post', client_secret: '1PpG/Q 1' }), {}],
    ['secret-jwt', () => assertion('secret-jwt', 'HS256', new TextEncoder().encode(jwtSecret)), {}],
    ['key-jwt', () => assertion('key-jwt', 'ES256', keyPair.privateKey), {}],
  ];
  for (const [client_id, proof, headers] of proofs) {
    const parameters = new URL(authorizationUrl(shared, { client_id, redirect_uri: 'https://app.example/callback' })).searchParams;
    for (const [name, value] of Object.entries(await proof())) parameters.set(name, value);
    const pushed = await fetch(`${shared.issuer}/par`, { method: 'POST', body: parameters, headers });
    const { request_uri } = (await pushed.json()) as { request_uri: string };
    expect([client_id, pushed.status]).toEqual([client_id, 201]);
    const { callbackUrl } = await signIn(`${shared.authorizationEndpoint}?${new URLSearchParams({ client_id, request_uri })}`);
    const code = new URL(callbackUrl).searchParams.get('code') ?? '';
    const request = { grant_type: 'authorization_code', code, redirect_uri: 'https://app.example/callback', code_verifier: codeVerifier };
    const answer = await askToken(shared, { ...request, ...(await proof()) }, headers);
    expect([client_id, answer.status]).toEqual([client_id, 200]);
    const unproven = await askToken(shared, { ...request, client_id, client_secret: 'wrong' });
    expect([client_id, unproven.status]).toEqual([client_id, 401]);
  }
});

test('redirect URIs: exact for the web, any loopback port for native applications', async () => {
  await expect(callback(shared, { redirect_uri: 'https://spa.example/callback/' })).rejects.toThrow(/answered 400.*redirect_uri/);
  const native = { client_id: 'native', redirect_uri: 'http://127.0.0.1:65123/cb' };
  expect((await signIn(authorizationUrl(shared, native))).callbackUrl).toMatch(/^http:\/\/127\.0\.0\.1:65123\/cb\?code=/);
  expect((await signIn(authorizationUrl(shared, { ...native, redirect_uri: 'app.example:/cb' }))).callbackUrl).toMatch(
    /^app\.example:\/cb\?code=/,
  );
  await expect(callback(shared, { ...native, redirect_uri: 'http://127.0.0.1:65123/other' })).rejects.toThrow(/answered 400/);
});

test('refresh tokens rotate, and one that is used twice revokes its whole sign-in and no other', async () => {
  await using server = await oidcServer({ clients: [spa] });
  const [first, other] = [await exchange(server), await exchange(server)];
  const second = await refresh(server, first.refresh_token);
  expect([second.refresh_token === first.refresh_token, server.familyRevoked, server.refreshes]).toEqual([false, false, 1]);
  expect((await callApi(server, '/api/me', second.access_token)).status).toBe(200);
  expect((await refresh(server, first.refresh_token)).error).toBe('invalid_grant');
  expect(server.familyRevoked).toBe(true);
  expect((await refresh(server, second.refresh_token)).error).toBe('invalid_grant');
  expect((await callApi(server, '/api/me', second.access_token)).status).toBe(401);
  expect((await refresh(server, other.refresh_token)).error).toBeUndefined();
});

test('of many refreshes at once with the same refresh token one goes through, and the next is found out', async () => {
  for (const target of [{}, { audience: shared.audience }]) {
    await using server = await oidcServer({ clients: [spa] });
    const { refresh_token } = await exchange(server, target);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(server, refresh_token)));
    expect(answers.filter(({ error }) => error === undefined)).toHaveLength(1);
    expect(server.familyRevoked).toBe(true);
  }
});

test('without rotation a refresh token stays good', async () => {
  await using server = await oidcServer({ clients: [spa], rotateRefreshToken: false });
  const { refresh_token } = await exchange(server);
  const [first, second] = [await refresh(server, refresh_token), await refresh(server, refresh_token)];
  expect([first.refresh_token, second.refresh_token, server.familyRevoked]).toEqual([refresh_token, refresh_token, false]);
});

test('refreshTokens: offline_access wants the scope and prompt=consent; never gives none', async () => {
  await using strict = await oidcServer({ clients: [spa], refreshTokens: 'offline_access' });
  expect((await exchange(strict, { scope: 'openid' })).refresh_token).toBeUndefined();
  expect((await exchange(strict, { scope: 'openid offline_access' })).refresh_token).toBeUndefined();
  expect((await exchange(strict, { scope: 'openid offline_access', prompt: 'consent' })).refresh_token).toEqual(expect.any(String));
  await using never = await oidcServer({ clients: [spa], refreshTokens: 'never' });
  expect((await exchange(never, { scope: 'openid offline_access', prompt: 'consent' })).refresh_token).toBeUndefined();
});

test('resource and audience give a JWT for the API alone, refreshed ones too', async () => {
  for (const target of [{ resource: shared.audience }, { audience: shared.audience }]) {
    const answer = await exchange(shared, { scope: 'openid read', ...target });
    const next = await refresh(shared, answer.refresh_token);
    for (const { access_token } of [answer, next]) {
      const keys = createRemoteJWKSet(new URL(`${shared.issuer}/jwks`));
      const { payload } = await jwtVerify(access_token, keys, { issuer: shared.issuer, audience: shared.audience, typ: 'at+jwt' });
      expect(payload).toMatchObject({ sub: 'alice', client_id: 'spa', scope: 'read' });
      expect((await callApi(shared, '/api/me', access_token)).status).toBe(200);
      const userinfo = await fetch(`${shared.issuer}/userinfo`, { headers: { Authorization: `Bearer ${access_token}` } });
      expect(userinfo.status).toBe(401);
    }
  }
  expect((await callback(shared, { resource: 'https://other.example/' })).get('error')).toBe('invalid_target');
});

test('a sign-in without openid, and without any scope', async () => {
  const targets: readonly Fields[] = [{}, { resource: shared.audience }];
  for (const fields of [{ scope: 'read' }, { scope: '' }].flatMap((scope) => targets.map((target) => ({ ...scope, ...target })))) {
    const answer = await exchange(shared, fields);
    expect([answer.id_token, answer.scope]).toEqual([undefined, 'read']);
    const { access_token } = await refresh(shared, answer.refresh_token);
    expect((await callApi(shared, '/api/me', access_token)).status).toBe(200);
  }
});

test('pushed authorization requests: required, and off', async () => {
  await using required = await oidcServer({ clients: [spa], pushedAuthorizationRequests: 'required' });
  expect((await callback(required)).get('error')).toBe('invalid_request');
  const pushed = await fetch(`${required.issuer}/par`, { method: 'POST', body: new URL(authorizationUrl(required)).searchParams });
  const { request_uri } = (await pushed.json()) as { request_uri: string };
  const { callbackUrl } = await signIn(`${required.authorizationEndpoint}?${new URLSearchParams({ client_id: 'spa', request_uri })}`);
  expect(new URL(callbackUrl).searchParams.get('code')).toEqual(expect.any(String));
  await using off = await oidcServer({ clients: [spa], pushedAuthorizationRequests: 'off' });
  expect((await fetch(`${off.issuer}/par`, { method: 'POST' })).status).toBe(404);
  const metadata = (await (await fetch(`${off.issuer}/.well-known/openid-configuration`)).json()) as object;
  expect(metadata).not.toHaveProperty('pushed_authorization_request_endpoint');
});

test('revocation (RFC 7009) of a refresh token ends its access tokens too', async () => {
  const { refresh_token = '', access_token } = await exchange(shared);
  const revoke = (token: string) =>
    fetch(shared.revocationEndpoint, { method: 'POST', body: new URLSearchParams({ token, client_id: 'spa' }) });
  expect((await revoke('unknown')).status).toBe(200);
  expect((await callApi(shared, '/api/me', access_token)).status).toBe(200);
  expect((await revoke(refresh_token)).status).toBe(200);
  expect((await refresh(shared, refresh_token)).error).toBe('invalid_grant');
  expect((await callApi(shared, '/api/me', access_token)).status).toBe(401);
  expect([shared.revocations, shared.familyRevoked]).toEqual([2, false]);
});

test('a JWT cannot be revoked by itself', async () => {
  const { access_token } = await exchange(shared, { audience: shared.audience, scope: 'read' });
  const body = new URLSearchParams({ token: access_token, client_id: 'spa' });
  const answer = await fetch(shared.revocationEndpoint, { method: 'POST', body });
  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'unsupported_token_type' })]);
});

test('the API challenges per RFC 6750, and takes the newest token of each subject only when told so', async () => {
  await using server = await oidcServer({ clients: [spa], onlyNewestToken: true });
  const bare = await callApi(server, '/api/me');
  expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="api"']);
  const [old, bobs] = [await exchange(server), await exchange(server, {}, { user: 'bob' })];
  const status = async ({ access_token }: TokenAnswer) => (await callApi(server, '/api/me', access_token)).status;
  expect([await status(old), await status(bobs)]).toEqual([200, 200]);
  const next = await refresh(server, old.refresh_token);
  expect([await status(old), await status(next), await status(bobs)]).toEqual([401, 200, 200]);
  const refused = await callApi(server, '/api/me', old.access_token);
  expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
  server.expireTokens();
  expect(await status(next)).toBe(401);
});

test('the lifetime of access tokens is an option, by the injected clock', async () => {
  let nowMs = Date.parse('2031-05-06T07:08:09Z');
  await using server = await oidcServer({ clients: [spa], lifetimeSeconds: 1, now: () => nowMs });
  const answer = await exchange(server);
  expect(answer.expires_in).toBe(1);
  expect((await callApi(server, '/api/me', answer.access_token)).status).toBe(200);
  nowMs += 1000;
  expect((await callApi(server, '/api/me', answer.access_token)).status).toBe(401);
});

test('step-up (RFC 9470): a stronger and recent sign-in is demanded, and a refresh is none', async () => {
  const weak = await exchange(shared);
  const refused = await callApi(shared, '/api/transfer', weak.access_token);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
    401,
    'Bearer realm="api", error="insufficient_user_authentication", ' +
      'error_description="a stronger or more recent sign-in is needed", acr_values="urn:example:acr:mfa", max_age="300"',
  ]);
  const refreshed = await refresh(shared, weak.refresh_token);
  expect((await callApi(shared, '/api/transfer', refreshed.access_token)).status).toBe(401);
  const strong = await exchange(shared, {
    acr_values: 'urn:example:acr:mfa',
    max_age: '300',
    audience: shared.audience,
    scope: 'openid read',
  });
  expect((await callApi(shared, '/api/transfer', strong.access_token)).status).toBe(200);
  const { payload } = await jwtVerify(strong.access_token, createRemoteJWKSet(new URL(`${shared.issuer}/jwks`)));
  expect(payload).toMatchObject({ acr: 'urn:example:acr:mfa', auth_time: expect.any(Number) });
  const still = await refresh(shared, strong.refresh_token);
  expect((await callApi(shared, '/api/transfer', still.access_token)).status).toBe(200);
});

test('step-up asks again in a browser that is signed in', async () => {
  const cookies = cookieJar();
  expect((await callback(shared, { prompt: 'none' }, { cookies })).get('error')).toBe('login_required');
  await exchange(shared, {}, { cookies });
  const silent = await exchange(shared, { prompt: 'none' }, { cookies });
  expect(silent.access_token).toEqual(expect.any(String));
  const stepUp = { acr_values: 'urn:example:acr:mfa', prompt: 'none' };
  expect((await callback(shared, stepUp, { cookies })).get('error')).toBe('login_required');
  const strong = await exchange(shared, { acr_values: 'urn:example:acr:mfa' }, { cookies });
  expect((await callApi(shared, '/api/transfer', strong.access_token)).status).toBe(200);
});

test('a sign-in that is too long ago does not suffice for step-up', async () => {
  await using server = await oidcServer({ clients: [spa], stepUp: { acr: 'gold', maxAgeSeconds: -1 } });
  const { access_token } = await exchange(server, { acr_values: 'gold' });
  const refused = await callApi(server, '/api/transfer', access_token);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('max_age="-1"')]);
});

test('a browser stays signed in until it signs out (RP-initiated logout)', async () => {
  const cookies = cookieJar();
  const { id_token = '', refresh_token } = await exchange(shared, {}, { cookies });
  await expect(callback(shared, {}, { cookies, deny: true })).rejects.toThrow('without asking');
  const basic = { client_id: 'basic', redirect_uri: 'https://app.example/callback' };
  expect((await callback(shared, { ...basic, login_hint: 'bob', prompt: 'login' }, { cookies })).get('code')).toEqual(expect.any(String));
  const query = new URLSearchParams({ client_id: 'basic', post_logout_redirect_uri: 'https://app.example/', state: 'bye' });
  expect((await signIn(`${shared.issuer}/logout?${query}`, { cookies })).callbackUrl).toBe('https://app.example/?state=bye');
  expect((await callback(shared, { prompt: 'none' }, { cookies })).get('error')).toBe('login_required');
  expect(id_token).not.toBe('');
  expect((await refresh(shared, refresh_token)).error).toBe('invalid_grant');
});

test('CORS: the pages of registered redirect URIs may call, others may not', async () => {
  const page = { Origin: 'https://spa.example' };
  const { access_token, refresh_token = '' } = await exchange(shared);
  const api = await callApi(shared, '/api/me', access_token, page);
  expect(api.headers.get('access-control-allow-origin')).toBe('https://spa.example');
  const ask = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' };
  const preflight = await fetch(`${shared.apiUrl}/api/me`, { method: 'OPTIONS', headers: { ...page, ...ask } });
  expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
    204,
    expect.stringContaining('Authorization'),
  ]);
  const request = { grant_type: 'refresh_token', refresh_token, client_id: 'spa' };
  const foreign = await askToken(shared, request, { Origin: 'https://evil.example' });
  expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([400, null]);
  const own = await askToken(shared, request, page);
  expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, 'https://spa.example']);
  // 'null' is a sandboxed page, and what a private-use scheme has for an origin.
  for (const Origin of ['https://evil.example', 'null']) {
    expect((await callApi(shared, '/api/me', access_token, { Origin })).headers.has('access-control-allow-origin')).toBe(false);
  }
  const native = await askToken(shared, { ...request, client_id: 'native' }, { Origin: 'null' });
  expect(native.headers.has('access-control-allow-origin')).toBe(false);
});

test('signIn rejects what a person could not do', async () => {
  await expect(callback(shared, {}, { user: 'nobody' })).rejects.toThrow('There is no user nobody.');
  await expect(signIn(`${shared.issuer}/nowhere`)).rejects.toThrow('answered 404');
});

test('runs without a word on the console, and with the purposes that it promises', async () => {
  const spies = (['log', 'info', 'warn', 'error'] as const).map((method) => vi.spyOn(console, method));
  await using server = await oidcServer();
  const redirect = { client_id: server.clientId, redirect_uri: server.redirectUri };
  const code = (await callback(server, redirect)).get('code') ?? '';
  const headers = { Authorization: `Basic ${btoa(`${server.clientId}:${server.clientSecret}`)}` };
  const request = { grant_type: 'authorization_code', code, redirect_uri: server.redirectUri, code_verifier: codeVerifier };
  expect((await askToken(server, request, headers)).status).toBe(200);
  expect([...new Set(server.requests.map(({ route }) => route))]).toEqual(['authorization', 'interaction', 'unknown', 'token']);
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  expect(server.failures).toEqual([]);
  vi.restoreAllMocks();
});
