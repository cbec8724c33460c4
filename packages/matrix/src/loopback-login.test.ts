// `login` of @authseam/auth-authcode/loopback against a certified authorization server, from the browser that it opens to the tokens. RFC 8252.
import type { AuthorizationCodeOptions } from '@authseam/auth-authcode';
import { type LoginEvent, type LoginOptions, login } from '@authseam/auth-authcode/loopback';
import { isAuthError } from '@authseam/core';
import { signIn } from '@authseam/testing';
import type { Request } from 'playwright-core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { hasChromium, launchChromium } from './browser/chromium-page.ts';
import { isClosed, nativeApp, server, startLogin, startServer, visit } from './fixtures/start-login.ts';

startServer();

describe('signs the person in', () => {
  it('through the URL that it opens and prints, and then closes the port', async () => {
    const auth = nativeApp();
    const printed: string[] = [];
    const { tokens, url, redirectUri, events } = await startLogin(auth, { onUrl: (url) => void printed.push(url) });
    expect(printed).toEqual([url]);
    const { callbackUrl } = await signIn(url, { user: 'bob' });
    expect(callbackUrl.startsWith(`${redirectUri}?`)).toBe(true);
    const page = await visit(callbackUrl);
    expect(page).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        connection: 'close',
        'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-[\w+/]+=';.*frame-ancestors 'none'$/),
      },
      text: expect.stringContaining('<h1>You are signed in</h1>'),
    });
    expect(page.text).not.toMatch(/<script|https?:|code=|state=/);
    const set = await tokens;
    expect(await isClosed(redirectUri)).toBe(true);
    expect((await auth.getToken()).accessToken).toBe(set.accessToken);
    const me = await fetch(`${server.apiUrl}/api/me`, { headers: { Authorization: `Bearer ${set.accessToken}` } });
    expect(await me.json()).toMatchObject({ sub: 'bob' });
    expect(events.map(({ type }) => type)).toEqual(['waiting', 'callback-received']);
    expect([server.exchanges, server.failures]).toEqual([1, []]);
  });

  it.each<[string, Partial<AuthorizationCodeOptions>, LoginOptions]>([
    ['on IPv6', { redirectUri: 'http://[::1]/callback' }, {}],
    ['on IPv6, asked for by `host`', {}, { host: '[::1]' }],
    ['as localhost', { redirectUri: 'http://localhost/callback' }, {}],
    ['at another path, with a query', { redirectUri: 'http://127.0.0.1/other?app=1' }, {}],
    ['where the options say', { redirectUri: 'https://app.example/callback' }, { host: '127.0.0.1', path: '/callback' }],
  ])('%s', async (_, options, loginOptions) => {
    const { tokens, url } = await startLogin(nativeApp(options), loginOptions);
    const { callbackUrl } = await signIn(url);
    expect((await visit(callbackUrl)).status).toBe(200);
    expect((await tokens).accessToken).toMatch(/./);
    expect(await isClosed(callbackUrl)).toBe(true);
  });

  it('with a callback that is posted', async () => {
    const { tokens, url } = await startLogin(nativeApp(), { authorization: { responseMode: 'form_post', prompt: 'consent' } });
    const { callbackUrl, form } = await signIn(url);
    expect(new URL(callbackUrl).search).toBe('');
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
    expect((await visit(callbackUrl, { method: 'POST', headers, body: `${form}` })).text).toContain('You are signed in');
    expect((await tokens).accessToken).toMatch(/./);
    expect(new URL(url).searchParams.get('client_id')).toBe('native-app');
  });

  it('as the subject that is asked for, with what is asked for', async () => {
    const auth = nativeApp();
    const { tokens, url } = await startLogin(auth, { subject: 'user-7', authorization: { scope: 'read' } });
    const { callbackUrl } = await signIn(url);
    await visit(callbackUrl);
    const { accessToken, scope } = await tokens;
    expect(scope?.split(' ').toSorted()).toEqual(['openid', 'read']);
    expect((await auth.session('user-7').getToken()).accessToken).toBe(accessToken);
    expect(await Promise.resolve(auth.getToken()).catch((error) => error.code)).toBe('INTERACTION_REQUIRED');
  });

  it('twice at once: each callback finds its own', async () => {
    const auth = nativeApp();
    const [alice, bob] = await Promise.all([startLogin(auth, { subject: 'a' }), startLogin(auth, { subject: 'b' })]);
    const callback = (await signIn(bob.url, { user: 'bob' })).callbackUrl;
    const astray = await visit(callback.replace(bob.redirectUri, alice.redirectUri));
    expect(astray).toMatchObject({ status: 400, text: expect.stringContaining('This is another sign-in') });
    await visit(callback);
    await visit((await signIn(alice.url, { user: 'alice' })).callbackUrl);
    const idTokens = await Promise.all([alice.tokens, bob.tokens]);
    const subjects = idTokens.map(
      ({ idToken = '' }) => JSON.parse(atob(idToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))).sub,
    );
    expect(subjects).toEqual(['alice', 'bob']);
  });
});

