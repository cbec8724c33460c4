import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type SignInOptions, signIn } from './oidc/sign-in.ts';
import { type SdkServer, sdkServer } from './sdk-server.ts';

test('accepts the key in header, query or cookie', async () => {
  await using server = await sdkServer({ apiKey: 'key one+=' });
  const me = `${server.origin}/v1/me`;
  const answers = [
    await fetch(me, { headers: { 'x-api-key': 'key one+=' } }),
    await fetch(`${me}?a=1&api_key=key+one%2B%3D`),
    await fetch(me, { headers: { Cookie: 'session=1; api_key=key one+=' } }),
  ];
  for (const answer of answers) expect([answer.status, await answer.json()]).toEqual([200, { id: 'acct_1', name: 'Example account' }]);
});

test('refuses no key, a wrong one, and two that differ', async () => {
  await using server = await sdkServer({ apiKey: 'right' });
  const codeFor = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(server.origin + path, { headers });
    return [answer.status, ((await answer.json()) as { error?: { code: string } }).error?.code];
  };
  expect(await codeFor('/v1/me')).toEqual([401, 'missing_api_key']);
  expect(await codeFor('/v1/me', { 'X-API-Key': 'wrong' })).toEqual([401, 'invalid_api_key']);
  expect(await codeFor('/v1/me?api_key=wrong', { 'X-API-Key': 'right' })).toEqual([401, 'invalid_api_key']);
  expect(await codeFor('/v1/items?api_key=right&api_key=wrong')).toEqual([401, 'invalid_api_key']);
});

test('looks only where it was told to, under the names it was told', async () => {
  await using server = await sdkServer({ apiKey: 'k', accepts: ['header', 'cookie'], headerName: 'Api-Token', cookieName: 'key' });
  const status = async (query: string, headers: Record<string, string> = {}) =>
    (await fetch(`${server.origin}/v1/me${query}`, { headers })).status;
  expect(await status('?api_key=k')).toBe(401);
  expect(await status('', { 'X-API-Key': 'k' })).toBe(401);
  expect(await status('', { 'api-token': 'k' })).toBe(200);
  expect(await status('', { Cookie: 'key=k' })).toBe(200);
});

test('echoes items for every method', async () => {
  await using server = await sdkServer();
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const body = method === 'GET' ? {} : { body: `a ${method}` };
    const answer = await fetch(`${server.origin}/v1/items?q=%7e`, { method, headers: { 'X-API-Key': server.apiKey }, ...body });
    expect(answer.status).toBe(method === 'POST' ? 201 : 200);
    expect(await answer.json()).toMatchObject({
      method,
      url: `${server.origin}/v1/items?q=%7e`,
      text: method === 'GET' ? '' : `a ${method}`,
    });
  }
});

test('rotateKey refuses the old key and returns the new one', async () => {
  await using server = await sdkServer();
  const status = async (key: string) => (await fetch(`${server.origin}/v1/me`, { headers: { 'X-API-Key': key } })).status;
  const old = server.apiKey;
  expect(await status(old)).toBe(200);
  const next = server.rotateKey();
  expect(server.apiKey).toBe(next);
  expect([await status(old), await status(next)]).toEqual([401, 200]);
});

type Fields = Readonly<Record<string, string>>;

interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope?: string;
  readonly error?: string;
}

const codeVerifier = randomBytes(32).toString('base64url');

async function callback(server: SdkServer, fields: Fields = {}, options: SignInOptions = {}): Promise<URLSearchParams> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: server.oauth.clientId,
    redirect_uri: server.oauth.redirectUri,
    scope: 'read write admin',
    state: 'a state',
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...fields,
  });
  return new URL((await signIn(`${server.oauth.authorizationEndpoint}?${query}`, options)).callbackUrl).searchParams;
}

async function askToken(server: SdkServer, fields: Fields): Promise<TokenAnswer> {
  const proof = {
    client_id: server.oauth.clientId,
    ...(server.oauth.clientSecret === '' ? {} : { client_secret: server.oauth.clientSecret }),
  };
  const body = new URLSearchParams({ ...proof, ...fields });
  return (await (await fetch(server.oauth.tokenEndpoint, { method: 'POST', body })).json()) as TokenAnswer;
}

async function exchange(server: SdkServer, options: SignInOptions = {}): Promise<TokenAnswer> {
  const code = (await callback(server, {}, options)).get('code') ?? '';
  return askToken(server, { grant_type: 'authorization_code', code, redirect_uri: server.oauth.redirectUri, code_verifier: codeVerifier });
}

function refresh(server: SdkServer, refreshToken: string): Promise<TokenAnswer> {
  return askToken(server, { grant_type: 'refresh_token', refresh_token: refreshToken });
}

async function me(server: SdkServer, accessToken: string, headers: Fields = {}): Promise<readonly [number, unknown]> {
  const answer = await fetch(`${server.origin}/v1/me`, { headers: { ...headers, Authorization: `Bearer ${accessToken}` } });
  return [answer.status, await answer.json()];
}

const refused = [401, { error: { code: 'invalid_token', message: 'The access token is expired, revoked or unknown.' } }];

