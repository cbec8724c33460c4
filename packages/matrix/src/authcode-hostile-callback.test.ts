// authorizationCode against callbacks that are not what they seem. RFC 9700 §4, RFC 9207.
import { type AuthorizationTransaction, authorizationCode } from '@authseam/auth-authcode';
import { findSecret, hostileAuthorizationServer, type Lies, signIn } from '@authseam/testing';
import { describe, expect, it, vi } from 'vitest';
import { adapters } from './adapters.ts';
import { authFor, callbackOf, caught, redirectUri, server, signedIn, startServer, tokenCalls } from './fixtures/hostile-sign-in.ts';

startServer();

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
      await expect.poll(() => cancelled).toHaveBeenCalledTimes(1);
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
      await expect.poll(() => cancelled).toHaveBeenCalledTimes(1);
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
