import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AuthError, TokenEndpointError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';
import type { FetchTokenRequest, TokenManagerOptions } from './token-manager-options.ts';
import type { TokenSet } from './token-set.ts';

const T0 = Date.UTC(2026, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A token endpoint as data: what each request gets, in order; the last one for good. Without plans, a fresh token of an hour. */
function endpoint(...plans: (Partial<TokenSet> | Error | ((request: FetchTokenRequest) => Promise<TokenSet>))[]) {
  const requests: FetchTokenRequest[] = [];
  async function fetchToken(request: FetchTokenRequest): Promise<TokenSet> {
    requests.push(request);
    const plan = plans[Math.min(requests.length, plans.length) - 1];
    if (plan instanceof Error) throw plan;
    if (typeof plan === 'function') return plan(request);
    return { accessToken: `token-${requests.length}`, tokenType: 'Bearer', expiresAtMs: Date.now() + 3_600_000, ...plan };
  }
  return { requests, fetchToken };
}

function manager(fetchToken: TokenManagerOptions['fetchToken'], options: Partial<TokenManagerOptions> = {}) {
  return createTokenManager({ key: 'test', name: 'test', fetchToken, random: () => 0.5, ...options });
}

const refusal = (error: string, status = 400) => new TokenEndpointError(`test: ${error}`, { status, error });
const trouble = (status: number, retryAfterMs?: number) => new TokenEndpointError(`test: ${status}`, { status, retryAfterMs });
const networkError = () => new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) });
/** Lets fake time pass in steps while `work` goes on. */
async function elapse<T>(work: Promise<T>, ms = 60_000): Promise<PromiseSettledResult<T>> {
  const settled = Promise.allSettled([work]);
  await vi.advanceTimersByTimeAsync(ms);
  const [result] = await settled;
  return result;
}