test('the authorization code flow gives a token that the API accepts in the place of a key', async () => {
  await using server = await sdkServer();
  expect(Object.fromEntries(await callback(server))).toEqual({ code: expect.any(String), state: 'a state' });
  const tokens = await exchange(server, { user: 'bob' });
  expect(tokens).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: expect.any(String),
    scope: 'read write',
  });
  expect(await me(server, tokens.access_token)).toEqual([200, { id: 'bob', name: 'Bob Example' }]);
  expect(await me(server, 'wrong', { 'X-API-Key': server.apiKey })).toEqual(refused);
  const next = await refresh(server, tokens.refresh_token);
  expect(await me(server, next.access_token)).toEqual([200, { id: 'bob', name: 'Bob Example' }]);
  expect([server.oauth.exchanges, server.oauth.refreshes, server.oauth.tokenRequests, server.oauth.issued]).toEqual([1, 1, 2, 2]);
});

test('a person may consent to less, or to nothing', async () => {
  await using server = await sdkServer();
  expect((await exchange(server, { consent: ['read'] })).scope).toBe('read');
  expect((await callback(server, {}, { deny: true })).get('error')).toBe('access_denied');
});

test('wants the registered redirect URI, on any port of a loopback address, PKCE and the secret', async () => {
  await using server = await sdkServer();
  await expect(callback(server, { redirect_uri: 'https://app.example/other' })).rejects.toThrow('redirect_uri is not registered');
  await expect(callback(server, { redirect_uri: 'http://127.0.0.1:65123.evil.example/callback' })).rejects.toThrow('redirect_uri');
  expect((await callback(server, { redirect_uri: 'http://127.0.0.1:65123/callback' })).has('code')).toBe(true);
  expect((await callback(server, { code_challenge: '' })).get('error')).toBe('invalid_request');
  const { refresh_token } = await exchange(server);
  expect((await askToken(server, { grant_type: 'refresh_token', refresh_token, client_secret: 'wrong' })).error).toBe('invalid_client');
  await using open = await sdkServer({ oauth: { clientSecret: false } });
  expect((await exchange(open)).error).toBeUndefined();
});

test('a refresh token works once, and a second use revokes its family alone; without rotation it stays', async () => {
  await using server = await sdkServer();
  const [first, other] = [await exchange(server), await exchange(server)];
  const second = await refresh(server, first.refresh_token);
  expect(server.oauth.familyRevoked).toBe(false);
  expect((await refresh(server, first.refresh_token)).error).toBe('invalid_grant');
  expect(server.oauth.familyRevoked).toBe(true);
  expect((await refresh(server, second.refresh_token)).error).toBe('invalid_grant');
  expect(await me(server, second.access_token)).toEqual(refused);
  expect((await me(server, other.access_token))[0]).toBe(200);
  await using lax = await sdkServer({ oauth: { rotateRefreshToken: false } });
  const { refresh_token } = await exchange(lax);
  for (const answer of [await refresh(lax, refresh_token), await refresh(lax, refresh_token)])
    expect(answer.refresh_token).toBe(refresh_token);
  expect(lax.oauth.familyRevoked).toBe(false);
});

test('a code expires after a minute', async () => {
  let nowMs = 1_000_000;
  await using server = await sdkServer({ now: () => nowMs });
  const code = (await callback(server)).get('code') ?? '';
  const request = { grant_type: 'authorization_code', code, redirect_uri: server.oauth.redirectUri, code_verifier: codeVerifier };
  nowMs += 60_000;
  expect((await askToken(server, request)).error).toBe('invalid_grant');
  nowMs -= 1;
  expect((await askToken(server, request)).error).toBeUndefined();
});

test('access tokens expire, are superseded where only the newest counts, and can be revoked', async () => {
  let nowMs = 1_000_000;
  await using server = await sdkServer({ oauth: { lifetimeSeconds: 10, onlyNewestToken: true }, now: () => nowMs });
  const [first, bobs] = [await exchange(server), await exchange(server, { user: 'bob' })];
  const second = await refresh(server, first.refresh_token);
  const statuses = async () =>
    [await me(server, first.access_token), await me(server, second.access_token), await me(server, bobs.access_token)].map(
      ([status]) => status,
    );
  expect(await statuses()).toEqual([401, 200, 200]);
  nowMs += 10_000;
  expect(await statuses()).toEqual([401, 401, 401]);
  const third = await refresh(server, second.refresh_token);
  expect((await me(server, third.access_token))[0]).toBe(200);
  const body = new URLSearchParams({
    token: third.refresh_token,
    client_id: server.oauth.clientId,
    client_secret: server.oauth.clientSecret,
  });
  expect((await fetch(server.oauth.revocationEndpoint, { method: 'POST', body })).status).toBe(200);
  expect((await me(server, third.access_token))[0]).toBe(401);
  expect(server.oauth.revocations).toBe(1);
  const fourth = await exchange(server);
  server.oauth.expireTokens();
  expect(await me(server, fourth.access_token)).toEqual(refused);
  const fifth = await refresh(server, fourth.refresh_token);
  server.oauth.revokeTokens();
  expect(await me(server, fifth.access_token)).toEqual(refused);
});
