import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import type { Auth0Client } from './auth0/auth0-client.ts';
import { type Auth0Server, auth0Server } from './auth0-server.ts';
import { secureText, selfSigned } from './fixtures/self-signed.ts';

const keyPair = await generateKeyPair('ES256');
const jwtSecret = 'a secret of more than thirty-two characters';
const clients: readonly Auth0Client[] = [
  { clientId: 'post', clientSecret: '1PpG/Q 1' },
  { clientId: 'basic:1', clientAuthentication: 'client_secret_basic', clientSecret: 'sécret&+% 雪' },
  { clientId: 'secret-jwt', clientAuthentication: 'client_secret_jwt', clientSecret: jwtSecret },
  { clientId: 'key-jwt', clientAuthentication: 'private_key_jwt', jwks: { keys: [await exportJWK(keyPair.publicKey)] } },
  { clientId: 'limited', clientSecret: 'limited', scope: ['write:messages'] },
];
const shared = await auth0Server({ clients, lifetimeSeconds: 600 });
afterAll(shared.close);
beforeEach(() => {
  shared.clearRequests();
  shared.clearFaults();
});

interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly error?: string;
}

type Fields = Readonly<Record<string, string>>;

function askToken(server: Auth0Server, fields: Fields, headers: Fields = {}): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', audience: server.audience, ...fields });
  return fetch(server.tokenEndpoint, { method: 'POST', body, headers });
}

async function tokenFor(server: Auth0Server, fields: Fields, headers: Fields = {}): Promise<TokenAnswer> {
  return (await (await askToken(server, fields, headers)).json()) as TokenAnswer;
}

const post: Fields = { client_id: 'post', client_secret: '1PpG/Q 1' };

