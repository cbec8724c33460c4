// authorizationCode against a server that lies (RFC 9700 §4), and against callbacks that are not what they seem.
import {
  type AuthorizationCode,
  type AuthorizationCodeOptions,
  type AuthorizationTransaction,
  authorizationCode,
} from '@authseam/auth-authcode';
import { type AuthEvent, memoryStore } from '@authseam/core';
import { findSecret, type HostileServer, hostileAuthorizationServer, type Lies, plantSecret, signIn } from '@authseam/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { adapters } from './adapters.ts';

const redirectUri = 'https://app.example/callback';
const clientSecret = plantSecret('client secret');

let server: HostileServer;
beforeEach(async () => {
  server = await hostileAuthorizationServer({ clientSecret });
});
afterEach(async () => {
  vi.useRealTimers();
  expect(server.failures).toEqual([]);
  await server.close();
});

function authFor(options: object = {}): AuthorizationCode {
  const { issuer, clientId } = server;
  return authorizationCode({
    issuer,
    clientId,
    clientSecret,
    redirectUri,
    scope: 'openid read',
    random: () => 0,
    ...options,
  } as AuthorizationCodeOptions);
}

async function callbackOf(auth: AuthorizationCode, request: object = {}, user = 'alice') {
  const { url, transaction } = await auth.createAuthorizationUrl(request);
  const { callbackUrl } = await signIn(url, { user });
  return { callbackUrl, transaction, parameters: new URL(callbackUrl).searchParams };
}

async function signedIn(auth: AuthorizationCode, request: object = {}, user = 'alice') {
  const { callbackUrl, transaction } = await callbackOf(auth, request, user);
  return auth.handleCallback(callbackUrl, transaction);
}

const caught = (work: PromiseLike<unknown> | unknown) =>
  Promise.resolve(work).then(
    () => expect.unreachable('should have failed'),
    (error) => error,
  );

const tokenCalls = () => server.requests.filter(({ route }) => route === 'token').length;

