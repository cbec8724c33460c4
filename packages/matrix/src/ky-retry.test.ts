// ky's retry and timeouts around ours.
import { withAuth } from '@authseam/adapter-ky';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthStrategy, isAuthError } from '@authseam/core';
import { extraHorizonServer } from '@authseam/testing';
import ky, { isTimeoutError } from 'ky';
import { describe, expect, it, vi } from 'vitest';
import { acceptOnly, eager, errorOf, header, rotating, server, startServers, url, witness } from './fixtures/ky-subject.ts';

startServers();

describe("ky's retry", () => {
  it('signs every attempt anew: no nonce is used twice', async () => {
    await using horizon = await extraHorizonServer();
    const { consumerKey, consumerSecret, token, tokenSecret, origin } = horizon;
    horizon.inject({ at: 'api', transform: () => ({ status: 503 }), times: 2 });
    const api = withAuth(eager, oauth1({ consumerKey, consumerSecret, token, tokenSecret }));
    expect((await api(`${origin}/users/v1/me`)).status).toBe(200);
    const nonces = horizon.verdicts.map(({ refusal, parameters }) => refusal ?? parameters['oauth_nonce']);
    expect(nonces).toHaveLength(3);
    expect(new Set(nonces).size).toBe(3);
    expect(nonces.every((nonce) => typeof nonce === 'string')).toBe(true);
  });

  it('repeats what broke on the way, with a credential of its own for each attempt', async () => {
    const { strategy } = witness();
    server.inject({ reset: 'on-arrival', times: 2 });
    expect((await withAuth(eager, strategy)(url())).status).toBe(200);
    expect(header('x-seen').at(-1)).toBe('3');
  });

  it('that is forced with `ky.retry()` is authorized as well, also with another Request', async () => {
    const { strategy, seen } = witness();
    const again = vi
      .fn()
      .mockReturnValueOnce(ky.retry())
      .mockReturnValueOnce(ky.retry({ request: new Request(url('/else')) }));
    const api = withAuth(eager, strategy).extend({ hooks: { afterResponse: [again] } });
    expect((await api(url())).status).toBe(200);
    expect(header('x-seen')).toEqual(['1', '2', '3']);
    expect(seen.map((request) => request.url)).toEqual([url(), url(), url('/else')]);
  });

  it('of 401 comes after ours, and does not fetch a token per attempt', async () => {
    const { strategy, count } = rotating();
    acceptOnly('never');
    const api = withAuth(eager, strategy).extend({ retry: { statusCodes: [401] } });
    expect(await errorOf(api(url()))).toMatchObject({ name: 'HTTPError', response: { status: 401 } });
    expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t2']);
    expect(count()).toBe(2);
  });

  it.each([
    ['a ConfigurationError', (): AuthStrategy => apiKey({ key: () => '' }), {}],
    ['an error of the strategy', () => bearerToken({ token: () => Promise.reject(new TypeError('fetch failed')) }), {}],
    ['a timeout of ours', () => bearerToken({ token: () => new Promise<string>(() => {}) }), { timeoutMs: 10 }],
    [
      'a token endpoint that is down',
      () =>
        clientCredentials({
          tokenEndpoint: 'https://login.example.com/token',
          clientId: 'matrix',
          clientSecret: 'not-under-test',
          random: () => 0,
          fetch: () => Promise.reject(new TypeError('fetch failed')),
        }),
      {},
    ],
  ])('does not repeat %s, which reaches hooks and caller as it is', async (_, create, options) => {
    const strategy = create();
    const authorize = vi.fn(strategy.authorize);
    const beforeRetry = vi.fn();
    const beforeError = vi.fn(({ error }) => error);
    const api = withAuth(eager, { ...strategy, authorize }, options).extend({
      hooks: { beforeRetry: [beforeRetry], beforeError: [beforeError] },
    });
    const error = await errorOf(api(url()));
    expect(isAuthError(error)).toBe(true);
    expect(beforeError.mock.calls[0]?.[0].error).toBe(error);
    expect(authorize).toHaveBeenCalledTimes(1);
    expect(beforeRetry).not.toHaveBeenCalled();
    expect(server.requests).toEqual([]);
  });
});

describe('waiting for a token', () => {
  /** A token that comes when it is told to. */
  function late(): { strategy: AuthStrategy; asked: () => boolean; arrive: () => void } {
    const { promise, resolve } = Promise.withResolvers<string>();
    let isAsked = false;
    const token = (): Promise<string> => {
      isAsked = true;
      return promise;
    };
    return { strategy: bearerToken({ token }), asked: () => isAsked, arrive: () => resolve('late') };
  }

  it.each([
    ['timeout', { timeout: 100 }],
    ['totalTimeout', { timeout: false, totalTimeout: 100 }],
  ] as const)("is covered by ky's `%s`, and nothing is sent when the token comes after all", async (_, options) => {
    const { strategy, asked, arrive } = late();
    const error = await errorOf(withAuth(eager, strategy)(url(), options));
    expect(isTimeoutError(error)).toBe(true);
    expect(asked()).toBe(true);
    arrive();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests).toEqual([]);
  });

  it("ends with the caller's own reason on an abort, and nothing is sent later", async () => {
    const { strategy, asked, arrive } = late();
    const controller = new AbortController();
    const reason = new Error('user left');
    const call = errorOf(withAuth(eager, strategy)(url(), { signal: controller.signal }));
    await expect.poll(asked).toBe(true);
    controller.abort(reason);
    expect(await call).toBe(reason);
    arrive();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests).toEqual([]);
  });
});