function callApi(server: Auth0Server, path: string, authorization?: string): Promise<Response> {
  return fetch(server.apiUrl + path, authorization === undefined ? {} : { headers: { Authorization: authorization } });
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

function basic(clientId: string, clientSecret: string): Fields {
  return { Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` };
}

async function assertion(server: Auth0Server, clientId: string, alg: string, key: Parameters<SignJWT['sign']>[0]): Promise<Fields> {
  const jwt = new SignJWT({ jti: randomUUID() }).setProtectedHeader({ alg }).setIssuer(clientId).setSubject(clientId);
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await jwt.setAudience(server.issuer).setIssuedAt().setExpirationTime('1m').sign(key),
  };
}

test('discovery names Auth0 paths on the issuer, at both well-known places', async () => {
  for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
    const metadata = await (await fetch(shared.issuer + path)).json();
    expect(metadata).toMatchObject({
      issuer: shared.issuer,
      token_endpoint: `${shared.issuer}/oauth/token`,
      authorization_endpoint: `${shared.issuer}/authorize`,
      jwks_uri: `${shared.issuer}/.well-known/jwks.json`,
      grant_types_supported: expect.arrayContaining(['client_credentials']),
    });
  }
  expect(shared.tokenEndpoint).toBe(`${shared.issuer}/oauth/token`);
  expect(shared.requests.map(({ route }) => route)).toEqual(['discovery', 'discovery']);
});

test('issues a JWT access token (RFC 9068) for the audience parameter, verifiable with the published keys', async () => {
  const answer = await tokenFor(shared, post);
  expect(answer).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 600,
    scope: 'read:messages write:messages',
  });
  const keys = createRemoteJWKSet(new URL(`${shared.issuer}/.well-known/jwks.json`));
  const { payload, protectedHeader } = await jwtVerify(answer.access_token, keys, { issuer: shared.issuer, audience: shared.audience });
  expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
  expect(payload).toMatchObject({ client_id: 'post', sub: 'post', scope: 'read:messages write:messages', jti: expect.any(String) });
  expect(payload.exp).toBe((payload.iat ?? 0) + 600);
  const { keys: published } = (await (await fetch(`${shared.issuer}/.well-known/jwks.json`)).json()) as { keys: object[] };
  expect(published.flatMap((key) => Object.keys(key))).not.toContain('d');
});

test('takes the standard resource parameter (RFC 8707) as well', async () => {
  const answer = await tokenFor(shared, { ...post, audience: '', resource: shared.audience });
  expect(decodeJwt(answer.access_token).aud).toBe(shared.audience);
});

test('an audience that is not registered is refused', async () => {
  const answer = await askToken(shared, { ...post, audience: 'https://other.example/' });
  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_target' })]);
});

test('without an audience the token is opaque, and the API refuses it', async () => {
  const { access_token: token } = await tokenFor(shared, { ...post, audience: '' });
  expect(() => decodeProtectedHeader(token)).toThrow();
  expect((await callApi(shared, '/api/private', `Bearer ${token}`)).status).toBe(401);
});

test('a narrower scope is granted as asked for, a foreign one is left out', async () => {
  expect((await tokenFor(shared, { ...post, scope: 'read:messages' })).scope).toBe('read:messages');
  expect((await tokenFor(shared, { client_id: 'limited', client_secret: 'limited', scope: 'read:messages write:messages' })).scope).toBe(
    'write:messages',
  );
});

test('every client authentication method', async () => {
  const secretKey = new TextEncoder().encode(jwtSecret);
  const granted = [
    await askToken(shared, post),
    await askToken(shared, {}, basic('post', formEncoded('1PpG/Q 1'))),
    await askToken(shared, {}, basic(formEncoded('basic:1'), formEncoded('sécret&+% 雪'))),
    await askToken(shared, { client_id: 'basic:1', client_secret: 'sécret&+% 雪' }),
    await askToken(shared, await assertion(shared, 'secret-jwt', 'HS256', secretKey)),
    await askToken(shared, await assertion(shared, 'key-jwt', 'ES256', keyPair.privateKey)),
  ];
  expect(granted.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
});

test('a client’s key may be for any algorithm', async () => {
  const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
  const keys = await Promise.all(algorithms.map(async (alg) => ({ alg, ...(await generateKeyPair(alg)) })));
  const marked = await Promise.all(
    keys.map(async ({ alg, publicKey }) => ({ ...(await exportJWK(publicKey)), alg, use: 'sig', kid: alg })),
  );
  const keyClients = marked.map(
    (key): Auth0Client => ({ clientId: key.alg, clientAuthentication: 'private_key_jwt', jwks: { keys: [key] } }),
  );
  const server = await auth0Server({ clients: keyClients });
  try {
    for (const { alg, privateKey } of keys) {
      expect([alg, (await askToken(server, await assertion(server, alg, alg, privateKey))).status]).toEqual([alg, 200]);
    }
  } finally {
    await server.close();
  }
});

const refused: readonly { readonly name: string; readonly fields: Fields; readonly headers?: Fields; readonly status: number }[] = [
  { name: 'a wrong secret', fields: { client_id: 'post', client_secret: 'wrong' }, status: 401 },
  { name: 'an unknown client', fields: { client_id: 'nobody', client_secret: 'x' }, status: 401 },
  { name: 'no secret', fields: { client_id: 'post' }, status: 401 },
  { name: 'a wrong non-ASCII secret', fields: { client_id: 'basic:1', client_secret: 'sécret&+% 火' }, status: 401 },
  {
    name: 'a secret that was encoded twice',
    fields: {},
    headers: basic(formEncoded('basic:1'), formEncoded(formEncoded('sécret&+% 雪'))),
    status: 401,
  },
  { name: 'a secret that was not encoded', fields: {}, headers: basic('basic%3A1', 'sécret&+% 雪'), status: 400 },
  { name: 'two methods at once', fields: post, headers: basic('post', formEncoded('1PpG/Q 1')), status: 400 },
  { name: 'another grant', fields: { ...post, grant_type: 'password' }, status: 400 },
];

for (const { name, fields, headers = {}, status } of refused) {
  test(`the token endpoint refuses ${name}`, async () => {
    const answer = await askToken(shared, fields, headers);
    expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ error: expect.any(String) })]);
  });
}

test('an assertion works once', async () => {
  const fields = await assertion(shared, 'key-jwt', 'ES256', keyPair.privateKey);
  const statuses = [(await askToken(shared, fields)).status, (await askToken(shared, fields)).status];
  expect(statuses).toEqual([200, 401]);
});

test('a JSON token request is refused', async () => {
  const answer = await fetch(shared.tokenEndpoint, {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'client_credentials', ...post }),
    headers: { 'Content-Type': 'application/json' },
  });
  expect(answer.status).toBe(400);
});

test('the API answers public, private and scoped requests', async () => {
  expect(shared.apiUrl).not.toBe(shared.issuer);
  const { access_token: token } = await tokenFor(shared, post);
  expect((await callApi(shared, '/api/public')).status).toBe(200);
  const me = await callApi(shared, '/api/private', `bearer ${token}`);
  expect([me.status, await me.json()]).toEqual([
    200,
    { message: expect.any(String), sub: 'post', client_id: 'post', scope: 'read:messages write:messages' },
  ]);
  expect((await callApi(shared, '/api/private-scoped', `Bearer ${token}`)).status).toBe(200);
  expect(shared.requests.map(({ route }) => route)).toEqual(['token', 'api', 'api', 'api']);
});

test('the API challenges per RFC 6750', async () => {
  const challenge = async (path: string, authorization?: string) => {
    const { status, headers } = await callApi(shared, path, authorization);
    return [status, headers.get('www-authenticate')];
  };
  expect(await challenge('/api/private')).toEqual([401, 'Bearer realm="api"']);
  expect(await challenge('/api/private', 'Token abc')).toEqual([401, 'Bearer realm="api"']);
  expect(await challenge('/api/private', 'Bearer')).toEqual([400, expect.stringContaining('error="invalid_request"')]);
  expect(await challenge('/api/private', 'Bearer a b')).toEqual([400, expect.stringContaining('error="invalid_request"')]);
  expect(await challenge('/api/private', 'Bearer abc')).toEqual([401, expect.stringContaining('error="invalid_token"')]);
  const { access_token: limited } = await tokenFor(shared, { client_id: 'limited', client_secret: 'limited' });
  expect(await challenge('/api/private', `Bearer ${limited}`)).toEqual([200, null]);
  expect(await challenge('/api/private-scoped', `Bearer ${limited}`)).toEqual([
    403,
    'Bearer realm="api", error="insufficient_scope", error_description="the access token lacks a scope", scope="read:messages"',
  ]);
});

test('the API refuses tokens that another key signed, or that were changed', async () => {
  const { access_token: token } = await tokenFor(shared, post);
  const [header, , signature] = token.split('.');
  const claims = { ...decodeJwt(token), sub: 'somebody-else' };
  const changed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
  const foreignKey = (await generateKeyPair('RS256')).privateKey;
  const foreign = await new SignJWT({ ...decodeJwt(token) })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'signing-key' })
    .sign(foreignKey);
  for (const forged of [changed, foreign]) expect((await callApi(shared, '/api/private', `Bearer ${forged}`)).status).toBe(401);
});

test('expireTokens and revokeTokens refuse what was issued, not what comes after', async () => {
  for (const [refuse, reason] of [
    [shared.expireTokens, 'the access token expired'],
    [shared.revokeTokens, 'the access token was revoked'],
  ] as const) {
    const before = await tokenFor(shared, post);
    refuse();
    const answer = await callApi(shared, '/api/private', `Bearer ${before.access_token}`);
    expect([answer.status, await answer.json()]).toEqual([401, { error: 'invalid_token', error_description: reason }]);
    const after = await tokenFor(shared, post);
    expect((await callApi(shared, '/api/private', `Bearer ${after.access_token}`)).status).toBe(200);
  }
});

test('the injected clock rules lifetimes, and onlyNewestToken refuses earlier tokens', async () => {
  let nowMs = Date.parse('2031-05-06T07:08:09Z');
  await using server = await auth0Server({ now: () => nowMs, lifetimeSeconds: 60, onlyNewestToken: true });
  const credentials = { client_id: server.clientId, client_secret: server.clientSecret };
  const status = async (token: TokenAnswer) => (await callApi(server, '/api/private', `Bearer ${token.access_token}`)).status;
  const first = await tokenFor(server, credentials);
  expect(decodeJwt(first.access_token).exp).toBe(nowMs / 1000 + 60);
  expect(await status(first)).toBe(200);
  nowMs += 60_000;
  expect(await status(first)).toBe(401);
  const second = await tokenFor(server, credentials);
  const third = await tokenFor(server, credentials);
  expect([await status(second), await status(third)]).toEqual([401, 200]);
  expect([server.issued, server.tokenRequests]).toEqual([3, 3]);
});

test('faults apply to the authorization server and to the API', async () => {
  shared.inject([
    { at: 'discovery', status: 500 },
    { at: 'token', transform: (answer) => ({ ...answer, body: '{"access_token":""}' }) },
    { at: 'api', status: 502 },
    { at: '/.well-known/jwks.json', status: 404 },
  ]);
  expect((await fetch(`${shared.issuer}/.well-known/openid-configuration`)).status).toBe(500);
  expect(await tokenFor(shared, post)).toEqual({ access_token: '' });
  expect((await callApi(shared, '/api/public')).status).toBe(502);
  expect((await fetch(`${shared.issuer}/.well-known/jwks.json`)).status).toBe(404);
  expect(shared.pendingFaults).toBe(0);
});

test('runs without a word on the console, and without failures', async () => {
  const spies = (['log', 'info', 'warn', 'error'] as const).map((method) => vi.spyOn(console, method));
  await using server = await auth0Server();
  const credentials = { client_id: server.clientId, client_secret: server.clientSecret };
  expect((await askToken(server, credentials)).status).toBe(200);
  expect((await askToken(server, { ...credentials, client_secret: 'wrong' })).status).toBe(401);
  expect((await fetch(`${server.issuer}/nowhere`)).status).toBe(404);
  expect((await fetch(`${server.issuer}/authorize?client_id=x`, { headers: { Accept: 'application/json' } })).status).toBe(400);
  expect((await fetch(server.issuer, { headers: { Accept: 'text/html' } })).status).toBe(404);
  expect((await askToken(server, credentials, { Origin: 'http://spa.example' })).headers.get('access-control-allow-origin')).toBe(
    'http://spa.example',
  );
  for (const spy of spies) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
  expect(server.failures).toEqual([]);
});

test('an issuer behind TLS names https endpoints', async () => {
  const tls = selfSigned();
  await using server = await auth0Server({ host: 'localhost', tls });
  const metadata = JSON.parse(await secureText(`${server.issuer}/.well-known/openid-configuration`, tls.cert));
  expect(metadata).toMatchObject({ issuer: server.issuer, token_endpoint: `https://${new URL(server.issuer).host}/oauth/token` });
  expect(JSON.parse(await secureText(`${server.apiUrl}/api/public`, tls.cert))).toHaveProperty('message');
});

test('closes both servers', async () => {
  const server = await auth0Server();
  await callApi(server, '/api/public');
  await fetch(`${server.issuer}/.well-known/jwks.json`);
  await server.close();
  await expect.poll(() => server.openSockets).toBe(0);
  await expect(callApi(server, '/api/public')).rejects.toThrow('fetch failed');
  await expect(fetch(server.issuer)).rejects.toThrow('fetch failed');
});
