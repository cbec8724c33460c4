// Clients that take a `fetch`: openapi-fetch, ofetch, and wrappers of one's own. docs/guests.md says what to write. Over real sockets.
import { inspect } from 'node:util';
import { withAuth } from '@authseam/adapter-fetch';
import { apiKey } from '@authseam/auth-api-key';
import { type AuthStrategy, createTokenManager, fromTokenSource, isAuthError } from '@authseam/core';
import { findSecret, plantSecret } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { gotLike, guests } from './fixtures/fetch-guests.ts';
import {
  acceptOnly,
  errorOf,
  expectSignatures,
  other,
  rotatingTokens,
  server,
  signed,
  signer,
  startServers,
} from './fixtures/guest-servers.ts';

startServers();

describe.each(guests)('$name', (guest) => {
  it.each([
    ['JSON', { json: { a: [1, 'é'] } }],
    ['a form', { form: { a: '1 +', b: 'é' } }],
  ])('after a 401 refreshes once and sends the same once more: %s', async (_, body) => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('t2');
    const call = guest.create(server.origin, strategy);
    expect(await call('/items', { method: 'POST', query: { q: 'a b' }, ...body })).toMatchObject({ status: 200 });
    const [first, second] = server.requests;
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer t1', 'Bearer t2']);
    expect(first!.body.length).toBeGreaterThan(0);
    expect(second!.body).toEqual(first!.body);
    expect(second!.url).toBe(first!.url);
    expect(second!.headers['content-type']).toBe(first!.headers['content-type']);
    expect(count()).toBe(2);
  });

  it('delivers the second 401 as any other, whole', async () => {
    acceptOnly('never');
    const answer = await guest.create(server.origin, rotatingTokens().strategy)('/items');
    expect(answer).toEqual({ status: 401, data: { message: 'rejected' } });
    expect(server.requests).toHaveLength(2);
  });

  it('sends one request without, or with another strategy', async () => {
    const call = guest.create(server.origin, apiKey({ key: 'default-key' }));
    await call('/a', { authStrategy: false });
    await call('/a', { authStrategy: apiKey({ key: 'other-key' }) });
    await call('/a');
    expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, 'other-key', 'default-key']);
  });

  describe('what is signed is what is sent', () => {
    it.each(['header', 'query', 'form'] as const)('after its own hook changed URL and headers: oauth1 in the %s', async (placement) => {
      const call = guest.create(signed.origin, signer({ placement }), { isHooked: true });
      const query = { 'a[]': '1 2', b: 'é&=+' };
      expect(await call('/echo/form', { method: 'POST', query, form: { c: '3 +', d: 'ü' } })).toMatchObject({ status: 200 });
      if (placement !== 'form') expect(await call('/echo/json', { method: 'POST', query, json: { e: 1 } })).toMatchObject({ status: 200 });
      expectSignatures(placement === 'form' ? 1 : 2);
      expect(signed.requests[0]!.headers['x-late']).toBe('1');
      expect(new URLSearchParams(signed.requests[0]!.query).get('late')).toBe("it's");
    });

    it('a query key goes behind what the hook has added, which stays as it was', async () => {
      const call = guest.create(server.origin, apiKey({ key: 'k&=+ é', in: 'query', name: 'api key' }), { isHooked: true });
      await call('/items', { query: { q: 'a b' } });
      await call('/items', { query: { q: 'a b' }, authStrategy: false });
      const [ours, bare] = server.requests;
      expect(ours!.query).toBe(`${bare!.query}&api%20key=k%26%3D%2B%20%C3%A9`);
    });
  });

  it('a redirect is signed anew at home, and takes nothing of ours abroad', async () => {
    const call = guest.create(signed.origin, signer());
    signed.inject({ at: '/echo/form', status: 307, headers: { Location: '/users/v1/me' } });
    expect(await call('/echo/form')).toMatchObject({ status: 200 });
    expectSignatures(1);
    const secret = plantSecret('key');
    const keyed = guest.create(server.origin, apiKey({ key: secret }));
    expect(await keyed('/redirect/302', { query: { to: `${other.origin}/abroad` } })).toMatchObject({ status: 200 });
    expect(server.requests[0]!.headers['x-api-key']).toBe(secret);
    expect(other.requests).toHaveLength(1);
    expect(findSecret(other.requests, [secret])).toEqual([]);
  });

  it('an abort ends the wait for a token, and nothing is sent', async () => {
    const controller = new AbortController();
    const never: AuthStrategy = { name: 'never', specVersion: 1, authorize: () => new Promise(() => {}) };
    const call = errorOf(guest.create(server.origin, never)('/items', { signal: controller.signal }));
    setTimeout(() => controller.abort(), 10);
    const error = await call;
    expect(guest.wraps ? error.cause : error).toMatchObject({ name: 'AbortError' });
    expect(server.requests).toEqual([]);
  });

  it('an error of ours arrives, and no error or answer shows a secret', async () => {
    const secret = plantSecret('token');
    let isDown = false;
    const fetchToken = () => {
      if (isDown) throw new Error('the vault is sealed');
      return { accessToken: secret, tokenType: 'Bearer' };
    };
    const call = guest.create(server.origin, fromTokenSource(createTokenManager({ key: 'test', fetchToken }), { name: 'tokens' }));
    server.inject({ status: 400 }); // not an echo, which shows it all
    const answer = await call('/items', { method: 'POST', json: { a: 1 } });
    expect(server.requests[0]!.headers['authorization']).toBe(`Bearer ${secret}`);
    server.inject({ reset: 'on-arrival' });
    const broken = await errorOf(call('/items'));
    expect(server.pendingFaults).toBe(0);
    isDown = true;
    server.inject({ status: 401 });
    const error = await errorOf(call('/items'));
    const typed = guest.wraps ? error.cause : error;
    expect(typed).toSatisfy(isAuthError);
    expect(typed).toMatchObject({ code: 'STRATEGY_FAILED', cause: { message: 'the vault is sealed' } });
    expect(findSecret([answer, broken, error], [secret])).toEqual([]);
    expect(inspect([answer, broken, error], { depth: Infinity, showHidden: true })).not.toContain(secret);
  });
});

it('a got-like wrapper sends its init again: each try is signed anew, and the init stays as it was', async () => {
  const call = gotLike({ fetch: withAuth(fetch, signer()), prefixUrl: signed.origin })();
  signed.inject({ at: '/echo/json', status: 503, times: 2 });
  expect(await call('/echo/json', { method: 'POST', json: { a: 1 } })).toMatchObject({ status: 200 });
  expect(signed.requests.map(({ text }) => text)).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
  expect(new Set(signed.requests.map(({ headers }) => headers['authorization'])).size).toBe(3);
  expectSignatures(1);
});
