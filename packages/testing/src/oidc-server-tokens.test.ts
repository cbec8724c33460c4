import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { callApi, callback, exchange, type Fields, refresh, shared, spa, startShared, type TokenAnswer } from './fixtures/code-flow.ts';
import { oidcServer } from './oidc-server.ts';

startShared();

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
