import { memoryStore, type TokenSet } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { codeClient, codeServer, issuer } from './fixtures/code-server.ts';
import type { AuthorizationCode } from './index.ts';
import { checkLoginOptions } from './loopback/login-options.ts';

describe('a signal that has aborted', () => {
  it('lets nothing out, also through a fetch that ignores it', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    const { transaction } = await auth.createAuthorizationUrl();
    const reason = new Error('gone');
    const signal = AbortSignal.abort(reason);
    await expect(auth.handleCallback(`/callback?code=a&state=${transaction.state}`, transaction, { signal })).rejects.toBe(reason);
    const pushing = codeClient(server, { pushedAuthorizationRequestEndpoint: `${issuer}/par` });
    await expect(pushing.createAuthorizationUrl({ signal })).rejects.toBe(reason);
    expect(server.requests).toEqual([]);
  });
});

describe('who signed in', () => {
  const callbackOf = async (auth: AuthorizationCode, code = 'anna') => {
    const { transaction } = await auth.createAuthorizationUrl();
    return [`/callback?code=${code}&state=${transaction.state}`, transaction] as const;
  };

  it('may be looked up, which may take its time', async () => {
    const auth = codeClient(codeServer());
    const seen: TokenSet[] = [];
    const subject = async (tokens: TokenSet) => {
      seen.push(tokens);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return 'user-1';
    };
    const tokens = await auth.handleCallback(...(await callbackOf(auth)), { subject });
    expect(seen).toEqual([tokens]);
    expect(await auth.session('user-1').getToken()).toBe(tokens);
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['the empty string', ''],
    ['a number', 42],
    ['a promise of nobody', Promise.resolve(undefined)],
  ])('that turns out to be %s when the code is spent is an error that says what to do, and nothing is kept', async (_, found) => {
    const set = vi.fn(memoryStore().set);
    const store = { ...memoryStore(), set };
    const server = codeServer();
    const auth = codeClient(server, { store });
    const work = auth.handleCallback(...(await callbackOf(auth)), { subject: () => found as string });
    await expect(work).rejects.toMatchObject({
      code: 'CONFIGURATION_ERROR',
      option: 'subject',
      message: expect.stringMatching(/thrown away.*revoked where the server can.*has to sign in again/),
    });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([server.requests.length, set.mock.calls]).toEqual([1, []]);
  });

  it('is not kept when the lookup fails, or somebody leaves meanwhile', async () => {
    const auth = codeClient(codeServer());
    const reason = new Error('gone');
    const failing = auth.handleCallback(...(await callbackOf(auth)), { subject: () => Promise.reject(reason) });
    await expect(failing).rejects.toBe(reason);
    const controller = new AbortController();
    const leaving = auth.handleCallback(...(await callbackOf(auth)), {
      signal: controller.signal,
      subject: () => {
        controller.abort(reason);
        return new Promise<string>(() => {});
      },
    });
    await expect(leaving).rejects.toBe(reason);
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('that a lookup did not find is nobody, and not the default subject: refused before anything is done', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    const nobody = { subject: undefined } as unknown as { subject: string };
    const [callback, transaction] = await callbackOf(auth);
    await expect(auth.handleCallback(callback, transaction, nobody)).rejects.toMatchObject({ option: 'subject' });
    expect(server.requests).toEqual([]);
    const tokens = await auth.handleCallback(callback, transaction);
    await expect(auth.signOut(nobody)).rejects.toMatchObject({ option: 'subject' });
    expect(await auth.getToken()).toBe(tokens);
    const login = { ...nobody, onUrl: () => {}, open: false } as const;
    expect(() => checkLoginOptions(login, 'x')).toThrow(expect.objectContaining({ option: 'subject' }));
  });
});

describe('a callback that is not given as it should be', () => {
  it.each<[string, unknown, RegExp]>([
    ['parameters without a question mark', 'code=a&state=b', /question mark.*URLSearchParams/],
    ['parameters without a question mark, in another order', 'iss=https://login.example.com&state=b?&code=a', /question mark/],
    ['a request of node:http', { url: '/callback?code=a', headers: { host: 'app.example.com' }, method: 'GET' }, /node:http.*its `url`/],
    ['nothing', undefined, /must be the URL/],
  ])('is an error that says what to give: %s', async (_, callback, message) => {
    const auth = codeClient(codeServer());
    const { transaction } = await auth.createAuthorizationUrl();
    await expect(auth.handleCallback(callback as string, transaction)).rejects.toMatchObject({
      option: 'callbackUrl',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['/nothing', /holds no callback: no `code`, no `error`/],
    ['/callback?state=other', /holds no callback/],
    ['/callback?code=a&state=other', /`state` is another/],
    ['/callback?error=access_denied', /`state` is another, or missing/],
  ])('of another page, or another sign-in (%s), is told from the right one, which still works', async (callback, message) => {
    const auth = codeClient(codeServer());
    const { transaction } = await auth.createAuthorizationUrl();
    const rejected = { code: 'CALLBACK_REJECTED', message: expect.stringMatching(message) };
    await expect(auth.handleCallback(callback, transaction)).rejects.toMatchObject(rejected);
    await auth.handleCallback(`/callback?code=anna&state=${transaction.state}`, transaction);
  });

  it.each(['?', '/callback?', 'callback?', 'https://app.example.com/a=b?'])('is taken with %j before its parameters', async (start) => {
    const auth = codeClient(codeServer());
    const { transaction } = await auth.createAuthorizationUrl();
    expect(await auth.handleCallback(`${start}code=anna&state=${transaction.state}`, transaction)).toMatchObject({ tokenType: 'Bearer' });
  });
});

describe('used callbacks', () => {
  it('are remembered for ten minutes', async () => {
    let nowMs = 0;
    const server = codeServer();
    const auth = codeClient(server, { now: () => nowMs });
    const { transaction } = await auth.createAuthorizationUrl();
    const handle = () => auth.handleCallback(`/callback?code=anna&state=${transaction.state}`, transaction);
    await handle();
    nowMs = 599_999;
    await expect(handle()).rejects.toMatchObject({ code: 'CALLBACK_REJECTED' });
    nowMs = 600_000;
    await handle();
    expect(server.requests).toHaveLength(2);
  });
});
