// authorizationCode against a server that lies (RFC 9700 §4), stalls, or repeats secrets in its errors.
import type { AuthEvent } from '@authseam/core';
import { findSecret } from '@authseam/testing';
import { describe, expect, it, vi } from 'vitest';
import { authFor, callbackOf, caught, clientSecret, server, signedIn, startServer, tokenCalls } from './fixtures/hostile-sign-in.ts';

startServer();

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