describe('where no browser opens', () => {
  it.each<[string, () => never | Promise<never>]>([
    ['rejects', () => Promise.reject(new Error('no display'))],
    [
      'throws',
      () => {
        throw new Error('no display');
      },
    ],
  ])('(`open` %s) it says so and waits for the person, who has the URL', async (_, open) => {
    const printed = Promise.withResolvers<string>();
    const events: LoginEvent[] = [];
    const tokens = login(nativeApp(), { open, onUrl: printed.resolve, onEvent: (event) => events.push(event) });
    const { callbackUrl } = await signIn(await printed.promise);
    expect(events).toMatchObject([
      { type: 'waiting' },
      { type: 'browser-failed', error: { code: 'BROWSER_FAILED', cause: { message: 'no display' } } },
    ]);
    await visit(callbackUrl);
    expect((await tokens).accessToken).toMatch(/./);
  });

  it('and nobody has the URL it ends', async () => {
    const events: LoginEvent[] = [];
    const open = () => Promise.reject(new Error('no display'));
    const error = await login(nativeApp(), { open, onEvent: (event) => events.push(event) }).catch((error) => error);
    expect(isAuthError(error, 'BROWSER_FAILED') && error.message).toContain('`onUrl`');
    const [waiting] = events;
    expect(waiting?.type === 'waiting' && (await isClosed(`http://127.0.0.1:${waiting.port}/`))).toBe(true);
  });

  it('a browser that ends badly after the callback is none that failed', async () => {
    const opened = Promise.withResolvers<string>();
    const browser = Promise.withResolvers<void>();
    const events: LoginEvent[] = [];
    const open = (url: string): Promise<void> => {
      opened.resolve(url);
      return browser.promise;
    };
    const tokens = login(nativeApp(), { open, onEvent: (event) => events.push(event) });
    await visit((await signIn(await opened.promise)).callbackUrl);
    await tokens;
    browser.reject(new Error('crashed'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(events.map(({ type }) => type)).toEqual(['waiting', 'callback-received']);
  });

  it('because nobody wants one, the URL is enough', async () => {
    const printed = Promise.withResolvers<string>();
    const tokens = login(nativeApp(), { open: false, onUrl: printed.resolve });
    await visit((await signIn(await printed.promise)).callbackUrl);
    expect((await tokens).accessToken).toMatch(/./);
  });

  it.each<[string, (url: string) => unknown]>([
    [
      'throws',
      () => {
        throw new RangeError('no terminal');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('no terminal'))],
    ['rejects later', () => new Promise((_, reject) => setTimeout(reject, 20, new RangeError('no terminal')))],
  ])('an `onUrl` that %s ends it, and no browser opens', async (_, onUrl) => {
    const open = vi.fn();
    await expect(login(nativeApp(), { open, onUrl })).rejects.toThrow(RangeError);
    expect(open).not.toHaveBeenCalled();
  });

  it('an asynchronous `onUrl` is through before a browser opens', async () => {
    const order: string[] = [];
    const opened = Promise.withResolvers<string>();
    const onUrl = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('shown');
    };
    const open = (url: string) => {
      order.push('opened');
      opened.resolve(url);
    };
    const tokens = login(nativeApp(), { open, onUrl });
    await visit((await signIn(await opened.promise)).callbackUrl);
    await tokens;
    expect(order).toEqual(['shown', 'opened']);
  });

  it.each(['succeeds', 'fails'] as const)(
    'an `onUrl` that takes longer than the person keeps nobody waiting: %s afterwards',
    async (end) => {
      const printed = Promise.withResolvers<string>();
      const shown = Promise.withResolvers<void>();
      const open = vi.fn();
      const onUrl = (url: string) => {
        printed.resolve(url);
        return shown.promise;
      };
      const tokens = login(nativeApp(), { open, onUrl });
      await visit((await signIn(await printed.promise)).callbackUrl);
      expect((await tokens).accessToken).toMatch(/./);
      if (end === 'succeeds') shown.resolve();
      else shown.reject(new RangeError('no terminal'));
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(open).not.toHaveBeenCalled();
    },
  );
});

describe('in a real browser', () => {
  beforeEach((context) => {
    if (!hasChromium()) context.skip('needs chromium');
  });
  it.each(['query', 'form_post'] as const)('the person signs in and sees the page (%s)', async (responseMode) => {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      const seen: Request[] = [];
      // The pages of the authorization server have no icon.
      page.on('console', (message) => message.location().url.startsWith(server.issuer) || complaints.push(message.text()));
      page.on('request', (request) => seen.push(request));
      const { tokens, url, events } = await startLogin(nativeApp(), { authorization: { responseMode } });
      await page.goto(url);
      while (!new URL(page.url()).pathname.startsWith('/callback')) {
        await page.click('button[value=allow]');
        await page.waitForLoadState();
      }
      expect(await page.textContent('h1')).toBe('You are signed in');
      expect(await page.evaluate(() => getComputedStyle(document.body).display)).toBe('grid'); // the style is not blocked
      await tokens;
      expect(complaints).toEqual([]);
      const local = seen.filter((request) => !request.url().startsWith(server.issuer));
      expect(local.map((request) => [request.method(), new URL(request.url()).pathname])).toEqual([
        [responseMode === 'query' ? 'GET' : 'POST', '/callback'],
      ]);
      expect(events.map(({ type }) => type)).toEqual(['waiting', 'callback-received']);
    } finally {
      await browser.close();
    }
  });
});
