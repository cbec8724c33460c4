// Who waits for a refresh, and what looks on.
import { expect, it, vi } from 'vitest';
import { TokenEndpointError } from './auth-error.ts';
import { manager, rotatingEndpoint, tokenSet } from './fixtures/rotating-endpoint.ts';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';
import type { TokenStore } from './token-store.ts';

it('a sign-in ends the waits for a refresh that stalls', async () => {
  const store = memoryStore();
  store.set('k', tokenSet('0', 0));
  const tokens = manager(store, () => new Promise(() => {}));
  const waiting = tokens.getToken();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await tokens.adopt(tokenSet('new'));
  expect((await waiting).accessToken).toBe('at-new');
});

it('a refresh whose results never show in the store ends: it does not ask for one token after the other', async () => {
  const inner = memoryStore();
  inner.set('k', tokenSet('0', 0));
  let reads = 0;
  // Finds the entry, then no more, and takes no write: a replica that lags behind.
  const store: TokenStore = {
    get: (key) => {
      reads += 1;
      return reads % 2 ? inner.get(key) : undefined;
    },
    set: () => false,
    delete: () => false,
  };
  const fetchToken = vi.fn(async () => tokenSet('1'));
  await expect(manager(store, fetchToken).getToken()).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR' });
  expect(fetchToken.mock.calls.length).toBeLessThanOrEqual(10);
});

it('`onDiscarded` that throws fails nobody', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const store = memoryStore();
  store.set('k', tokenSet('0', 0));
  const onDiscarded = vi.fn(() => {
    throw new Error('mine');
  });
  const tokens = manager(store, rotatingEndpoint({ tookMs: 20 }).fetchToken, { onDiscarded });
  const waiting = expect(tokens.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  await new Promise((resolve) => setTimeout(resolve, 10));
  await tokens.invalidate();
  await waiting;
  await expect.poll(() => warned.mock.calls.length).toBe(1);
  expect(onDiscarded).toHaveBeenCalledWith(expect.objectContaining({ accessToken: 'at-1' }));
  warned.mockRestore();
});

it('the pause between two attempts keeps the process alive only while somebody waits', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const fetchToken = () => Promise.reject(new TokenEndpointError('busy', { status: 503, retryAfterMs: 15_000 }));
  const controller = new AbortController();
  const left = expect(createTokenManager({ key: 'k', fetchToken }).getToken({ signal: controller.signal })).rejects.toBe('left');
  await expect.poll(timers).toBeGreaterThan(before);
  controller.abort('left');
  await left;
  await expect.poll(timers).toBe(before);
});

it('a fleet refreshes once for an API that rejects everything', async () => {
  const store = memoryStore();
  store.set('k', tokenSet('0'));
  const { fetchToken, sent } = rotatingEndpoint();
  const fleet = Array.from({ length: 10 }, () => manager(store, fetchToken));
  for (const tokens of fleet) await tokens.getToken();
  for (let round = 0; round < 3; round += 1) {
    for (const tokens of fleet) {
      const isWorthAnother = await tokens.rejected(await tokens.getToken());
      if (isWorthAnother) await tokens.getToken();
    }
  }
  expect(sent).toEqual(['rt-0']);
});

it('what a store quotes when it cannot be read is left out of the error', async () => {
  const { accessToken, refreshToken } = tokenSet('canary-0123456789');
  for (const quoted of [JSON.stringify({ accessToken, refreshToken }), `token ${refreshToken}`]) {
    const inner = memoryStore();
    inner.set('k', tokenSet('canary-0123456789', 1_000));
    let isBroken = false;
    const get: TokenStore['get'] = (key) => (isBroken ? Promise.reject(new Error(`bad row: ${quoted}`)) : inner.get(key));
    const tokens = manager({ ...inner, get }, rotatingEndpoint().fetchToken);
    await expect(Promise.resolve(tokens.getToken({ forceRefresh: true }))).rejects.toThrow();
    isBroken = true;
    const error = await Promise.resolve(tokens.getToken({ forceRefresh: true })).catch((thrown: Error) => thrown);
    expect((error as Error).cause).toMatchObject({ message: expect.stringContaining('bad row') });
    expect(String((error as Error).cause)).not.toContain('canary');
  }
});
