// What reaches the port on which `login` waits: callbacks, and what only looks like one. RFC 8252 §8; faults 34 and 35 of the list.
import { connect } from 'node:net';
import { signIn } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { isClosed, nativeApp, server, startLogin, startServer, type Visit, type VisitOptions, visit } from './fixtures/start-login.ts';

startServer();

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
    const { tokens, url, events } = await startLogin(nativeApp());
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
    const { tokens, url, redirectUri } = await startLogin(nativeApp());
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

  it('two names: RFC 9112 §3.2 has a status for that', async () => {
    const { tokens, url, redirectUri, events } = await startLogin(nativeApp());
    const { callbackUrl } = await signIn(url);
    const { host, port } = new URL(redirectUri);
    const { pathname, search } = new URL(callbackUrl);
    for (const names of [
      [host, 'evil.example'],
      ['evil.example', host],
      [host, host],
    ]) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${names.map((name) => `Host: ${name}\r\n`).join('')}\r\n`);
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      expect(answer).toContain('HTTP/1.1 400 ');
      expect(events.at(-1)).toEqual({ type: 'request-refused', status: 400, reason: 'two-hosts' });
    }
    expect(server.exchanges).toBe(0);
    await visit(callbackUrl);
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
    const { tokens, url } = await startLogin(slow);
    expect((await early.promise).status).toBe(400);
    await visit((await signIn(url)).callbackUrl);
    expect((await tokens).accessToken).toMatch(/./);
  });
});

describe('a callback', () => {
  it('that comes several times at once is exchanged once, and every tab shows the outcome', async () => {
    const { tokens, url, redirectUri } = await startLogin(nativeApp());
    const { callbackUrl } = await signIn(url);
    server.inject({ at: 'token', delayMs: 100 });
    const pages = await Promise.all([visit(callbackUrl), visit(callbackUrl), visit(callbackUrl)]);
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    await tokens;
    expect(server.exchanges).toBe(1);
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('that says no ends the login, and the page says so', async () => {
    const { tokens, url, redirectUri } = await startLogin(nativeApp(), { authorization: { prompt: 'login' } });
    const refused = expect(tokens).rejects.toMatchObject({ code: 'AUTHORIZATION_REFUSED', error: 'access_denied' });
    const page = await visit((await signIn(url, { deny: true })).callbackUrl);
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('<h1>You are not signed in</h1>') });
    await refused;
    expect(await isClosed(redirectUri)).toBe(true);
    expect(server.exchanges).toBe(0);
  });

  it('shows nothing of what stands in its URL', async () => {
    const { tokens, url } = await startLogin(nativeApp());
    const refused = expect(tokens).rejects.toMatchObject({ code: 'AUTHORIZATION_REFUSED' });
    const callback = new URL((await signIn(url, { deny: true })).callbackUrl);
    callback.searchParams.set('error', '<img src=x>');
    callback.searchParams.set('error_description', '<script>alert(1)</script>');
    expect((await visit(callback.href)).text).not.toMatch(/alert|src=x|<script/);
    await refused;
  });

  it('whose code is refused ends the login, and the page says that it failed', async () => {
    const { tokens, url, redirectUri } = await startLogin(nativeApp());
    const failed = expect(tokens).rejects.toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR', error: 'invalid_grant' });
    const callback = new URL((await signIn(url)).callbackUrl);
    callback.searchParams.set('code', 'another');
    expect(await visit(callback.href)).toMatchObject({ status: 500, text: expect.stringContaining('<h1>The sign-in failed</h1>') });
    await failed;
    expect(await isClosed(redirectUri)).toBe(true);
  });

  it('of another issuer, with the right state, is not exchanged', async () => {
    const { tokens, url } = await startLogin(nativeApp());
    const rejected = expect(tokens).rejects.toMatchObject({ code: 'CALLBACK_REJECTED' });
    const callback = new URL((await signIn(url)).callbackUrl);
    callback.searchParams.set('iss', 'https://evil.example');
    await visit(callback.href);
    await rejected;
    expect(server.exchanges).toBe(0);
  });

  it('is answered in the words that were given, as text', async () => {
    const signedIn = { heading: 'Fertig <b>&', text: '"Zurück" zum Terminal' };
    const { tokens, url } = await startLogin(nativeApp(), { messages: { language: 'de"><b>', signedIn } });
    const { text } = await visit((await signIn(url)).callbackUrl);
    expect(text).toContain('<h1>Fertig &#60;b&#62;&#38;</h1>');
    expect(text).toContain('<p>&#34;Zurück&#34; zum Terminal</p>');
    expect(text).toContain('<html lang="de&#34;&#62;&#60;b&#62;">');
    await tokens;
  });
});
