// Clocks that are set back, and processes that may end.
import { afterEach, expect, it, vi } from 'vitest';
import { TokenEndpointError } from './auth-error.ts';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('a clock that is set back after a refresh failed does not put off the next one', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  let isDown = false;
  let requests = 0;
  const tokens = createTokenManager({
    key: 'k',
    random: () => 0.5,
    fetchToken: () => {
      requests += 1;
      if (isDown) throw new TokenEndpointError('no', { status: 400 });
      return { accessToken: `t${requests}`, tokenType: 'Bearer', expiresAtMs: Date.now() + 3_600_000 };
    },
  });
  await tokens.getToken();
  vi.setSystemTime(Date.now() + 3_400_000);
  isDown = true;
  tokens.getToken();
  await vi.advanceTimersByTimeAsync(0);
  expect(requests).toBe(2);
  isDown = false;
  vi.setSystemTime(Date.now() - 24 * 3_600_000);
  expect(tokens.getToken()).toMatchObject({ accessToken: 't1' });
  await vi.advanceTimersByTimeAsync(0);
  expect(tokens.getToken()).toMatchObject({ accessToken: 't3' });
});

it('the pause of a background refresh keeps the process alive from the moment that somebody waits for it', async () => {
  const pauses: { hasRef(): boolean }[] = [];
  const original = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((...rest: Parameters<typeof setTimeout>) => {
    const timer = original(...rest);
    if (rest[1] === 400) pauses.push(timer);
    return timer;
  }) as typeof setTimeout);
  let nowMs = Date.UTC(2026, 0, 1);
  let requests = 0;
  const tokens = createTokenManager({
    key: 'k',
    now: () => nowMs,
    random: () => 0.8, // of 500 ms
    fetchToken: () => {
      requests += 1;
      if (requests === 2) throw new TokenEndpointError('no', { status: 503 });
      return { accessToken: `t${requests}`, tokenType: 'Bearer', expiresAtMs: nowMs + 3_600_000 };
    },
  });
  await tokens.getToken();
  nowMs += 3_400_000;
  tokens.getToken();
  await expect.poll(() => pauses).toHaveLength(1);
  expect(pauses[0]?.hasRef()).toBe(false);
  const waiting = tokens.getToken({ forceRefresh: true });
  expect(pauses[0]?.hasRef()).toBe(true);
  expect((await waiting).accessToken).toBe('t3');
});

it('after a rejection, a token that was received in the future is not trusted: clocks differ, and it may have run out', async () => {
  const store = memoryStore();
  const skewed = Date.now() - 300_000;
  let requests = 0;
  const fetchToken = ({ current }: { current: { refreshToken?: string } | undefined }) => {
    requests += 1;
    return { accessToken: `${current?.refreshToken}+`, refreshToken: `r${requests}`, tokenType: 'Bearer', expiresAtMs: skewed + 60_000 };
  };
  const behind = createTokenManager({ key: 'k', store, fetchToken, now: () => skewed });
  const first = await behind.getToken();
  store.set('k', {
    accessToken: 'run out',
    refreshToken: 'r-other',
    tokenType: 'Bearer',
    receivedAtMs: skewed + 240_000,
    expiresAtMs: skewed + 300_000,
  });
  expect(await behind.rejected(first)).toBe(true);
  expect(await behind.getToken()).toMatchObject({ accessToken: 'r-other+' });
});
