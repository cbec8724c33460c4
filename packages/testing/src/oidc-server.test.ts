import { randomBytes, randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import { expect, test, vi } from 'vitest';
import {
  askToken,
  authorizationUrl,
  callApi,
  callback,
  codeVerifier,
  exchange,
  type Fields,
  jwtSecret,
  keyPair,
  shared,
  spa,
  startShared,
  type TokenAnswer,
} from './fixtures/code-flow.ts';
import { signIn } from './oidc/sign-in.ts';
import { oidcServer } from './oidc-server.ts';

startShared();

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
