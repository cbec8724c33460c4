import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { callApi, callback, exchange, refresh, shared, spa, startShared } from './fixtures/code-flow.ts';
import { cookieJar } from './oidc/cookie-jar.ts';
import { signIn } from './oidc/sign-in.ts';
import { oidcServer } from './oidc-server.ts';

startShared();

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
