// `login` of @authseam/auth-authcode/loopback against a certified authorization server. RFC 8252; faults 34 and 35 of the list.
import { once } from 'node:events';
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { type AuthorizationCode, type AuthorizationCodeOptions, authorizationCode } from '@authseam/auth-authcode';
import { type LoginEvent, type LoginOptions, login } from '@authseam/auth-authcode/loopback';
import { isAuthError } from '@authseam/core';
import { loopbackServer, type OidcServer, oidcServer, signIn } from '@authseam/testing';
import type { Request } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasChromium, launchChromium } from './browser/chromium-page.ts';

let server: OidcServer;
beforeAll(async () => {
  server = await oidcServer({
    clients: [
      {
        clientId: 'native-app',
        clientAuthentication: 'none',
        applicationType: 'native',
        redirectUris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'http://localhost/callback', 'http://127.0.0.1/other?app=1'],
      },
    ],
  });
});
beforeEach(() => {
  server.clearRequests();
  server.clearFaults();
});
afterAll(() => server.close());

function nativeApp(options: Partial<AuthorizationCodeOptions> = {}): AuthorizationCode {
  return authorizationCode({
    issuer: server.issuer,
    clientId: 'native-app',
    clientAuthentication: 'none',
    redirectUri: 'http://127.0.0.1/callback',
    scope: 'openid',
    ...options,
  } as AuthorizationCodeOptions);
}

