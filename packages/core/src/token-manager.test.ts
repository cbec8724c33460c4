import { describe, expect, it, vi } from 'vitest';
import { manager, refusal, T0, tokenEndpoint, useFakeClock } from './fixtures/token-endpoint.ts';
import { createTokenManager } from './token-manager.ts';

useFakeClock();

describe('a token at hand', () => {
  it('is answered synchronously while it is valid', async () => {
    const { fetchToken, requests } = tokenEndpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    expect(requests).toHaveLength(1);
  });

  it('is fetched once for 10 000 callers on a cold start', async () => {
    const { fetchToken, requests } = tokenEndpoint(async () => {
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
    const { fetchToken, requests } = tokenEndpoint();
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
    const { fetchToken } = tokenEndpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 + 3_600_000 - 10_000);
    const token = tokens.getToken();
    expect(token).toBeInstanceOf(Promise);
    expect(await token).toMatchObject({ accessToken: 'token-2' });
  });

  it('of 5 seconds is refreshed once per expiry, not on every call', async () => {
    const { fetchToken, requests } = tokenEndpoint(async () => ({
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
    const { fetchToken, requests } = tokenEndpoint(async () => ({
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
      const { fetchToken, requests } = tokenEndpoint(async () => ({
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
    const { fetchToken, requests } = tokenEndpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 - 300_000);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-1' });
    await vi.advanceTimersByTimeAsync(0);
    expect(requests).toHaveLength(2);
    expect(tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('that expired while the machine slept is replaced before it is used', async () => {
    const { fetchToken } = tokenEndpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    vi.setSystemTime(T0 + 8 * 3_600_000);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('is replaced on forceRefresh', async () => {
    const { fetchToken } = tokenEndpoint();
    const tokens = manager(fetchToken);
    await tokens.getToken();
    expect(await tokens.getToken({ forceRefresh: true })).toMatchObject({ accessToken: 'token-2' });
  });

  it('keeps the refresh token when the answer brings none, and replaces it when it does', async () => {
    const { fetchToken, requests } = tokenEndpoint({ refreshToken: 'r1' }, {}, { refreshToken: 'r2' });
    const tokens = manager(fetchToken);
    expect((await tokens.getToken()).refreshToken).toBe('r1');
    expect((await tokens.getToken({ forceRefresh: true })).refreshToken).toBe('r1');
    expect((await tokens.getToken({ forceRefresh: true })).refreshToken).toBe('r2');
    expect(requests.map(({ current }) => current?.refreshToken)).toEqual([undefined, 'r1', 'r1']);
  });
});

describe('an abort', () => {
  it("ends its caller's wait only, first caller or last, and the refresh goes on", async () => {
    let finish = (): void => {};
    const { fetchToken, requests } = tokenEndpoint(async ({ signal }) => {
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
    const { fetchToken, requests } = tokenEndpoint(async () => {
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
    const { fetchToken, requests } = tokenEndpoint(async () => {
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
  const { fetchToken, requests } = tokenEndpoint(
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

it.each(['a\nb', 'b ', 'ü'])('a token that no header can hold (%j) is refused, and not kept', async (accessToken) => {
  const tokens = manager(tokenEndpoint({ accessToken }, {}).fetchToken);
  await expect(tokens.getToken()).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR' });
  expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
});

it('refuses a missing key or fetchToken at construction', () => {
  expect(() => createTokenManager({ key: '', fetchToken: tokenEndpoint().fetchToken })).toThrowError(/`key`/);
  expect(() => createTokenManager({ key: 'a', fetchToken: undefined as never })).toThrowError(/`fetchToken`/);
});
