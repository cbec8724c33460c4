// Several calls of `completeSignIn` at once, and callers that leave.
import type { TokenSet } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { codeClient, codeServer } from '../fixtures/code-server.ts';
import { completeSignIn } from './complete-sign-in.ts';
import { CALLBACK, history, PAGE, page, startPage, storage, strategy, tokens } from './fixtures/page.ts';
import { signIn } from './sign-in.ts';

startPage();

describe('completeSignIn', () => {
  it('two calls at once handle one callback once, and both get it', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=s1`;
    const results = await Promise.all([completeSignIn(auth), completeSignIn(auth)]);
    expect(results).toEqual([
      { tokens, returnTo: PAGE },
      { tokens, returnTo: PAGE },
    ]);
    expect(auth.handleCallback).toHaveBeenCalledTimes(1);
    expect(await completeSignIn(auth)).toBeUndefined();
  });

  it('two that fail at once fail alike, and the next one is free', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=s1`;
    auth.handleCallback.mockRejectedValueOnce(new Error('no network'));
    const results = await Promise.allSettled([completeSignIn(auth), completeSignIn(auth)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await completeSignIn(auth)).toBeUndefined();
  });

  /** A `handleCallback` that takes until it is let go, and ends when it is told to, as the real one does. */
  function slow(auth: ReturnType<typeof strategy>, states: readonly string[]): Record<string, () => void> {
    const gates = Object.fromEntries(states.map((state) => [state, Promise.withResolvers<void>()]));
    auth.handleCallback.mockImplementation(async (url, _transaction, { signal } = {}) => {
      const aborted = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      await Promise.race([gates[new URL(`${url}`).searchParams.get('state') ?? '']?.promise, aborted]);
      return tokens;
    });
    return Object.fromEntries(Object.entries(gates).map(([state, { resolve }]) => [state, resolve]));
  }

  it("who leaves ends nobody else's wait: an effect that is run, cleaned up and run again signs in", async () => {
    const auth = strategy();
    await signIn(auth);
    const release = slow(auth, ['s1']);
    page.href = `${CALLBACK}?code=1&state=s1`;
    const reason = new Error('unmounted');
    const [first, third] = [new AbortController(), new AbortController()];
    const left = completeSignIn(auth, { signal: first.signal });
    first.abort(reason);
    const again = completeSignIn(auth, { signal: new AbortController().signal });
    const also = completeSignIn(auth, { signal: third.signal });
    await expect(left).rejects.toBe(reason);
    third.abort(reason);
    await expect(also).rejects.toBe(reason);
    release['s1']?.();
    expect(await again).toEqual({ tokens, returnTo: PAGE });
    expect(auth.handleCallback).toHaveBeenCalledTimes(1);
  });

  it('the real strategy, too, is not told that one of them has left', async () => {
    const gate = Promise.withResolvers<void>();
    const server = codeServer({ latency: () => gate.promise });
    const auth = codeClient(server, { redirectUri: CALLBACK });
    await signIn(auth);
    page.href = `${CALLBACK}?code=anna&state=${new URL(page.assign.mock.lastCall?.[0]).searchParams.get('state')}`;
    const unmounted = new AbortController();
    const left = completeSignIn(auth, { signal: unmounted.signal });
    unmounted.abort();
    const again = completeSignIn(auth, { signal: new AbortController().signal });
    await expect(left).rejects.toMatchObject({ name: 'AbortError' });
    gate.resolve();
    expect(await again).toMatchObject({ tokens: { accessToken: 'at-anna-1' }, returnTo: PAGE });
    expect(await auth.getToken()).toMatchObject({ accessToken: 'at-anna-1' });
    expect(server.requests).toHaveLength(1);
  });

  it('goes on when everybody has left, and nothing is unhandled when it fails then', async () => {
    const auth = strategy();
    await signIn(auth);
    const gate = Promise.withResolvers<TokenSet>();
    auth.handleCallback.mockReturnValue(gate.promise);
    page.href = `${CALLBACK}?code=1&state=s1`;
    const controller = new AbortController();
    const left = completeSignIn(auth, { signal: controller.signal });
    controller.abort(new Error('unmounted'));
    await expect(left).rejects.toThrow('unmounted');
    gate.reject(new Error('no network'));
    await new Promise((resolve) => setTimeout(resolve));
    expect(await completeSignIn(auth)).toBeUndefined();
  });

  it('begins nothing for who has left before', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=s1`;
    await expect(completeSignIn(auth, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    expect([history.urls, storage.items.size]).toEqual([[], 1]);
    expect(await completeSignIn(auth)).toMatchObject({ tokens });
  });

  it('two callbacks at once are each handled once, and the end of one is not that of the other', async () => {
    const auth = strategy();
    await signIn(auth, { returnTo: '/one' });
    await signIn(auth, { returnTo: '/two' });
    const release = slow(auth, ['s1', 's2']);
    const back = (state: string) => completeSignIn(auth, { url: `${CALLBACK}?code=1&state=${state}` });
    const results = [back('s1'), back('s2'), back('s1')];
    release['s1']?.();
    await results[0];
    results.push(back('s2'), completeSignIn(auth));
    release['s2']?.();
    const pages = (await Promise.all(results)).map((completed) => completed?.returnTo.slice(-3));
    expect(pages).toEqual(['one', 'two', 'one', 'two', 'two']);
    expect(auth.handleCallback).toHaveBeenCalledTimes(2);
  });

  it('sign-ins that were begun at the same time do not disturb each other, in whatever order they come back', async () => {
    const auth = strategy();
    await signIn(auth, { returnTo: '/one' });
    await signIn(auth, { returnTo: '/two' });
    const back = (state: string) => completeSignIn(auth, { url: `${CALLBACK}?code=1&state=${state}` });
    expect((await back('s2'))?.returnTo).toBe('https://app.example/two');
    expect((await back('s1'))?.returnTo).toBe('https://app.example/one');
  });
});
