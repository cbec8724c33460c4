import { createHash, randomBytes } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Lies } from './hostile/lies.ts';
import { type HostileServer, hostileAuthorizationServer } from './hostile-server.ts';
import { type SignInOptions, type SignInResult, signIn } from './oidc/sign-in.ts';

type Fields = Readonly<Record<string, string>>;

interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly error?: string;
  readonly error_description?: string;
}

const shared = await hostileAuthorizationServer();
afterAll(async () => {
  expect(shared.failures).toEqual([]);
  await shared.close();
});
beforeEach(() => {
  shared.lie({});
  shared.clearRequests();
});

const codeVerifier = randomBytes(32).toString('base64url');
const redirectUri = 'http://127.0.0.1:65123/callback';

function authorize(server: HostileServer, fields: Fields = {}, options: SignInOptions = {}): Promise<SignInResult> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: server.clientId,
    redirect_uri: redirectUri,
    scope: 'openid read',
    state: 'a state',
    nonce: 'a nonce',
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...fields,
  });
  return signIn(`${server.authorizationEndpoint}?${query}`, options);
}

async function callback(fields: Fields = {}, options: SignInOptions = {}): Promise<URLSearchParams> {
  return new URL((await authorize(shared, fields, options)).callbackUrl).searchParams;
}

function askToken(server: HostileServer, fields: Fields, headers: Fields = {}): Promise<Response> {
  return fetch(server.tokenEndpoint, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' });
}

async function codeRequest(fields: Fields = {}, options: SignInOptions = {}): Promise<Fields> {
  const code = (await callback(fields, options)).get('code') ?? '';
  const request = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: codeVerifier };
  return { ...request, client_id: shared.clientId };
}

async function exchange(fields: Fields = {}, options: SignInOptions = {}): Promise<TokenAnswer> {
  return (await (await askToken(shared, await codeRequest(fields, options))).json()) as TokenAnswer;
}

async function refresh(refreshToken: string): Promise<TokenAnswer> {
  const request = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: shared.clientId };
  return (await (await askToken(shared, request)).json()) as TokenAnswer;
}

function revoke(token: string): Promise<Response> {
  const body = new URLSearchParams({ token, client_id: shared.clientId });
  return fetch(shared.revocationEndpoint, { method: 'POST', body, redirect: 'manual' });
}