interface Visit {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Any request, with any Host header, over a connection of its own. */
async function visit(url: string, { method = 'GET', headers = {}, body = '' }: VisitOptions = {}): Promise<Visit> {
  const sent = httpRequest(url, { method, headers: { Connection: 'keep-alive', ...headers }, agent: false });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

interface VisitOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

/** A login under way: whoever `open` is given to is the test. */
interface Started {
  readonly tokens: ReturnType<typeof login>;
  readonly url: string;
  /** Where its callback goes, if nothing says otherwise. */
  readonly redirectUri: string;
  readonly events: readonly LoginEvent[];
}

async function start(auth: AuthorizationCode, options: LoginOptions = {}): Promise<Started> {
  const events: LoginEvent[] = [];
  const opened = Promise.withResolvers<string>();
  const tokens = login(auth, { open: opened.resolve, onEvent: (event) => events.push(event), ...options });
  tokens.catch(opened.reject);
  const url = await opened.promise;
  const waiting = events.find(({ type }) => type === 'waiting');
  if (waiting?.type !== 'waiting') throw new Error('nobody waits');
  return { tokens, url, events, redirectUri: `http://127.0.0.1:${waiting.port}/callback` };
}

/** The connection is refused: nobody listens there any more. */
async function isClosed(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname === '[::1]' ? '::1' : '127.0.0.1', port: Number(port) });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

describe('signs the person in', () => {
  it('through the URL that it opens and prints, and then closes the port', async () => {
    const auth = nativeApp();
    const printed: string[] = [];
    const { tokens, url, redirectUri, events } = await start(auth, { onUrl: (url) => void printed.push(url) });
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
    const { tokens, url } = await start(nativeApp(options), loginOptions);
    const { callbackUrl } = await signIn(url);
    expect((await visit(callbackUrl)).status).toBe(200);
    expect((await tokens).accessToken).toMatch(/./);
    expect(await isClosed(callbackUrl)).toBe(true);
  });

  it('with a callback that is posted', async () => {
    const { tokens, url } = await start(nativeApp(), { authorization: { responseMode: 'form_post', prompt: 'consent' } });
    const { callbackUrl, form } = await signIn(url);
    expect(new URL(callbackUrl).search).toBe('');
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
    expect((await visit(callbackUrl, { method: 'POST', headers, body: `${form}` })).text).toContain('You are signed in');
    expect((await tokens).accessToken).toMatch(/./);
    expect(new URL(url).searchParams.get('client_id')).toBe('native-app');
  });

  it('as the subject that is asked for, with what is asked for', async () => {
    const auth = nativeApp();
    const { tokens, url } = await start(auth, { subject: 'user-7', authorization: { scope: 'read' } });
    const { callbackUrl } = await signIn(url);
    await visit(callbackUrl);
    const { accessToken, scope } = await tokens;
    expect(scope?.split(' ').toSorted()).toEqual(['openid', 'read']);
    expect((await auth.session('user-7').getToken()).accessToken).toBe(accessToken);
    expect(await Promise.resolve(auth.getToken()).catch((error) => error.code)).toBe('INTERACTION_REQUIRED');
  });

  it('twice at once: each callback finds its own', async () => {
    const auth = nativeApp();
    const [alice, bob] = await Promise.all([start(auth, { subject: 'a' }), start(auth, { subject: 'b' })]);
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

describe('refuses, and goes on waiting:', () => {
  type Wrong = (callbackUrl: string) => [url: string, options?: VisitOptions];
  const at =
    (change: (url: URL) => void) =>
    (callbackUrl: string): [string] => {
      const url = new URL(callbackUrl);
      change(url);
      return [url.href];
    };
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

  it.each<[string, number, string, Wrong]>([
    ['another name (DNS rebinding)', 421, 'host', (url) => [url, { headers: { Host: `evil.example:${new URL(url).port}` } }]],
    ['localhost where it is not the name', 421, 'host', (url) => [url, { headers: { Host: `localhost:${new URL(url).port}` } }]],
    ['no port in the name', 421, 'host', (url) => [url, { headers: { Host: '127.0.0.1' } }]],
    ['a longer name', 421, 'host', (url) => [url, { headers: { Host: `${new URL(url).host}.evil.example` } }]],
    ['the icon', 404, 'path', at((url) => (url.pathname = '/favicon.ico'))],
    ['the root', 404, 'path', at((url) => (url.pathname = '/'))],
    ['a longer path', 404, 'path', at((url) => (url.pathname = '/callback/'))],
    ['a path in capitals', 404, 'path', at((url) => (url.pathname = '/Callback'))],
    ['HEAD', 405, 'method', (url) => [url, { method: 'HEAD' }]],
    ['OPTIONS', 405, 'method', (url) => [url, { method: 'OPTIONS' }]],
    ['PUT', 405, 'method', (url) => [url, { method: 'PUT', body: 'x' }]],
    ['a prefetch', 403, 'prefetch', (url) => [url, { headers: { 'Sec-Purpose': 'prefetch;prerender' } }]],
    ['an old prefetch', 403, 'prefetch', (url) => [url, { headers: { Purpose: 'prefetch' } }]],
    ['no parameters', 400, 'state', at((url) => (url.search = ''))],
    ['no state', 400, 'state', at(({ searchParams }) => searchParams.delete('state'))],
    ['an empty state', 400, 'state', at(({ searchParams }) => searchParams.set('state', ''))],
    ['another state', 400, 'state', at(({ searchParams }) => searchParams.set('state', 'x'))],
    ['two states', 400, 'state', at(({ searchParams }) => searchParams.append('state', searchParams.get('state') ?? ''))],
    ['an error without a state', 400, 'state', at((url) => (url.search = '?error=access_denied'))],
    ['an error of another state', 400, 'state', at((url) => (url.search = '?error=access_denied&state=x'))],
    [
      'a form of another kind',
      415,
      'content-type',
      (url) => [url, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: new URL(url).search.slice(1) }],
    ],
    ['a form without a state', 400, 'state', (url) => [url, { method: 'POST', headers: form, body: 'code=1' }]],
    [
      'a form that is too long',
      413,
      'too-large',
      (url) => [url, { method: 'POST', headers: form, body: `${new URL(url).searchParams}&a=${'a'.repeat(1_000_000)}` }],
    ],
  ])('%s', async (_, status, reason, wrong) => {
    const { tokens, url, events } = await start(nativeApp());
    const { callbackUrl } = await signIn(url);
    const [target, options] = wrong(callbackUrl);
    const answer = await visit(target, options);
    expect(answer).toMatchObject({ status, headers: { connection: 'close', 'cache-control': 'no-store' } });
    expect(events.at(-1)).toEqual({ type: 'request-refused', status, reason });
    expect(server.exchanges).toBe(0);
    expect((await visit(callbackUrl)).status).toBe(200);
    expect((await tokens).accessToken).toMatch(/./);
  });

  it('what is no HTTP, too long a header, a request that breaks off', async () => {
    const { tokens, url, redirectUri } = await start(nativeApp());
    const { host, port } = new URL(redirectUri);
    const sent = async (text: string): Promise<string> => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.write(text);
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      return answer.split('\r\n')[0] ?? '';
    };
    expect(await sent('hello\r\n\r\n')).toContain(' 400 ');
    expect(await sent(`GET /callback?${'a'.repeat(20_000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toContain(' 431 ');
    expect(await sent(`GET http://evil.example/callback HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toContain(' 404 ');
    expect(await sent(`CONNECT /callback HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toBe('');
    const broken = connect(Number(port), '127.0.0.1');
    broken.write(
      `POST /callback HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nstate`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    broken.destroy();
    await visit((await signIn(url)).callbackUrl);
    expect((await tokens).accessToken).toMatch(/./);
  });

  it('a callback that comes before the authorization URL is made', async () => {
    const auth = nativeApp();
    const early = Promise.withResolvers<Visit>();
    const slow = {
      ...auth,
      async createAuthorizationUrl(options: { readonly redirectUri?: string | undefined } = {}) {
        const { redirectUri } = options;
        if (redirectUri) visit(`${redirectUri}?code=1`).then(early.resolve, early.reject);
        if (redirectUri) await early.promise;
        return auth.createAuthorizationUrl(options);
      },
    };
    const { tokens, url } = await start(slow);
    expect((await early.promise).status).toBe(400);
    await visit((await signIn(url)).callbackUrl);
    expect((await tokens).accessToken).toMatch(/./);
  });
});

describe('a callback', () => {
  it('that comes several times at once is exchanged once, and every tab shows the outcome', async () => {
    const { tokens, url, redirectUri } = await start(nativeApp());
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 100 });
    const pages = await Promise.all([visit(callbackUrl), visit(callbackUrl), visit(callbackUrl)]);
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    await tokens;
    expect(server.exchanges).toBe(1);
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('that says no ends the login, and the page says so', async () => {
    const { tokens, url, redirectUri } = await start(nativeApp(), { authorization: { prompt: 'login' } });
    const refused = expect(tokens).rejects.toMatchObject({ code: 'AUTHORIZATION_REFUSED', error: 'access_denied' });
    const page = await visit((await signIn(url, { deny: true })).callbackUrl);
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('<h1>You are not signed in</h1>') });
    await refused;
    expect(await isClosed(redirectUri)).toBe(true);
    expect(server.exchanges).toBe(0);
  });

  it('shows nothing of what stands in its URL', async () => {
    const { tokens, url } = await start(nativeApp());
    const refused = expect(tokens).rejects.toMatchObject({ code: 'AUTHORIZATION_REFUSED' });
    const callback = new URL((await signIn(url, { deny: true })).callbackUrl);
    callback.searchParams.set('error', '<img src=x>');
    callback.searchParams.set('error_description', '<script>alert(1)</script>');
    expect((await visit(callback.href)).text).not.toMatch(/alert|src=x|<script/);
    await refused;
  });

  it('whose code is refused ends the login, and the page says that it failed', async () => {
    const { tokens, url, redirectUri } = await start(nativeApp());
    const failed = expect(tokens).rejects.toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR', error: 'invalid_grant' });
    const callback = new URL((await signIn(url)).callbackUrl);
    callback.searchParams.set('code', 'another');
    expect(await visit(callback.href)).toMatchObject({ status: 500, text: expect.stringContaining('<h1>The sign-in failed</h1>') });
    await failed;
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('of another issuer, with the right state, is not exchanged', async () => {
    const { tokens, url } = await start(nativeApp());
    const rejected = expect(tokens).rejects.toMatchObject({ code: 'CALLBACK_REJECTED' });
    const callback = new URL((await signIn(url)).callbackUrl);
    callback.searchParams.set('iss', 'https://evil.example');
    await visit(callback.href);
    await rejected;
    expect(server.exchanges).toBe(0);
  });

  it('is answered in the words that were given, as text', async () => {
    const signedIn = { heading: 'Fertig <b>&', text: '"Zurück" zum Terminal' };
    const { tokens, url } = await start(nativeApp(), { messages: { language: 'de"><b>', signedIn } });
    const { text } = await visit((await signIn(url)).callbackUrl);
    expect(text).toContain('<h1>Fertig &#60;b&#62;&#38;</h1>');
    expect(text).toContain('<p>&#34;Zurück&#34; zum Terminal</p>');
    expect(text).toContain('<html lang="de&#34;&#62;&#60;b&#62;">');
    await tokens;
  });
});

describe('ends', () => {
  it('when nobody comes in time: AUTH_TIMEOUT, and the port is closed', async () => {
    const { tokens, redirectUri } = await start(nativeApp(), { timeoutMs: 400 });
    await visit(`${redirectUri}?code=1&state=2`);
    await expect(tokens).rejects.toMatchObject({
      code: 'AUTH_TIMEOUT',
      strategy: 'authorizationCode',
      message: expect.stringContaining('0.4 s'),
    });
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('after five minutes unless told otherwise', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { tokens } = await start(nativeApp());
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
    const { tokens, url } = await start(nativeApp(), { timeoutMs: 1_500 });
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 2_000 });
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
    const { tokens, redirectUri } = await start(nativeApp(), { signal: controller.signal });
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
    const { tokens, url, redirectUri } = await start(nativeApp(), { signal: controller.signal });
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 5_000 });
    const ended = tokens.catch((error) => error);
    const page = visit(callbackUrl);
    await vi.waitFor(() => expect(server.exchanges).toBe(1));
    const reason = new Error('stop');
    controller.abort(reason);
    expect(await ended).toBe(reason);
    expect((await page).text).toContain('The sign-in failed');
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('although browsers keep connections open, or opened some in advance', async () => {
    const { tokens, url, redirectUri } = await start(nativeApp());
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
    expect(performance.now() - startedMs).toBeLessThan(900);
  });

  it('although the tab that brought the callback is closed at once', async () => {
    const { tokens, url } = await start(nativeApp());
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 200 });
    const sent = httpRequest(callbackUrl, { agent: false }).on('error', () => {});
    sent.end();
    await vi.waitFor(() => expect(server.exchanges).toBe(1));
    sent.destroy();
    expect((await tokens).accessToken).toMatch(/./);
  });
});

describe('a port that is asked for', () => {
  it('is used, and free again afterwards', async () => {
    const port = await freePort();
    for (const subject of ['a', 'b']) {
      const { tokens, url, redirectUri } = await start(nativeApp(), { port, subject });
      expect(new URL(redirectUri).port).toBe(`${port}`);
      await visit((await signIn(url)).callbackUrl);
      await tokens;
    }
  });

  it('and is taken is a ConfigurationError, and no browser opens', async () => {
    await using taken = await loopbackServer();
    const open = vi.fn();
    const refused = login(nativeApp(), { open, port: Number(new URL(taken.origin).port) });
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIGURATION_ERROR',
      option: 'port',
      message: expect.stringContaining('EADDRINUSE'),
    });
    expect(open).not.toHaveBeenCalled();
  });

  async function freePort(): Promise<number> {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    probe.close();
    return typeof address === 'object' && address ? address.port : 0;
  }
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

  it('an `onUrl` that throws ends it', async () => {
    const open = vi.fn();
    const onUrl = () => {
      throw new RangeError('no terminal');
    };
    await expect(login(nativeApp(), { open, onUrl })).rejects.toThrow(RangeError);
    expect(open).not.toHaveBeenCalled();
  });
});

describe('an authorization URL that no browser is sent to is refused, and the port is closed:', () => {
  it.each([
    'javascript:alert(1)//https://login.example.com/',
    'file:///etc/passwd',
    'data:text/html,hello',
    'http://login.example.com/authorize',
    'https://alice:secret@login.example.com/authorize',
    'https://login.example.com/$(calc)',
    'https://login.example.com/`calc`',
    "https://login.example.com/'calc'",
    'https://login.example.com/"calc"',
    'https://login.example.com/|calc',
    'https://login.example.com/^calc',
    'https://login.example.com/a b',
    'https://login.example.com/\ncalc',
    '-acalc',
    '--version',
    'calc.exe',
    '',
  ])('%j', async (url) => {
    const auth = nativeApp();
    const uris: string[] = [];
    const open = vi.fn();
    const onUrl = vi.fn();
    const hostile = {
      ...auth,
      async createAuthorizationUrl(options = {}) {
        const { transaction } = await auth.createAuthorizationUrl(options);
        uris.push(transaction.redirectUri);
        return { url, transaction };
      },
    };
    const error = await login(hostile, { open, onUrl }).catch((error) => error);
    expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'authorizationEndpoint' });
    if (url) expect(error.message).not.toContain(url);
    expect([open.mock.calls, onUrl.mock.calls]).toEqual([[], []]);
    expect(await isClosed(uris.at(-1) ?? '')).toBe(true);
  });

  it.each(['https://login.example.com/$(calc)', 'javascript:alert(1)', '-acalc'])(
    '%s, from the metadata of a hostile server',
    async (endpoint) => {
      await using hostile = await loopbackServer({
        routes: (issuer) => ({
          '*': () => ({
            body: { issuer, authorization_endpoint: endpoint, token_endpoint: `${issuer}/token`, response_types_supported: ['code'] },
          }),
        }),
      });
      const open = vi.fn();
      await expect(login(nativeApp({ issuer: hostile.origin }), { open })).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR' });
      expect(open).not.toHaveBeenCalled();
    },
  );
});

describe('is refused before anything is done:', () => {
  it.each<[string, unknown]>([
    ['onURL', { onURL: () => {} }],
    ['open', { open: 'firefox' }],
    ['onUrl', { open: false }],
    ['onEvent', { onEvent: true }],
    ['host', { host: '0.0.0.0' }],
    ['host', { host: 'example.com' }],
    ['port', { port: -1 }],
    ['port', { port: 70_000 }],
    ['port', { port: '8080' }],
    ['path', { path: 'callback' }],
    ['path', { path: '/callback?a=1' }],
    ['path', { path: '/a b' }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
  ])('%s: %j', async (option, options) => {
    const error = await login(nativeApp(), options as LoginOptions).catch((error) => error);
    expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', message: expect.stringContaining(`\`${option}\``) });
    expect(server.requests).toEqual([]);
  });

  it.each([
    'https://app.example/callback',
    'https://127.0.0.1/callback',
    'com.example.app:/callback',
    'http://app.localhost/callback',
    'http://127.0.0.2/callback',
  ])('a redirect URI that is not loopback: %s', async (redirectUri) => {
    const open = vi.fn();
    const { authorizationEndpoint, tokenEndpoint } = server;
    const auth = nativeApp({ ...{ redirectUri, authorizationEndpoint, tokenEndpoint }, issuer: undefined, scope: 'read' } as never);
    const refused = login(auth, { open });
    await expect(refused).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'redirectUri' });
    expect(open).not.toHaveBeenCalled();
  });
});

it('what `onEvent` throws is a warning, and breaks nothing', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const onUrl = Promise.withResolvers<string>();
  const tokens = login(nativeApp(), {
    open: onUrl.resolve,
    onEvent: () => {
      throw new Error('broken');
    },
  });
  const { callbackUrl } = await signIn(await onUrl.promise);
  expect((await visit(new URL('/', callbackUrl).href)).status).toBe(404);
  await visit(callbackUrl);
  expect((await tokens).accessToken).toMatch(/./);
  expect(warn.mock.calls.map(([warning]) => `${warning}`)).toEqual(Array(3).fill('Error: broken'));
  warn.mockRestore();
});

describe('in a real browser', () => {
  beforeEach((context) => {
    if (!hasChromium()) context.skip('needs chromium');
  });
  it.each(['query', 'form_post'] as const)('the person signs in and sees the page (%s)', { timeout: 30_000 }, async (responseMode) => {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      const seen: Request[] = [];
      // The pages of the authorization server have no icon.
      page.on('console', (message) => message.location().url.startsWith(server.issuer) || complaints.push(message.text()));
      page.on('request', (request) => seen.push(request));
      const { tokens, url, events } = await start(nativeApp(), { authorization: { responseMode } });
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
