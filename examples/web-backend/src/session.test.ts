import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { apiSays, app, asks, browser, issued, reported, says, server, startApp } from './fixtures/browser.ts';
import { auth } from './main.ts';
import { webApp } from './web-app.ts';
import { embeddedServer } from './which-server.ts';

startApp();

describe('signing out', () => {
  test('ends the session here, the tokens, and the sign-in at the server', async () => {
    const { cookie, send, post, atServer, signedIn } = browser();
    await signedIn();
    const old = cookie();
    const answer = await post('/logout');
    expect([answer.location.startsWith(`${server.issuer}/logout?`), server.revocations, cookie()]).toEqual([true, 1, '']);
    expect(await send('/me', { headers: { Cookie: old } })).toEqual(asks());
    const headers = { Authorization: `Bearer ${issued[0]?.access_token}` };
    expect(await fetch(`${server.apiUrl}/api/me`, { headers })).toMatchObject({ status: 401 });
    expect(await atServer(answer)).toBe(`${app.origin}/`);
    expect(await send('/')).toEqual(says('<a href="/login">'));
  });

  test('leaves everybody else signed in, the same person in another browser too', async () => {
    const [first, second, bob] = [browser(), browser(), browser()];
    for (const { signedIn } of [first, second]) await signedIn();
    await bob.signedIn({ user: 'bob' });
    await first.post('/logout');
    expect([await second.send('/me'), await bob.send('/me')]).toEqual([apiSays('alice'), apiSays('bob')]);
  });

  test('works here also when the server is down', async () => {
    const { cookie, send, post, signedIn } = browser();
    await signedIn();
    const old = cookie();
    server.inject({ at: 'revocation', status: 503, times: Number.POSITIVE_INFINITY });
    expect((await post('/logout')).status).toBe(303);
    expect(await send('/me', { headers: { Cookie: old } })).toEqual(asks());
  });

  test.each(['https://evil.example', 'null', 'http://127.0.0.1:1', ''])('is not for a page of %s', async (from) => {
    const { send, post, signedIn } = browser();
    await signedIn();
    for (const path of ['/logout', '/transfer']) expect(await post(path, from)).toMatchObject({ status: 403 });
    expect(await send('/logout')).toMatchObject({ status: 404 });
    expect(await send('/me')).toEqual(apiSays('alice'));
    expect([server.revocations, server.requests.some(({ path }) => path === '/api/transfer')]).toEqual([0, false]);
  });
});

describe('the session', () => {
  test('has another id after each sign-in, and the old one is worth nothing', async () => {
    const { cookie, send, post, atServer } = browser();
    const begun = await send('/login');
    const planted = cookie();
    await send(await atServer(begun));
    const signedIn = cookie();
    await send(await atServer(await post('/transfer')));
    expect(new Set([planted, signedIn, cookie()]).size).toBe(3);
    for (const old of [planted, signedIn]) expect(await send('/me', { headers: { Cookie: old } })).toEqual(asks());
  });

  test('is a cookie that no script reads, nor another site sends; none is set before it is needed', async () => {
    const { send } = browser();
    expect((await send('/')).headers.getSetCookie()).toEqual([]);
    const [cookie] = (await send('/login')).headers.getSetCookie();
    expect(cookie).toMatch(/^session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  test('is for https only where the application is', async () => {
    const elsewhere = 'https://app.example';
    const { embedded, ...itsServer } = await embeddedServer(elsewhere);
    const listener = webApp({ auth: auth(itsServer, elsewhere), server: itsServer, report() {} });
    const behindProxy = createServer(listener).listen(0, '127.0.0.1');
    await once(behindProxy, 'listening');
    const { headers } = await browser({ origin: `http://127.0.0.1:${(behindProxy.address() as AddressInfo).port}` }).send('/login');
    behindProxy.close().closeAllConnections();
    await embedded.close();
    expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)]);
  });

  test('that runs out takes its tokens along', async () => {
    const { send, signedIn } = browser();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await signedIn();
      await browser().send('/login');
      vi.advanceTimersByTime(8 * 3_600_000);
    } finally {
      vi.useRealTimers();
    }
    await expect.poll(() => server.revocations).toBe(1);
    const headers = { Authorization: `Bearer ${issued[0]?.access_token}` };
    await expect.poll(() => fetch(`${server.apiUrl}/api/me`, { headers })).toMatchObject({ status: 401 });
    expect([await send('/me'), reported]).toEqual([asks(), []]);
  });

  test('is what the cookie names exactly', async () => {
    const { cookie, send, signedIn } = browser();
    await signedIn();
    const right = cookie();
    for (const Cookie of ['', 'session=', 'session', `x${right}`, `${right}x`, 'session=__proto__']) {
      expect(await send('/me', { headers: { Cookie } })).toEqual(asks());
    }
    expect(await send('/me', { headers: { Cookie: `a=b; ${right}; c=d` } })).toEqual(apiSays('alice'));
  });
});
