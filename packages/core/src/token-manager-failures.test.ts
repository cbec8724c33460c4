import { describe, expect, it, vi } from 'vitest';
import type { AuthError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import { elapse, manager, networkError, refusal, T0, tokenEndpoint, trouble, useFakeClock } from './fixtures/token-endpoint.ts';
import { createTokenManager } from './token-manager.ts';

useFakeClock();

describe('a failed refresh', () => {
  it.each([429, 500, 502, 503, 504])('with status %i is tried three times in all', async (status) => {
    const { fetchToken, requests } = tokenEndpoint(trouble(status));
    const result = await elapse(Promise.resolve(manager(fetchToken).getToken()));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_ENDPOINT_ERROR', status } });
    expect(requests).toHaveLength(3);
  });

  it('with a refresh token at hand is tried twice', async () => {
    const { fetchToken, requests } = tokenEndpoint({ refreshToken: 'r1', expiresAtMs: T0 }, trouble(503));
    const tokens = manager(fetchToken);
    await tokens.getToken();
    await elapse(Promise.resolve(tokens.getToken()));
    expect(requests).toHaveLength(3);
  });

  it('on the network is retried, with full jitter, and typed', async () => {
    const events: AuthEvent[] = [];
    const { fetchToken, requests } = tokenEndpoint(networkError());
    const result = await elapse(Promise.resolve(manager(fetchToken).getToken({ emit: (event) => events.push(event) })));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_REQUEST_FAILED', strategy: 'test' } });
    expect(requests).toHaveLength(3);
    expect(events).toMatchObject([
      { type: 'token-request-retry', attempt: 1, delayMs: 250 },
      { type: 'token-request-retry', attempt: 2, delayMs: 500 },
      { type: 'token-request-failed', code: 'TOKEN_REQUEST_FAILED', background: false },
      { type: 'token-awaited', generation: 0, waitedMs: 750 },
    ]);
  });

  it('for a certificate is never retried', async () => {
    const cause = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const { fetchToken, requests } = tokenEndpoint(new TypeError('fetch failed', { cause }));
    const result = await elapse(Promise.resolve(manager(fetchToken).getToken()));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_REQUEST_FAILED' } });
    expect(requests).toHaveLength(1);
  });

  it('passes once the trouble does', async () => {
    const { fetchToken } = tokenEndpoint(trouble(503), networkError(), {});
    expect(await elapse(Promise.resolve(manager(fetchToken).getToken()))).toMatchObject({
      status: 'fulfilled',
      value: { accessToken: 'token-3' },
    });
  });

  it('is not remembered when it was trouble', async () => {
    const { fetchToken } = tokenEndpoint(trouble(500), trouble(500), trouble(500), {});
    const tokens = manager(fetchToken);
    expect(await elapse(Promise.resolve(tokens.getToken()))).toMatchObject({ status: 'rejected' });
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-4' });
  });

  it.each(['invalid_grant', 'invalid_client', 'unauthorized_client'])('with %s is not retried, and remembered for 30 s', async (error) => {
    const { fetchToken, requests } = tokenEndpoint(refusal(error), {});
    const tokens = manager(fetchToken);
    await expect(tokens.getToken()).rejects.toMatchObject({ error });
    vi.setSystemTime(T0 + 29_999);
    await expect(tokens.getToken()).rejects.toMatchObject({ error });
    expect(requests).toHaveLength(1);
    vi.setSystemTime(T0 + 30_000);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('obeys a Retry-After that fits into 30 s', async () => {
    const { fetchToken, requests } = tokenEndpoint(trouble(503, 20_000), {});
    const token = Promise.resolve(manager(fetchToken).getToken());
    await vi.advanceTimersByTimeAsync(19_999);
    expect(requests).toHaveLength(1);
    expect(await elapse(token, 1)).toMatchObject({ status: 'fulfilled' });
  });

  it('fails at once for a longer Retry-After up to 60 s, and asks nobody before then', async () => {
    const { fetchToken, requests } = tokenEndpoint(trouble(429, 45_000), {});
    const tokens = manager(fetchToken);
    await expect(tokens.getToken()).rejects.toMatchObject({ status: 429, retryAfterMs: 45_000 });
    vi.setSystemTime(T0 + 44_999);
    await expect(tokens.getToken()).rejects.toMatchObject({ status: 429 });
    expect(requests).toHaveLength(1);
    vi.setSystemTime(T0 + 45_000);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('takes a Retry-After of more than 60 s for a slip and backs off as usual', async () => {
    const { fetchToken } = tokenEndpoint(trouble(503, 3_600_000), {});
    expect(await elapse(Promise.resolve(manager(fetchToken).getToken()), 250)).toMatchObject({ status: 'fulfilled' });
  });

  it('ends after 10 s per attempt and 30 s in all, even if fetch ignores its signal', async () => {
    const { fetchToken, requests } = tokenEndpoint(() => new Promise(() => {}));
    const waiting = Promise.resolve(manager(fetchToken).getToken());
    const started = Date.now();
    const result = await elapse(waiting, 30_000);
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_REQUEST_TIMEOUT' } });
    expect(Date.now() - started).toBeLessThanOrEqual(30_000);
    expect(requests.length).toBeLessThanOrEqual(3);
    expect(requests.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('costs nobody a token that still works, early or in its last seconds', async () => {
    const { fetchToken } = tokenEndpoint({}, trouble(400));
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 + 3_600_000 - 60_000);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(T0 + 3_600_000 - 5_000);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    vi.setSystemTime(T0 + 3_600_000);
    await expect(tokens.getToken()).rejects.toMatchObject({ status: 400 });
  });

  it('in the background waits 30 s before the next try, and is no unhandled rejection', async () => {
    const { fetchToken, requests } = tokenEndpoint({}, trouble(400));
    const tokens = manager(fetchToken);
    await tokens.getToken();
    for (const [sinceMs, expected] of [
      [0, 2],
      [29_999, 2],
      [30_000, 3],
    ] as const) {
      vi.setSystemTime(T0 + 3_600_000 - 200_000 + sinceMs);
      tokens.getToken();
      await vi.advanceTimersByTimeAsync(0);
      expect(requests).toHaveLength(expected);
    }
  });

  it('in the last seconds is not tried again on every call', async () => {
    const { fetchToken, requests } = tokenEndpoint({}, trouble(400));
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 + 3_600_000 - 5_000);
    for (let call = 0; call < 20; call++) expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    expect(requests).toHaveLength(2);
  });

  it.each([
    ['a timeout of its own', () => Object.assign(new Error('timed out'), { name: 'TimeoutError' }), 'TOKEN_REQUEST_TIMEOUT'],
    ["another client's network error", () => Object.assign(new Error('connect'), { code: 'ECONNRESET' }), 'TOKEN_REQUEST_FAILED'],
  ])('that is %s is trouble like any other', async (_, make, code) => {
    const { fetchToken, requests } = tokenEndpoint(make());
    expect(await elapse(Promise.resolve(manager(fetchToken).getToken()))).toMatchObject({ status: 'rejected', reason: { code } });
    expect(requests).toHaveLength(3);
  });

  it('of a function of the user is typed and carries no more than its words', async () => {
    const foreign = Object.assign(new Error('vault is sealed'), { request: { headers: { authorization: 'secret' } } });
    const { fetchToken } = tokenEndpoint(foreign);
    const error = await Promise.resolve(manager(fetchToken).getToken()).catch((thrown: unknown) => thrown as AuthError);
    expect(error).toMatchObject({ code: 'STRATEGY_FAILED', cause: { message: 'vault is sealed' } });
    expect((error as AuthError).cause).not.toHaveProperty('request');
  });

  it('promises no cause where something was thrown that is no error', async () => {
    const tokens = createTokenManager({ key: 'k', fetchToken: () => Promise.reject('sealed') });
    await expect(tokens.getToken()).rejects.toMatchObject({ message: 'tokenManager: fetching a token failed.' });
  });

  it('never quotes what JSON.parse quotes', async () => {
    const { fetchToken } = tokenEndpoint(async () => JSON.parse('{"access_token":"tk-9f8e7d6c'));
    const error = await Promise.resolve(manager(fetchToken).getToken()).catch((thrown: unknown) => thrown as AuthError);
    expect(String(error) + String((error as AuthError).cause)).not.toMatch(/tk-9f8e|access_token/);
  });

  it.each([undefined, null, {}, { accessToken: '' }, { accessToken: 7 }, { accessToken: 'a', expiresAtMs: Number.NaN }])(
    'for an answer that is no token set (%j) says so',
    async (answer) => {
      await expect(manager(async () => answer as never).getToken()).rejects.toMatchObject({
        code: 'CONFIGURATION_ERROR',
        option: 'fetchToken',
      });
    },
  );
});

it('a refusal that comes with 5xx, or as a 401 without a code, is a refusal', async () => {
  for (const error of [refusal('invalid_client', 503), trouble(401)]) {
    const { fetchToken, requests } = tokenEndpoint(error);
    const tokens = manager(fetchToken);
    for (let call = 0; call < 3; call++) await expect(tokens.getToken()).rejects.toBe(error);
    expect(requests).toHaveLength(1);
  }
});