async function me(accessToken: string): Promise<readonly [number, unknown]> {
  const answer = await fetch(`${shared.apiUrl}/api/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
  return [answer.status, await answer.json()];
}

async function metadata(): Promise<Readonly<Record<string, unknown>>> {
  return (await (await fetch(`${shared.issuer}/.well-known/openid-configuration`)).json()) as Readonly<Record<string, unknown>>;
}

test('without lies it is an honest OpenID provider', async () => {
  const parameters = await callback();
  expect(Object.fromEntries(parameters)).toEqual({ code: expect.any(String), state: 'a state', iss: shared.issuer });
  const tokens = await exchange({}, { user: 'bob' });
  const keys = createRemoteJWKSet(new URL(String((await metadata())['jwks_uri'])));
  const { payload } = await jwtVerify(tokens.id_token, keys, { issuer: shared.issuer, audience: shared.clientId });
  expect(payload).toMatchObject({ sub: 'bob', nonce: 'a nonce' });
  expect(await me(tokens.access_token)).toEqual([200, { sub: 'bob' }]);
  const next = await refresh(tokens.refresh_token);
  expect(decodeJwt(next.id_token)).toMatchObject({ sub: 'bob' });
  expect(decodeJwt(next.id_token)).not.toHaveProperty('nonce');
  expect(await metadata()).toMatchObject({
    issuer: shared.issuer,
    authorization_endpoint: shared.authorizationEndpoint,
    token_endpoint: shared.tokenEndpoint,
    revocation_endpoint: shared.revocationEndpoint,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  });
  expect([shared.exchanges, shared.refreshes, shared.tokenRequests, shared.issued, shared.familyRevoked]).toEqual([1, 1, 2, 2, false]);
});

test('it holds clients to the rules: PKCE, redirect_uri, their secret, one code once', async () => {
  for (const fields of [{ code_challenge: '' }, { code_challenge_method: 'plain' }]) {
    expect((await callback(fields)).get('error')).toBe('invalid_request');
  }
  await expect(callback({ client_id: 'another' })).rejects.toThrow('client_id is unknown');
  await expect(callback({ redirect_uri: '/relative' })).rejects.toThrow('redirect_uri');
  const request = await codeRequest();
  for (const wrong of [{ code_verifier: 'wrong' }, { redirect_uri: `${redirectUri}/` }, { code: 'unknown' }]) {
    expect((await askToken(shared, { ...request, ...wrong })).status).toBe(400);
  }
  expect((await askToken(shared, { ...request, client_secret: 'one too many' })).status).toBe(401);
  const tokens = (await (await askToken(shared, request)).json()) as TokenAnswer;
  expect((await me(tokens.access_token))[0]).toBe(200);
  expect((await askToken(shared, request)).status).toBe(400);
  expect((await me(tokens.access_token))[0]).toBe(401);
});

test('a confidential client proves itself by Basic or in the form, not by both', async () => {
  await using server = await hostileAuthorizationServer({ clientId: 'a:b', clientSecret: '1PpG/Q 1&é' });
  const credentials = [
    ...new URLSearchParams([
      ['', 'a:b'],
      ['', '1PpG/Q 1&é'],
    ]),
  ].map(([, text]) => new URLSearchParams([['', text]]).toString().slice(1));
  const basic = { Authorization: `Basic ${btoa(credentials.join(':'))}` };
  const form = { client_id: 'a:b', client_secret: '1PpG/Q 1&é' };
  const request = { grant_type: 'refresh_token', refresh_token: 'unknown' };
  const error = async (answer: Promise<Response>) => ((await (await answer).json()) as TokenAnswer).error;
  expect(await error(askToken(server, request, basic))).toBe('invalid_grant');
  expect(await error(askToken(server, { ...request, ...form }))).toBe('invalid_grant');
  expect(await error(askToken(server, { ...request, ...form }, basic))).toBe('invalid_request');
  expect(await error(askToken(server, { ...request, client_id: 'a:b' }))).toBe('invalid_client');
  expect(await error(askToken(server, { ...request, ...form, client_secret: 'wrong' }))).toBe('invalid_client');
});

test('who says no gets access_denied, and form_post works', async () => {
  expect((await callback({}, { deny: true })).get('error')).toBe('access_denied');
  const { callbackUrl, form } = await authorize(shared, { response_mode: 'form_post', state: '<&">' });
  expect([callbackUrl, form?.get('state'), form?.get('iss')]).toEqual([redirectUri, '<&">', shared.issuer]);
});

for (const name of ['code', 'state', 'iss'] as const) {
  test(`lies about ${name} in the callback`, async () => {
    const right = { code: expect.stringMatching(/^code_/), state: 'a state', iss: shared.issuer }[name];
    const wrong = name === 'iss' ? shared.elsewhere.origin : expect.not.stringMatching(/^(code_|a state)/);
    const stated = async (lie: 'missing' | 'empty' | 'wrong' | 'repeated' | 'conflicting') => {
      shared.lie({ callback: { [name]: lie } });
      return (await callback()).getAll(name);
    };
    expect(await stated('missing')).toEqual([]);
    expect(await stated('empty')).toEqual(['']);
    expect(await stated('wrong')).toEqual([wrong]);
    expect(await stated('repeated')).toEqual([right, right]);
    expect(await stated('conflicting')).toEqual([right, wrong]);
    shared.lie({});
    expect((await callback()).getAll(name)).toEqual([right]);
  });
}

test('lies about iss and state in an error response', async () => {
  shared.lie({ callback: { iss: 'wrong', state: 'missing' } });
  expect(Object.fromEntries(await callback({}, { deny: true }))).toEqual({
    error: 'access_denied',
    error_description: 'the user said no',
    iss: shared.elsewhere.origin,
  });
});

test('an error in the callback, with markup and with secrets that it should not repeat', async () => {
  const { access_token } = await exchange();
  shared.lie({
    callbackError: { error: 'server_error', error_description: '<img src=x onerror=alert(1)> {code} {access_token} {unknown}' },
  });
  const parameters = await callback();
  expect(parameters.get('code')).toBeNull();
  expect(parameters.get('error_description')).toMatch(/^<img src=x onerror=alert\(1\)> code_[\w-]+ at_[\w-]+ \{unknown\}$/);
  expect(parameters.get('error_description')).toContain(access_token);
  expect([parameters.get('iss'), parameters.get('state')]).toEqual([shared.issuer, 'a state']);
});

test('errors of the token endpoint repeat what the request carried', async () => {
  const tokens = await exchange();
  shared.lie({
    tokenError: { status: 401, error: 'invalid_grant', error_description: '<b>{refresh_token}</b>', error_uri: 'x:{access_token}' },
  });
  const request = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: shared.clientId };
  const answer = await askToken(shared, request);
  expect([answer.status, await answer.json()]).toEqual([
    401,
    { error: 'invalid_grant', error_description: `<b>${tokens.refresh_token}</b>`, error_uri: `x:${tokens.access_token}` },
  ]);
  shared.lie({});
  expect((await refresh(tokens.refresh_token)).error).toBeUndefined();
});

test('metadata: of another issuer, with other endpoints, without S256, without anything about PKCE', async () => {
  const urls = ['javascript:alert(1)', 'file:///etc/passwd', 'https://as.example/$(calc)', '-flag', '--remote=evil'];
  for (const authorization_endpoint of urls) {
    shared.lie({ metadata: { authorization_endpoint, issuer: 'https://other.example' } });
    expect(await metadata()).toMatchObject({ authorization_endpoint, issuer: 'https://other.example' });
  }
  shared.lie({ metadata: { code_challenge_methods_supported: ['plain'] } });
  expect((await metadata())['code_challenge_methods_supported']).toEqual(['plain']);
  shared.lie({ metadata: { code_challenge_methods_supported: undefined } });
  expect(await metadata()).not.toHaveProperty('code_challenge_methods_supported');
  expect((await metadata())['issuer']).toBe(shared.issuer);
});

test('ID tokens: claims of another sign-in, unsigned, signed by a foreign key, missing', async () => {
  const lies: readonly Readonly<Record<string, unknown>>[] = [
    { sub: 'mallory' },
    { nonce: 'of another sign-in' },
    { aud: 'another-client' },
    { aud: [shared.clientId, 'other'], azp: 'other' },
    { exp: 1 },
    { iss: 'https://other.example' },
  ];
  for (const claims of lies) {
    shared.lie({ idToken: { claims } });
    expect(decodeJwt((await exchange()).id_token)).toMatchObject(claims);
  }
  shared.lie({ idToken: { claims: { nonce: undefined } } });
  expect(decodeJwt((await exchange()).id_token)).not.toHaveProperty('nonce');
  shared.lie({ idToken: { alg: 'none' } });
  const unsigned = (await exchange()).id_token;
  expect([decodeProtectedHeader(unsigned), unsigned.split('.')[2]]).toEqual([{ alg: 'none' }, '']);
  shared.lie({ idToken: { key: 'foreign' } });
  const keys = createRemoteJWKSet(new URL(`${shared.issuer}/jwks`));
  await expect(jwtVerify((await exchange()).id_token, keys)).rejects.toThrow('signature verification failed');
  shared.lie({ idToken: 'missing' });
  expect(await exchange()).not.toHaveProperty('id_token');
  shared.lie({});
  const { id_token, refresh_token } = await exchange();
  await jwtVerify(id_token, keys);
  shared.lie({ idToken: { claims: { sub: 'mallory' } } });
  expect(decodeJwt((await refresh(refresh_token)).id_token).sub).toBe('mallory');
});

test('a refresh token that is used twice revokes its family', async () => {
  await using server = await hostileAuthorizationServer();
  const code = new URL((await authorize(server)).callbackUrl).searchParams.get('code') ?? '';
  const client_id = server.clientId;
  const request = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: codeVerifier, client_id };
  const first = (await (await askToken(server, request)).json()) as TokenAnswer;
  const again = (refresh_token: string) => askToken(server, { grant_type: 'refresh_token', refresh_token, client_id });
  const second = (await (await again(first.refresh_token)).json()) as TokenAnswer;
  expect([second.refresh_token === first.refresh_token, server.familyRevoked]).toEqual([false, false]);
  expect((await again(first.refresh_token)).status).toBe(400);
  expect(server.familyRevoked).toBe(true);
  expect((await again(second.refresh_token)).status).toBe(400);
});

test('says of a fresh refresh token that it was reused, and revokes the family for it', async () => {
  await using server = await hostileAuthorizationServer({ lies: { reportsReuse: true }, rotateRefreshToken: false });
  const code = new URL((await authorize(server)).callbackUrl).searchParams.get('code') ?? '';
  const client_id = server.clientId;
  const request = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: codeVerifier, client_id };
  const { refresh_token, access_token } = (await (await askToken(server, request)).json()) as TokenAnswer;
  expect(server.familyRevoked).toBe(false);
  const answer = await askToken(server, { grant_type: 'refresh_token', refresh_token, client_id });
  expect([answer.status, ((await answer.json()) as TokenAnswer).error, server.familyRevoked]).toEqual([400, 'invalid_grant', true]);
  server.lie({});
  expect((await askToken(server, { grant_type: 'refresh_token', refresh_token, client_id })).status).toBe(400);
  expect((await fetch(`${server.apiUrl}/api/me`, { headers: { Authorization: `Bearer ${access_token}` } })).status).toBe(401);
});

test('holds the answer to a refresh while a sign-out goes through', async () => {
  const { refresh_token } = await exchange();
  const hold = shared.holdRefresh();
  let isAnswered = false;
  const refreshed = refresh(refresh_token).finally(() => {
    isAnswered = true;
  });
  await hold.arrived;
  expect((await revoke(refresh_token)).status).toBe(200);
  expect([shared.refreshes, isAnswered]).toEqual([1, false]);
  hold.release();
  const late = await refreshed;
  expect(late.access_token).toMatch(/^at_/);
  expect((await me(late.access_token))[0]).toBe(401);
  expect((await refresh(late.refresh_token)).error).toBe('invalid_grant');
});

test('revocation: done, down, silent, or sent elsewhere', async () => {
  const { refresh_token, access_token } = await exchange();
  const unwilling: readonly [Lies, number][] = [
    [{ revocation: 'down' }, 503],
    [{ redirects: ['revocation'] }, 307],
  ];
  for (const [lies, status] of unwilling) {
    shared.lie(lies);
    expect((await revoke(refresh_token)).status).toBe(status);
  }
  shared.lie({ revocation: 'stalls' });
  await expect(
    fetch(shared.revocationEndpoint, { method: 'POST', body: `token=${refresh_token}`, signal: AbortSignal.timeout(100) }),
  ).rejects.toThrow('timeout');
  expect((await me(access_token))[0]).toBe(200);
  shared.lie({});
  expect((await revoke(access_token)).status).toBe(200);
  expect((await me(access_token))[0]).toBe(401);
  expect(shared.revocations).toBe(4);
});

test('redirects take whoever follows them elsewhere, with all that they carry', async () => {
  shared.lie({ redirects: ['discovery', 'token'] });
  expect((await fetch(`${shared.issuer}/.well-known/openid-configuration`, { redirect: 'manual' })).status).toBe(307);
  const stolen = await fetch(shared.tokenEndpoint, { method: 'POST', body: new URLSearchParams({ code: 'precious' }) });
  expect(await stolen.json()).toMatchObject({ access_token: expect.stringContaining('elsewhere') });
  const [arrived] = shared.requests.filter(({ route }) => route === 'elsewhere');
  expect([arrived?.text, arrived?.url]).toEqual(['code=precious', `${shared.elsewhere.origin}/token`]);
});

test('expireTokens and revokeTokens refuse what was issued', async () => {
  for (const refuse of [shared.expireTokens, shared.revokeTokens]) {
    const { access_token } = await exchange();
    refuse();
    expect((await me(access_token))[0]).toBe(401);
  }
});
