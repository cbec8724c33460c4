// authorizationCode against ID tokens that are not for this sign-in. OpenID Connect Core 1.0 §3.1.3.7 and §12.2.
import { memoryStore } from '@authseam/core';
import type { Lies } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { authFor, caught, server, signedIn, startServer } from './fixtures/hostile-sign-in.ts';

startServer();

describe('an ID token', () => {
  it.each<[string, Lies['idToken'], RegExp]>([
    ['missing', 'missing', /no ID token/],
    ['of another sign-in', { claims: { nonce: 'another' } }, /nonce/],
    ['without nonce', { claims: { nonce: undefined } }, /nonce/],
    ['of another issuer', { claims: { iss: 'https://other.example' } }, /iss/],
    ['for another client', { claims: { aud: 'another' } }, /aud/],
    ['for several, without azp', { claims: { aud: ['hostile-client', 'another'] } }, /aud/],
    ['for several, meant for another', { claims: { aud: ['hostile-client', 'another'], azp: 'another' } }, /azp/],
    ['for this client, meant for another', { claims: { azp: 'another' } }, /azp/],
    ['that ran out', { claims: { exp: 1 } }, /exp/],
    ['of the future', { claims: { iat: Math.floor(Date.now() / 1000) + 3600 } }, /iat/],
    ['of nobody', { claims: { sub: '' } }, /sub/],
    ['without a subject', { claims: { sub: undefined } }, /sub/],
    ['unsigned', { alg: 'none' }, /alg/],
  ])('%s signs nobody in', async (_, idToken, message) => {
    const auth = authFor();
    server.lie({ idToken: idToken as NonNullable<Lies['idToken']> });
    const error = await caught(signedIn(auth));
    expect(error).toMatchObject({ code: 'ID_TOKEN_INVALID', message: expect.stringMatching(message) });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('of a sign-in that is older than max_age, or does not say when it was, signs nobody in', async () => {
    const auth = authFor();
    for (const auth_time of [undefined, Math.floor(Date.now() / 1000) - 3600]) {
      server.lie({ idToken: { claims: { auth_time } } });
      expect(await caught(signedIn(auth, { maxAge: 600 }))).toMatchObject({
        code: 'ID_TOKEN_INVALID',
        message: expect.stringContaining('max_age'),
      });
      expect(await signedIn(auth)).toMatchObject({ idToken: expect.any(String) });
    }
  });

  it('is taken by a clock that is five minutes off, either way', async () => {
    for (const offMs of [-290_000, 290_000]) {
      server.lie({ idToken: { claims: { exp: Math.floor(Date.now() / 1000) + 10 } } });
      expect(await signedIn(authFor({ now: () => Date.now() + offMs }), { maxAge: 0 })).toMatchObject({ idToken: expect.any(String) });
    }
  });

  it('that nobody asked for is not kept', async () => {
    const auth = authFor({ scope: 'read' });
    const transform = (answer: { body?: unknown }) => ({ ...answer, body: { ...(answer.body as object), id_token: 'e30.e30.' } });
    server.inject({ at: 'token', transform });
    expect(await signedIn(auth)).not.toHaveProperty('idToken');
  });

  it.each<[string, NonNullable<Lies['idToken']>]>([
    ['another subject', { claims: { sub: 'mallory' } }],
    ['another nonce', { claims: { nonce: 'another' } }],
    ['another client', { claims: { aud: 'another' } }],
    ['another issuer', { claims: { iss: 'https://other.example' } }],
  ])('of %s in the answer to a refresh ends the session, without a second refresh', async (_, idToken) => {
    const store = memoryStore();
    const auth = authFor({ store, storeKey: 'key' });
    await signedIn(auth);
    server.lie({ idToken });
    for (const _ of [1, 2]) await expect(auth.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([server.refreshes, server.familyRevoked, store.get('key')]).toEqual([1, false, undefined]);
  });

  it('that comes again in the answer to a refresh is checked and kept, one that is the first once more too', async () => {
    const auth = authFor();
    const { idToken: first } = await signedIn(auth);
    const { idToken: second } = await auth.getToken({ forceRefresh: true });
    expect(second).not.toBe(first);
    server.lie({ idToken: { claims: { exp: 1 } } });
    expect(await auth.getToken({ forceRefresh: true })).toMatchObject({ idToken: expect.any(String) });
    server.lie({ idToken: 'missing' });
    expect((await auth.getToken({ forceRefresh: true })).idToken).toBeDefined();
  });
});