describe('a callback', () => {
  it.each<[string, Lies]>([
    ['without state', { callback: { state: 'missing' } }],
    ['with an empty state', { callback: { state: 'empty' } }],
    ['with another state', { callback: { state: 'wrong' } }],
    ['with its state twice', { callback: { state: 'repeated' } }],
    ['with two states, the right one first', { callback: { state: 'conflicting' } }],
    ['without the iss that was promised', { callback: { iss: 'missing' } }],
    ['with an empty iss', { callback: { iss: 'empty' } }],
    ['from another issuer', { callback: { iss: 'wrong' } }],
    ['with its iss twice', { callback: { iss: 'repeated' } }],
    ['with two issuers', { callback: { iss: 'conflicting' } }],
    ['with its code twice', { callback: { code: 'repeated' } }],
    ['with two codes', { callback: { code: 'conflicting' } }],
    ['without a code', { callback: { code: 'missing' } }],
    ['with an empty code', { callback: { code: 'empty' } }],
    ['that says no, from another issuer', { callbackError: { error: 'access_denied' }, callback: { iss: 'wrong' } }],
    ['that says no, without the iss that was promised', { callbackError: { error: 'access_denied' }, callback: { iss: 'missing' } }],
    ['that says no, with another state', { callbackError: { error: 'access_denied' }, callback: { state: 'wrong' } }],
  ])('%s is rejected, and nothing is exchanged', async (_, lies) => {
    const auth = authFor();
    server.lie(lies);
    expect(await caught(signedIn(auth))).toMatchObject({ name: 'AuthorizationError', code: 'CALLBACK_REJECTED', error: undefined });
    expect(tokenCalls()).toBe(0);
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('from a server that does not promise iss is taken without it, and not with another', async () => {
    const metadata = { authorization_response_iss_parameter_supported: undefined };
    server.lie({ metadata, callback: { iss: 'missing' } });
    const auth = authFor();
    expect(await signedIn(auth)).toMatchObject({ tokenType: 'Bearer' });
    server.lie({ metadata, callback: { iss: 'wrong' } });
    expect(await caught(signedIn(auth))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    expect(tokenCalls()).toBe(1);
  });

  it.each([true, 'true', 1, 'yes', {}])('without iss is refused where the metadata promise it by %j', async (promise) => {
    server.lie({ metadata: { authorization_response_iss_parameter_supported: promise }, callback: { iss: 'missing' } });
    expect(await caught(signedIn(authFor()))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    expect(tokenCalls()).toBe(0);
  });

  it.each([undefined, null, false])('without iss is taken where the metadata say %j of it', async (promise) => {
    server.lie({ metadata: { authorization_response_iss_parameter_supported: promise }, callback: { iss: 'missing' } });
    expect(await signedIn(authFor())).toMatchObject({ tokenType: 'Bearer' });
  });

  it('says what it lacks', async () => {
    const auth = authFor();
    server.lie({ callback: { iss: 'missing' } });
    expect(await caught(signedIn(auth))).toMatchObject({ message: expect.stringContaining('lacks the `iss`') });
  });

  it('is good once: replayed it is refused, one after the other or both at once, and the code is sent once', async () => {
    const auth = authFor();
    const first = await callbackOf(auth);
    await auth.handleCallback(first.callbackUrl, first.transaction);
    expect(await caught(auth.handleCallback(first.callbackUrl, first.transaction))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    const second = await callbackOf(auth);
    const both = await Promise.allSettled([1, 2].map(() => auth.handleCallback(second.callbackUrl, second.transaction)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect([server.exchanges, server.familyRevoked]).toEqual([2, false]);
    expect(await adapters[0]!.attach(auth)(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
  });

  it('of two at once is good once on a strategy that has yet to ask for metadata, too', async () => {
    const { callbackUrl, transaction } = await callbackOf(authFor());
    const auth = authFor();
    const both = await Promise.allSettled([1, 2].map(() => auth.handleCallback(callbackUrl, transaction)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect([server.exchanges, server.familyRevoked]).toEqual([1, false]);
  });

  it('of another transaction, server or client is refused', async () => {
    const auth = authFor();
    const [mine, another] = [await callbackOf(auth), await callbackOf(auth)];
    await using other = await hostileAuthorizationServer();
    const fromOther = authorizationCode({ issuer: other.issuer, clientId: other.clientId, clientAuthentication: 'none', redirectUri });
    const foreign = await callbackOf(fromOther);
    const { state } = mine.transaction;
    for (const [callback, transaction] of [
      [mine.callbackUrl, another.transaction],
      [foreign.callbackUrl, foreign.transaction],
      // Mix-up (RFC 9700 §4.4): the attacker's transaction, the honest server's code.
      [mine.callbackUrl, { ...foreign.transaction, state }],
      [mine.callbackUrl, { ...mine.transaction, clientId: 'another-client' }],
    ] as const) {
      expect(await caught(auth.handleCallback(callback, transaction))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    }
    expect([tokenCalls(), other.exchanges]).toEqual([0, 0]);
    expect(await auth.handleCallback(mine.callbackUrl, mine.transaction)).toMatchObject({ tokenType: 'Bearer' });
  });

  it('is not taken with a transaction that is none', async () => {
    const auth = authFor();
    const { callbackUrl, transaction } = await callbackOf(auth);
    const { state, codeVerifier, ...rest } = transaction;
    const { nonce, ...withoutNonce } = transaction;
    const { clientId, ...withoutClient } = transaction;
    expect([nonce, clientId]).toEqual([expect.any(String), server.clientId]);
    for (const broken of [
      withoutNonce,
      { ...transaction, nonce: '' },
      withoutClient,
      { ...transaction, clientId: '' },
      undefined,
      null,
      'text',
      {},
      { ...rest, state },
      { ...rest, codeVerifier },
      { ...transaction, state: '' },
      { ...transaction, nonce: 5 },
    ]) {
      const error = await caught(auth.handleCallback(callbackUrl, broken as unknown as AuthorizationTransaction));
      expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'transaction' });
      expect(findSecret(error, [codeVerifier, state])).toEqual([]);
    }
    expect(tokenCalls()).toBe(0);
  });

  it('that is none is a ConfigurationError: no text, another kind of body, a body that was read or has no end', async () => {
    const auth = authFor();
    const { transaction, parameters } = await callbackOf(auth);
    const post = (body: RequestInit['body'], type = 'application/x-www-form-urlencoded') =>
      new Request(redirectUri, { method: 'POST', body: body ?? null, headers: { 'Content-Type': type } });
    const read = post(parameters.toString());
    await read.text();
    for (const callback of [
      undefined,
      null,
      42,
      {},
      { headers: { host: 'a' }, url: '/callback', method: 'POST' },
      post(parameters.toString(), 'application/json'),
      read,
      post(`${parameters}&pad=${'x'.repeat(100_000)}`),
    ]) {
      expect(await caught(auth.handleCallback(callback as string, transaction))).toMatchObject({
        code: 'CONFIGURATION_ERROR',
        option: 'callbackUrl',
      });
    }
    // In a form post the URL's own parameters are nobody's.
    const mixed = new Request(`${redirectUri}?${parameters}`, { method: 'POST', body: new URLSearchParams() });
    expect(await caught(auth.handleCallback(mixed, transaction))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    expect(tokenCalls()).toBe(0);
  });

  describe('whose form trickles in', () => {
    /** A form post of which the last part never comes. Frameworks without a limit of their own hand it on like that. */
    function trickling(parameters: URLSearchParams, end?: Error) {
      const cancelled = vi.fn();
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(`${parameters}&pad=`));
          if (end) controller.error(end);
        },
        cancel: cancelled,
      });
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      return { request: new Request(redirectUri, { method: 'POST', body, headers, duplex: 'half' } as RequestInit), cancelled };
    }

    it('is waited for 10 s, and nothing is exchanged', async () => {
      const auth = authFor();
      const { callbackUrl, transaction, parameters } = await callbackOf(auth);
      const { request, cancelled } = trickling(parameters);
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const waiting = caught(auth.handleCallback(request, transaction));
      await vi.advanceTimersByTimeAsync(9_900);
      expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
      await vi.advanceTimersByTimeAsync(100);
      expect(await Promise.race([waiting, Promise.resolve('waiting')])).toMatchObject({
        code: 'CALLBACK_REJECTED',
        message: expect.stringContaining('did not arrive within 10 s'),
      });
      vi.useRealTimers();
      await vi.waitFor(() => expect(cancelled).toHaveBeenCalledTimes(1));
      expect(tokenCalls()).toBe(0);
      expect(await auth.handleCallback(callbackUrl, transaction)).toMatchObject({ tokenType: 'Bearer' });
    });

    it('is left when the signal aborts, with its reason', async () => {
      const auth = authFor();
      const { transaction, parameters } = await callbackOf(auth);
      const { request, cancelled } = trickling(parameters);
      const controller = new AbortController();
      const waiting = caught(auth.handleCallback(request, transaction, { signal: controller.signal }));
      const reason = new Error('gone');
      setTimeout(() => controller.abort(reason), 20);
      expect(await waiting).toBe(reason);
      await vi.waitFor(() => expect(cancelled).toHaveBeenCalledTimes(1));
      expect(tokenCalls()).toBe(0);
    });

    it('and breaks off is rejected', async () => {
      const auth = authFor();
      const { transaction, parameters } = await callbackOf(auth);
      const { request } = trickling(parameters, new TypeError('terminated'));
      expect(await caught(auth.handleCallback(request, transaction))).toMatchObject({ code: 'CALLBACK_REJECTED' });
      expect(tokenCalls()).toBe(0);
    });
  });

  it('that says no shows an error code and a short text, and none of our secrets', async () => {
    const auth = authFor();
    server.lie({ callbackError: { error: 'access_denied', error_description: `<script>alert(1)</script>${'x'.repeat(500)}` } });
    const error = await caught(signedIn(auth));
    expect(error).toMatchObject({ code: 'AUTHORIZATION_REFUSED', error: 'access_denied' });
    expect(error.errorDescription).toHaveLength(200);
    expect(error.message).not.toContain('script');
    const { url, transaction } = await auth.createAuthorizationUrl();
    server.lie({});
    const parameters = new URL((await signIn(url)).callbackUrl).searchParams;
    parameters.delete('code');
    parameters.set('error', transaction.codeVerifier);
    parameters.set('error_description', `${transaction.codeVerifier} ${encodeURIComponent(transaction.state)} ${transaction.nonce}`);
    const echoed = await caught(auth.handleCallback(parameters, transaction));
    expect(echoed).toMatchObject({ code: 'AUTHORIZATION_REFUSED', error: undefined });
    expect(findSecret(echoed, [transaction.codeVerifier, transaction.state, transaction.nonce ?? ''])).toEqual([]);
  });
});

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

describe('a server', () => {
  it.each<[string, unknown]>([
    ['only plain', ['plain']],
    ['nothing', []],
    ['something else', 'S256 and more'],
  ])('that names %s of PKCE is not used', async (_, methods) => {
    server.lie({ metadata: { code_challenge_methods_supported: methods } });
    expect(await caught(authFor().createAuthorizationUrl())).toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('S256'),
    });
  });

  it('that says nothing about PKCE gets S256 all the same', async () => {
    server.lie({ metadata: { code_challenge_methods_supported: undefined } });
    expect((await authFor().createAuthorizationUrl()).url).toContain('code_challenge_method=S256');
  });

  it.each(['javascript:alert(1)', 'http://login.example.com/authorize', 'data:text/html,x', '//login.example.com', undefined])(
    'whose authorization endpoint is %s is not used',
    async (endpoint) => {
      server.lie({ metadata: { authorization_endpoint: endpoint } });
      expect(await caught(authFor().createAuthorizationUrl())).toMatchObject({ name: 'ConfigurationError' });
    },
  );

  it('of another name is not used, neither for a sign-in nor for a callback', async () => {
    const { callbackUrl, transaction } = await callbackOf(authFor());
    server.lie({ metadata: { issuer: 'https://other.example' } });
    const auth = authFor();
    for (const work of [() => auth.createAuthorizationUrl(), () => auth.handleCallback(callbackUrl, transaction)])
      expect(await caught(work())).toMatchObject({ name: 'ConfigurationError', option: 'issuer' });
    expect(tokenCalls()).toBe(0);
  });

  it('that sends requests elsewhere is not followed', async () => {
    const auth = authFor();
    server.lie({ redirects: ['token', 'revocation'] });
    expect(await caught(signedIn(auth))).toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR' });
    server.lie({});
    await signedIn(auth);
    server.lie({ redirects: ['token', 'revocation'] });
    await expect(auth.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR' });
    expect(await auth.signOut()).toMatchObject({ isRevoked: false });
    expect(server.requests.filter(({ route }) => route === 'elsewhere')).toEqual([]);
  });

  it('gets a code once, whatever becomes of it', async () => {
    const faults = [{ status: 503 }, { reset: 'on-arrival' }, { reset: 'before-headers' }, { reset: 'mid-body' }] as const;
    for (const fault of faults) {
      const auth = authFor();
      const { callbackUrl, transaction } = await callbackOf(auth);
      server.clearRequests();
      server.inject({ at: 'token', ...fault });
      expect(await caught(auth.handleCallback(callbackUrl, transaction))).toMatchObject({ strategy: 'authorizationCode' });
      expect(await caught(auth.handleCallback(callbackUrl, transaction))).toMatchObject({ code: 'CALLBACK_REJECTED' });
      expect(tokenCalls()).toBe(1);
    }
  });

  it.each(['on-arrival', 'mid-body'] as const)('that falls silent (%s) is waited for 10 s', async (stall) => {
    const auth = authFor();
    const { callbackUrl, transaction } = await callbackOf(auth);
    server.inject({ at: 'token', stall });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = caught(auth.handleCallback(callbackUrl, transaction));
    await vi.waitUntil(() => tokenCalls() === 1);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await waiting).toMatchObject({ code: 'TOKEN_REQUEST_TIMEOUT', message: expect.stringContaining('sign in again') });
  });

  it('that falls silent when asked for metadata is waited for 10 s, and asked again for the next', async () => {
    const auth = authFor();
    server.inject({ at: 'discovery', stall: 'on-arrival' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = caught(auth.createAuthorizationUrl());
    await vi.waitUntil(() => server.requests.some(({ route }) => route === 'discovery'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await waiting).toMatchObject({ code: 'TOKEN_REQUEST_TIMEOUT' });
    expect((await auth.createAuthorizationUrl()).url).toContain(server.authorizationEndpoint);
  });

  it('that says a refresh token was used before ends the session', async () => {
    const auth = authFor();
    await signedIn(auth);
    server.lie({ reportsReuse: true });
    for (const _ of [1, 2, 3]) await expect(auth.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect(server.refreshes).toBe(1);
  });
});

describe('an abort', () => {
  it('ends the wait with its reason, before and during an exchange, and before it the callback stays good', async () => {
    const auth = authFor();
    const { callbackUrl, transaction } = await callbackOf(auth);
    const reason = new Error('gone');
    expect(await caught(auth.handleCallback(callbackUrl, transaction, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await caught(auth.createAuthorizationUrl({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(tokenCalls()).toBe(0);
    const controller = new AbortController();
    server.inject({ at: 'token', stall: 'on-arrival' });
    const waiting = caught(auth.handleCallback(callbackUrl, transaction, { signal: controller.signal }));
    await vi.waitUntil(() => tokenCalls() === 1);
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await caught(auth.handleCallback(callbackUrl, transaction))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });
});

describe('a sign-out', () => {
  it('during a refresh: its result is thrown away, here and in the store', async () => {
    const store = memoryStore();
    const auth = authFor({ store, storeKey: 'key' });
    await signedIn(auth);
    const hold = server.holdRefresh();
    const waiting = caught(auth.getToken({ forceRefresh: true }));
    await hold.arrived;
    const result = await auth.signOut();
    hold.release();
    expect(result).toMatchObject({ isRevoked: true });
    expect(await waiting).toMatchObject({ code: 'INTERACTION_REQUIRED' });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([store.get('key'), server.refreshes]).toEqual([undefined, 1]);
  });

  it('during a refresh of another process: nothing is written, and nobody is signed in there either', async () => {
    const store = memoryStore();
    const [here, there] = [authFor({ store, storeKey: 'key' }), authFor({ store, storeKey: 'key' })];
    await signedIn(here);
    await there.getToken();
    const hold = server.holdRefresh();
    const waiting = caught(there.getToken({ forceRefresh: true }));
    await hold.arrived;
    await here.signOut();
    hold.release();
    expect(await waiting).toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([store.get('key'), server.refreshes]).toEqual([undefined, 1]);
  });

  it('in another process ends the session here at the next refresh, also where the server cannot revoke', async () => {
    server.lie({ metadata: { revocation_endpoint: undefined } });
    const store = memoryStore();
    const [here, there] = [authFor({ store, storeKey: 'key' }), authFor({ store, storeKey: 'key' })];
    await signedIn(here);
    await there.getToken();
    expect(await here.signOut()).toEqual({ isRevoked: false });
    await expect(there.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([store.get('key'), server.refreshes]).toEqual([undefined, 0]);
  });

  it('says that the server could not revoke, and forgets: down, or silent for 5 s', async () => {
    const auth = authFor();
    await signedIn(auth);
    server.lie({ revocation: 'down' });
    expect(await auth.signOut()).toEqual({ isRevoked: false });
    await signedIn(auth);
    server.lie({ revocation: 'stalls' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = auth.signOut();
    await vi.waitUntil(() => server.requests.filter(({ route }) => route === 'revocation').length === 2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await waiting).toEqual({ isRevoked: false });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('takes 5 s at the most where the server says nothing at all, not even who it is', async () => {
    const auth = authFor({ scope: 'read', initialTokens: { accessToken: 'at', refreshToken: 'rt' } });
    for (const _ of [1, 2, 3, 4]) server.inject({ at: 'discovery', stall: 'on-arrival' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = auth.signOut();
    await vi.waitUntil(() => server.requests.some(({ route }) => route === 'discovery'));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.race([waiting, Promise.resolve('waiting')])).toEqual({ isRevoked: false });
  });

  it('gives the URL to sign out of the server too where only revoking stalls', async () => {
    server.lie({ metadata: { end_session_endpoint: `${server.issuer}/logout?a=%7E` }, revocation: 'stalls' });
    const auth = authFor();
    await signedIn(auth);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = auth.signOut();
    await vi.waitUntil(() => server.requests.some(({ route }) => route === 'revocation'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await waiting).toEqual({ isRevoked: false, logoutUrl: expect.stringContaining(`${server.issuer}/logout?`) });
  });

  it('revokes where the store fails, and tells that afterwards', async () => {
    const store = memoryStore();
    let isDown = false;
    const fail = <T>(work: () => T): T => {
      if (isDown) throw new Error('down');
      return work();
    };
    const auth = authFor({
      store: { ...store, get: (key: string) => fail(() => store.get(key)), delete: (key: string) => fail(() => store.delete(key)) },
    });
    await signedIn(auth);
    isDown = true;
    expect(await caught(auth.signOut())).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'delete' });
    expect(server.requests.filter(({ route }) => route === 'revocation')).toHaveLength(1);
  });
});

describe('secrets', () => {
  it('show in no error and no event, however the server repeats them', async () => {
    const events: AuthEvent[] = [];
    const auth = authFor();
    const found: unknown[] = [];
    const description = '{refresh_token} {code} {code_verifier} {client_secret} {access_token} {token}';
    const { callbackUrl, transaction, parameters } = await callbackOf(auth);
    server.lie({ tokenError: { error: '{code}', error_description: description } });
    found.push(await caught(auth.handleCallback(callbackUrl, transaction)));
    server.lie({});
    const first = await signedIn(auth);
    for (const error of ['{refresh_token}', 'server_error', 'invalid_grant']) {
      server.lie({ tokenError: { error, error_description: description } });
      found.push(await caught(auth.getToken({ forceRefresh: true, emit: (event) => events.push(event) })));
    }
    server.inject({
      at: 'revocation',
      status: 400,
      body: {
        error: 'invalid_request',
        error_description: `${first.refreshToken} ${btoa(`${server.clientId}:${encodeURIComponent(clientSecret)}`)}`,
      },
    });
    found.push(await auth.signOut());
    const basic = server.requests.findLast(({ route }) => route === 'token')?.headers['authorization']?.slice(6) ?? '';
    const secrets = [
      clientSecret,
      transaction.codeVerifier,
      parameters.get('code') ?? '',
      first.accessToken,
      first.refreshToken ?? '',
      basic,
    ];
    expect(secrets.every((secret) => secret.length > 20)).toBe(true);
    expect(findSecret([found, events, auth, auth.session('alice')], secrets)).toEqual([]);
  });

  it('show in no error of a pushed request', async () => {
    const pushed = server.revocationEndpoint;
    const auth = authFor({ pushedAuthorizationRequestEndpoint: pushed });
    server.inject({
      at: 'revocation',
      transform: (_, { headers, text }) => ({
        status: 400,
        body: { error: 'invalid_request', error_description: `${headers['authorization']} ${text}`.slice(0, 190) },
      }),
    });
    const error = await caught(auth.createAuthorizationUrl());
    expect(error).toMatchObject({
      code: 'TOKEN_ENDPOINT_ERROR',
      error: 'invalid_request',
      errorDescription: expect.stringContaining('redacted'),
    });
    const basic = server.requests.at(-1)?.headers['authorization']?.slice(6) ?? '';
    expect(findSecret(error, [clientSecret, basic])).toEqual([]);
  });
});