describe('a token at hand', () => {
  it('is answered synchronously while it is valid', async () => {
    const { fetchToken, requests } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    expect(requests).toHaveLength(1);
  });

  it('is fetched once for 10 000 callers on a cold start', async () => {
    const { fetchToken, requests } = endpoint(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { accessToken: 'one', tokenType: 'Bearer' };
    });
    const tokens = manager(fetchToken);
    const all = Promise.all(Array.from({ length: 10_000 }, () => tokens.getToken()));
    await vi.advanceTimersByTimeAsync(50);
    expect(new Set((await all).map((token) => token.accessToken))).toEqual(new Set(['one']));
    expect(requests).toHaveLength(1);
  });

  it('is refreshed once in the background in the last 5 minutes of an hour, and serves meanwhile', async () => {
    const { fetchToken, requests } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 + 3_600_000 - 300_000 - 1);
    tokens.getToken();
    expect(requests).toHaveLength(1);
    vi.setSystemTime(T0 + 3_600_000 - 300_000);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    await vi.advanceTimersByTimeAsync(0);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
    expect(requests).toHaveLength(2);
  });

  it('makes callers wait only in its last 10 seconds', async () => {
    const { fetchToken } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 + 3_600_000 - 10_000);
    const token = tokens.getToken();
    expect(token).toBeInstanceOf(Promise);
    expect(await token).toMatchObject({ accessToken: 'token-2' });
  });

  it('of 5 seconds is refreshed once per expiry, not on every call', async () => {
    const { fetchToken, requests } = endpoint(async () => ({
      accessToken: String(requests.length),
      tokenType: 'Bearer',
      expiresAtMs: Date.now() + 5_000,
    }));
    const tokens = manager(fetchToken);
    for (let call = 0; call < 200; call++) {
      await tokens.getToken();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(requests.length).toBeGreaterThanOrEqual(4);
    expect(requests.length).toBeLessThanOrEqual(6);
  });

  it('with expires_in 0 is used once', async () => {
    const { fetchToken, requests } = endpoint(async () => ({
      accessToken: String(requests.length),
      tokenType: 'Bearer',
      expiresAtMs: Date.now(),
    }));
    const tokens = manager(fetchToken);
    expect((await tokens.getToken()).accessToken).toBe('1');
    expect((await tokens.getToken()).accessToken).toBe('2');
  });

  it('without an expiry is kept, and one of 10^300 years breaks no timer', async () => {
    for (const expiresAtMs of [undefined, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
      const { fetchToken, requests } = endpoint(async () => ({
        accessToken: 'long',
        tokenType: 'Bearer',
        ...(expiresAtMs && { expiresAtMs }),
      }));
      const tokens = manager(fetchToken);
      await tokens.getToken();
      vi.setSystemTime(Date.now() + 365 * 24 * 3_600_000);
      await tokens.getToken();
      expect(requests).toHaveLength(1);
    }
  });

  it('survives a clock that goes back five minutes, and is renewed in the background', async () => {
    const { fetchToken, requests } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 - 300_000);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    await vi.advanceTimersByTimeAsync(0);
    expect(requests).toHaveLength(2);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('that expired while the machine slept is replaced before it is used', async () => {
    const { fetchToken } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 + 8 * 3_600_000);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('is replaced on forceRefresh', async () => {
    const { fetchToken } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    expect(await tokens.getToken({ forceRefresh: true })).toMatchObject({ accessToken: 'token-2' });
  });

  it('keeps the refresh token when the answer brings none, and replaces it when it does', async () => {
    const { fetchToken, requests } = endpoint({ refreshToken: 'r1' }, {}, { refreshToken: 'r2' });
    const tokens = manager(fetchToken);
    expect((await tokens.getToken()).refreshToken).toBe('r1');
    expect((await tokens.getToken({ forceRefresh: true })).refreshToken).toBe('r1');
    expect((await tokens.getToken({ forceRefresh: true })).refreshToken).toBe('r2');
    expect(requests.map(({ current }) => current?.refreshToken)).toEqual([undefined, 'r1', 'r1']);
  });
});

describe('a failed refresh', () => {
  it.each([429, 500, 502, 503, 504])('with status %i is tried three times in all', async (status) => {
    const { fetchToken, requests } = endpoint(trouble(status));
    const result = await elapse(Promise.resolve(manager(fetchToken).getToken()));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_ENDPOINT_ERROR', status } });
    expect(requests).toHaveLength(3);
  });

  it('with a refresh token at hand is tried twice', async () => {
    const { fetchToken, requests } = endpoint({ refreshToken: 'r1', expiresAtMs: T0 }, trouble(503));
    const tokens = manager(fetchToken);
    await tokens.getToken();
    await elapse(Promise.resolve(tokens.getToken()));
    expect(requests).toHaveLength(3);
  });

  it('on the network is retried, with full jitter, and typed', async () => {
    const events: AuthEvent[] = [];
    const { fetchToken, requests } = endpoint(networkError());
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
    const { fetchToken, requests } = endpoint(new TypeError('fetch failed', { cause }));
    const result = await elapse(Promise.resolve(manager(fetchToken).getToken()));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_REQUEST_FAILED' } });
    expect(requests).toHaveLength(1);
  });

  it('passes once the trouble does', async () => {
    const { fetchToken } = endpoint(trouble(503), networkError(), {});
    expect(await elapse(Promise.resolve(manager(fetchToken).getToken()))).toMatchObject({
      status: 'fulfilled',
      value: { accessToken: 'token-3' },
    });
  });

  it('is not remembered when it was trouble', async () => {
    const { fetchToken } = endpoint(trouble(500), trouble(500), trouble(500), {});
    const tokens = manager(fetchToken);
    expect(await elapse(Promise.resolve(tokens.getToken()))).toMatchObject({ status: 'rejected' });
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-4' });
  });

  it.each(['invalid_grant', 'invalid_client', 'unauthorized_client'])('with %s is not retried, and remembered for 30 s', async (error) => {
    const { fetchToken, requests } = endpoint(refusal(error), {});
    const tokens = manager(fetchToken);
    await expect(tokens.getToken()).rejects.toMatchObject({ error });
    vi.setSystemTime(T0 + 29_999);
    await expect(tokens.getToken()).rejects.toMatchObject({ error });
    expect(requests).toHaveLength(1);
    vi.setSystemTime(T0 + 30_000);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('obeys a Retry-After that fits into 30 s', async () => {
    const { fetchToken, requests } = endpoint(trouble(503, 20_000), {});
    const token = Promise.resolve(manager(fetchToken).getToken());
    await vi.advanceTimersByTimeAsync(19_999);
    expect(requests).toHaveLength(1);
    expect(await elapse(token, 1)).toMatchObject({ status: 'fulfilled' });
  });

  it('fails at once for a longer Retry-After up to 60 s, and asks nobody before then', async () => {
    const { fetchToken, requests } = endpoint(trouble(429, 45_000), {});
    const tokens = manager(fetchToken);
    await expect(tokens.getToken()).rejects.toMatchObject({ status: 429, retryAfterMs: 45_000 });
    vi.setSystemTime(T0 + 44_999);
    await expect(tokens.getToken()).rejects.toMatchObject({ status: 429 });
    expect(requests).toHaveLength(1);
    vi.setSystemTime(T0 + 45_000);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('takes a Retry-After of more than 60 s for a slip and backs off as usual', async () => {
    const { fetchToken } = endpoint(trouble(503, 3_600_000), {});
    expect(await elapse(Promise.resolve(manager(fetchToken).getToken()), 250)).toMatchObject({ status: 'fulfilled' });
  });

  it('ends after 10 s per attempt and 30 s in all, even if fetch ignores its signal', async () => {
    const { fetchToken, requests } = endpoint(() => new Promise(() => {}));
    const waiting = Promise.resolve(manager(fetchToken).getToken());
    const started = Date.now();
    const result = await elapse(waiting, 30_000);
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_REQUEST_TIMEOUT' } });
    expect(Date.now() - started).toBeLessThanOrEqual(30_000);
    expect(requests.length).toBeLessThanOrEqual(3);
    expect(requests.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('costs nobody a token that still works, early or in its last seconds', async () => {
    const { fetchToken } = endpoint({}, trouble(400));
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
    const { fetchToken, requests } = endpoint({}, trouble(400));
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
    const { fetchToken, requests } = endpoint({}, trouble(400));
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
    const { fetchToken, requests } = endpoint(make());
    expect(await elapse(Promise.resolve(manager(fetchToken).getToken()))).toMatchObject({ status: 'rejected', reason: { code } });
    expect(requests).toHaveLength(3);
  });

  it('of a function of the user is typed and carries no more than its words', async () => {
    const foreign = Object.assign(new Error('vault is sealed'), { request: { headers: { authorization: 'secret' } } });
    const { fetchToken } = endpoint(foreign);
    const error = await Promise.resolve(manager(fetchToken).getToken()).catch((thrown: unknown) => thrown as AuthError);
    expect(error).toMatchObject({ code: 'STRATEGY_FAILED', cause: { message: 'vault is sealed' } });
    expect((error as AuthError).cause).not.toHaveProperty('request');
  });

  it('never quotes what JSON.parse quotes', async () => {
    const { fetchToken } = endpoint(async () => JSON.parse('{"access_token":"tk-9f8e7d6c'));
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

describe('a rejected token', () => {
  it('is refreshed once for 200 rejections, simultaneous, staggered or late', async () => {
    const { fetchToken, requests } = endpoint(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { accessToken: `t${requests.length}`, tokenType: 'Bearer' };
    });
    const tokens = manager(fetchToken);
    const first = Promise.resolve(tokens.getToken());
    await vi.advanceTimersByTimeAsync(5);
    const receipt = await first;
    const all = Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, index / 2));
        return tokens.rejected(receipt);
      }),
    );
    await vi.advanceTimersByTimeAsync(200);
    expect(await all).toEqual(Array(200).fill(true));
    expect(requests).toHaveLength(2);
  });

  it('is not handed out again while its replacement is on the way', async () => {
    const { fetchToken } = endpoint();
    const tokens = manager(fetchToken);
    const receipt = await tokens.getToken();
    const recovery = tokens.rejected(receipt);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
    expect(await recovery).toBe(true);
  });

  it('that replaced another, that nobody accepted and that is under 30 s old is not refreshed again', async () => {
    const { fetchToken, requests } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.rejected(await tokens.getToken());
    const second = await tokens.getToken();
    vi.setSystemTime(T0 + 29_999);
    expect(await tokens.rejected(second)).toBe(false);
    expect(requests).toHaveLength(2);
    vi.setSystemTime(T0 + 30_000);
    expect(await tokens.rejected(second)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('that replaced another and was accepted since is refreshed like any', async () => {
    const { fetchToken, requests } = endpoint();
    const tokens = manager(fetchToken);
    await tokens.rejected(await tokens.getToken());
    const second = await tokens.getToken();
    tokens.accepted(second);
    expect(await tokens.rejected(second)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('whose refresh failed tells the whole wave, with one token request, and the next call asks again', async () => {
    const { fetchToken, requests } = endpoint({}, trouble(400), {});
    const tokens = manager(fetchToken);
    const receipt = await tokens.getToken();
    await expect(tokens.rejected(receipt)).rejects.toMatchObject({ status: 400 });
    await expect(tokens.rejected(receipt)).rejects.toMatchObject({ status: 400 });
    expect(requests).toHaveLength(2);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-3' });
    expect(await tokens.rejected(receipt)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('of a refused client causes no second wave inside 30 s', async () => {
    const { fetchToken, requests } = endpoint({}, refusal('invalid_client', 401));
    const tokens = manager(fetchToken);
    const receipt = await tokens.getToken();
    const wave = () => Promise.allSettled(Array.from({ length: 50 }, async () => tokens.rejected(receipt)));
    expect((await wave()).every(({ status }) => status === 'rejected')).toBe(true);
    vi.setSystemTime(T0 + 20_000);
    await wave();
    await expect(tokens.getToken()).rejects.toMatchObject({ error: 'invalid_client' });
    expect(requests).toHaveLength(2);
  });
});

describe('an abort', () => {
  it("ends its caller's wait only, first caller or last, and the refresh goes on", async () => {
    let finish = (): void => {};
    const { fetchToken, requests } = endpoint(async ({ signal }) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      expect(signal.aborted).toBe(false);
      return { accessToken: 'shared', tokenType: 'Bearer' };
    });
    const tokens = manager(fetchToken);
    const controller = new AbortController();
    const first = tokens.getToken({ signal: controller.signal });
    const second = tokens.getToken();
    controller.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    finish();
    expect(await second).toMatchObject({ accessToken: 'shared' });
    expect(requests).toHaveLength(1);
  });

  it('of every caller leaves the token for the next one', async () => {
    const { fetchToken, requests } = endpoint(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return { accessToken: 'kept', tokenType: 'Bearer' };
    });
    const tokens = manager(fetchToken);
    await expect(tokens.getToken({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(requests).toHaveLength(0);
    const controller = new AbortController();
    const left = tokens.getToken({ signal: controller.signal });
    controller.abort();
    await expect(left).rejects.toThrow(/abort/i);
    await vi.advanceTimersByTimeAsync(10);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'kept' });
    expect(requests).toHaveLength(1);
  });
});

describe('invalidate', () => {
  it('forgets the token, and what was on its way', async () => {
    const { fetchToken, requests } = endpoint(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return { accessToken: `t${requests.length}`, tokenType: 'Bearer' };
    });
    const tokens = manager(fetchToken);
    const waiting = Promise.resolve(tokens.getToken());
    await vi.advanceTimersByTimeAsync(5);
    await tokens.invalidate();
    await vi.advanceTimersByTimeAsync(20);
    expect((await waiting).accessToken).toBe('t2');
    expect(tokens.getToken()).toMatchObject({ accessToken: 't2' });
  });
});

it('an invalidation silences a refresh that fails after it', async () => {
  let fail = (_error: Error): void => {};
  const { fetchToken, requests } = endpoint(
    () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
    {},
  );
  const tokens = manager(fetchToken);
  const waiting = tokens.getToken();
  await vi.waitUntil(() => requests.length === 1);
  await tokens.invalidate();
  fail(refusal('invalid_client', 401));
  expect(await waiting).toMatchObject({ accessToken: 'token-2' });
});

it('a refusal that comes with 5xx, or as a 401 without a code, is a refusal', async () => {
  for (const error of [refusal('invalid_client', 503), trouble(401)]) {
    const { fetchToken, requests } = endpoint(error);
    const tokens = manager(fetchToken);
    for (let call = 0; call < 3; call++) await expect(tokens.getToken()).rejects.toBe(error);
    expect(requests).toHaveLength(1);
  }
});

it.each(['a\nb', 'b ', 'ü'])('a token that no header can hold (%j) is refused, and not kept', async (accessToken) => {
  const tokens = manager(endpoint({ accessToken }, {}).fetchToken);
  await expect(tokens.getToken()).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR' });
  expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
});

describe('a store', () => {
  it.each([
    {},
    { entry: null },
    { entry: { accessToken: '' } },
    { entry: { accessToken: 5 } },
    { entry: { accessToken: 'a', expiresAtMs: Number.NaN } },
  ])('that answers %j has nothing stored, and an event says so', async (answer) => {
    const events: AuthEvent[] = [];
    const store = { ...memoryStore(), get: () => ({ version: '1', ...answer }) as never };
    const tokens = manager(endpoint().fetchToken, { store });
    expect(await tokens.getToken({ emit: (event) => events.push(event) })).toMatchObject({ accessToken: 'token-1' });
    expect(events).toContainEqual({ type: 'token-store-failed', strategy: 'test', generation: 1, operation: 'get' });
  });

  it('has the token before anyone gets it, and shares it: two managers make one request', async () => {
    const store = memoryStore();
    const { fetchToken, requests } = endpoint();
    const [a, b] = [manager(fetchToken, { store }), manager(fetchToken, { store })];
    const [first, second] = await Promise.all([a.getToken(), b.getToken()]);
    expect(store.get('test')).toMatchObject({ entry: { accessToken: 'token-1' } });
    expect([first.accessToken, second.accessToken]).toEqual(['token-1', 'token-1']);
    expect(requests).toHaveLength(1);
  });

  it("gives a rejected token's replacement to whoever else was rejected", async () => {
    const store = memoryStore();
    const { fetchToken, requests } = endpoint();
    const [a, b] = [manager(fetchToken, { store }), manager(fetchToken, { store })];
    const [first, second] = await Promise.all([a.getToken(), b.getToken()]);
    await Promise.all([a.rejected(first), b.rejected(second)]);
    expect((await a.getToken()).accessToken).toBe('token-2');
    expect((await b.getToken()).accessToken).toBe('token-2');
    expect(requests).toHaveLength(2);
  });

  it('is not read for a token at hand', async () => {
    const store = memoryStore();
    const get = vi.spyOn({ ...store }, 'get');
    const tokens = manager(endpoint().fetchToken, { store: { ...store, get } });
    await tokens.getToken();
    const reads = get.mock.calls.length;
    await tokens.getToken();
    expect(get).toHaveBeenCalledTimes(reads);
  });

  it('that is down does not stop a grant without state, and says so', async () => {
    const events: AuthEvent[] = [];
    const down = () => Promise.reject(new Error('ECONNREFUSED'));
    const tokens = manager(endpoint().fetchToken, { store: { get: down, set: down, delete: down, lock: down } });
    expect(await tokens.getToken({ emit: (event) => events.push(event) })).toMatchObject({ accessToken: 'token-1' });
    expect(events.filter(({ type }) => type === 'token-store-failed')).toMatchObject([
      { operation: 'get' },
      { operation: 'lock' },
      { operation: 'set' },
    ]);
  });

  it('that is down stops a refresh token from being used blindly', async () => {
    const store = memoryStore();
    let isDown = false;
    const fail = <T>(work: () => T) => (isDown ? Promise.reject(new Error('down')) : work());
    const { fetchToken, requests } = endpoint({ refreshToken: 'r1', expiresAtMs: T0 + 100 });
    const tokens = manager(fetchToken, {
      store: {
        get: (key) => fail(() => store.get(key)),
        set: (...args) => fail(() => store.set(...args)),
        delete: store.delete,
        lock: store.lock,
      },
    });
    await tokens.getToken();
    isDown = true;
    vi.setSystemTime(T0 + 200);
    await expect(tokens.getToken()).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'get' });
    expect(requests).toHaveLength(1);
  });

  it('whose write failed does not bring an older refresh token back', async () => {
    const store = memoryStore();
    let mayWrite = true;
    const { fetchToken, requests } = endpoint(async () => ({
      accessToken: `t${requests.length}`,
      tokenType: 'Bearer',
      refreshToken: `r${requests.length}`,
      expiresAtMs: Date.now() + 1_000,
    }));
    const set: typeof store.set = (...args) => (mayWrite ? store.set(...args) : (false as never));
    const tokens = manager(fetchToken, { store: { ...store, set } });
    await tokens.getToken();
    mayWrite = false;
    vi.setSystemTime(T0 + 2_000);
    await tokens.getToken();
    vi.setSystemTime(T0 + 4_000);
    await tokens.getToken();
    expect(requests.map(({ current }) => current?.refreshToken)).toEqual([undefined, 'r1', 'r2']);
  });

  it('is not written to after an invalidation, whatever was under way', async () => {
    const store = memoryStore();
    let answer = (): void => {};
    const { fetchToken, requests } = endpoint({ refreshToken: 'r1', expiresAtMs: T0 + 1_000 }, async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { accessToken: 'late', tokenType: 'Bearer', refreshToken: 'r2' };
    });
    const tokens = manager(fetchToken, { store });
    await tokens.getToken();
    vi.setSystemTime(T0 + 2_000);
    const waiting = Promise.allSettled([tokens.getToken()]);
    await vi.waitUntil(() => requests.length === 2);
    await tokens.invalidate();
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.get('test')).toBeUndefined();
    expect(requests[2]?.current).toBeUndefined();
    answer();
    await waiting;
  });

  it('whose lock comes after the wait for it ended gets it back', async () => {
    const release = vi.fn(async () => {});
    const lock = () => new Promise<{ release(): Promise<void> }>((resolve) => setTimeout(() => resolve({ release }), 60_000));
    const tokens = manager(endpoint().fetchToken, { store: { ...memoryStore(), lock } });
    expect(await elapse(Promise.resolve(tokens.getToken()), 20_000)).toMatchObject({ status: 'fulfilled' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(release).toHaveBeenCalledOnce();
  });

  it('that never answers is waited for 2 s', async () => {
    const silent = () => new Promise<never>(() => {});
    const tokens = manager(endpoint().fetchToken, { store: { get: silent, set: silent, delete: silent } });
    expect(await elapse(Promise.resolve(tokens.getToken()), 4_000)).toMatchObject({ status: 'fulfilled' });
  });
});

it('refuses a missing key or fetchToken at construction', () => {
  expect(() => createTokenManager({ key: '', fetchToken: endpoint().fetchToken })).toThrowError(/`key`/);
  expect(() => createTokenManager({ key: 'a', fetchToken: undefined as never })).toThrowError(/`fetchToken`/);
});
