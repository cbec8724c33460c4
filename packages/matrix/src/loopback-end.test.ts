// When `login` ends, and that it leaves no open port: time limits, signals, connections that nobody closes.
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { login } from '@authseam/auth-authcode/loopback';
import { signIn } from '@authseam/testing';
import { describe, expect, it, vi } from 'vitest';
import { isClosed, nativeApp, server, startLogin, startServer, visit } from './fixtures/start-login.ts';

startServer();

describe('ends', () => {
  it('when nobody comes in time: AUTH_TIMEOUT, and the port is closed', async () => {
    const { tokens, redirectUri } = await startLogin(nativeApp(), { timeoutMs: 1_500 });
    await visit(`${redirectUri}?code=1&state=2`);
    await expect(tokens).rejects.toMatchObject({
      code: 'AUTH_TIMEOUT',
      strategy: 'authorizationCode',
      message: expect.stringContaining('1.5 s'),
    });
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('after five minutes unless told otherwise', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { tokens } = await startLogin(nativeApp());
      let isOver = false;
      const over = tokens.catch((error) => {
        isOver = true;
        return error;
      });
      await vi.advanceTimersByTimeAsync(299_999);
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      vi.useRealTimers();
      expect((await over).code).toBe('AUTH_TIMEOUT');
    } finally {
      vi.useRealTimers();
    }
  });

  it('not while the code is exchanged: the time limit is for the person', async () => {
    const { tokens, url } = await startLogin(nativeApp(), { timeoutMs: 2_500 });
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 3_000 });
    await visit(callbackUrl);
    expect((await tokens).accessToken).toMatch(/./);
  });

  it('with the reason of its signal, before it starts', async () => {
    const open = vi.fn();
    const reason = new Error('stop');
    const port = Number(new URL(server.issuer).port); // taken: nobody tries it
    await expect(login(nativeApp(), { open, port, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect([open.mock.calls, server.requests]).toEqual([[], []]);
  });

  it('with the reason of its signal, while it waits', async () => {
    const controller = new AbortController();
    const { tokens, redirectUri } = await startLogin(nativeApp(), { signal: controller.signal });
    const reason = new Error('stop');
    controller.abort(reason);
    await expect(tokens).rejects.toBe(reason);
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('with the reason of its signal, while the URL is made: no browser opens', async () => {
    const auth = nativeApp();
    const controller = new AbortController();
    const reason = new Error('stop');
    const open = vi.fn();
    const slow = {
      ...auth,
      async createAuthorizationUrl(options = {}) {
        const made = await auth.createAuthorizationUrl({ ...options, signal: undefined });
        controller.abort(reason);
        return made;
      },
    };
    await expect(login(slow, { open, onUrl: open, signal: controller.signal })).rejects.toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(open).not.toHaveBeenCalled();
  });

  it('with the reason of its signal, while the code is exchanged', async () => {
    const controller = new AbortController();
    const { tokens, url, redirectUri } = await startLogin(nativeApp(), { signal: controller.signal });
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 5_000 });
    const ended = tokens.catch((error) => error);
    const page = visit(callbackUrl);
    await expect.poll(() => server.exchanges).toBe(1);
    const reason = new Error('stop');
    controller.abort(reason);
    expect(await ended).toBe(reason);
    expect((await page).text).toContain('The sign-in failed');
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('although browsers keep connections open, or opened some in advance', async () => {
    const { tokens, url, redirectUri } = await startLogin(nativeApp());
    const { host, port } = new URL(redirectUri);
    const sockets = Array.from({ length: 3 }, (): Socket => connect(Number(port), '127.0.0.1').on('error', () => {}));
    const ended = Promise.all(sockets.map((socket) => once(socket, 'close')));
    sockets[0]!.write(`GET /callback HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\n\r\n`);
    sockets[1]!.write('GET /callback?sta');
    for (const socket of sockets) socket.resume();
    const { callbackUrl } = await signIn(url);
    const startedMs = performance.now();
    await visit(callbackUrl);
    await tokens;
    await ended;
    expect(performance.now() - startedMs).toBeLessThan(4_000);
  });

  it('although the tab that brought the callback is closed at once', async () => {
    const { tokens, url } = await startLogin(nativeApp());
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 200 });
    const sent = httpRequest(callbackUrl, { agent: false }).on('error', () => {});
    sent.end();
    await expect.poll(() => server.exchanges).toBe(1);
    sent.destroy();
    expect((await tokens).accessToken).toMatch(/./);
  });
});
