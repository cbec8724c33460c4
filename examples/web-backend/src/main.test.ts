import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { cookieJar, type OidcServer, type SignInOptions, signIn } from '@authseam/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { auth, start, type WebBackend } from './main.ts';
import { webApp } from './web-app.ts';
import { embeddedServer } from './which-server.ts';

const VARIABLES = ['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'WHOAMI_URL', 'TRANSFER_URL', 'SCOPE', 'ORIGIN', 'PORT'];
let app: WebBackend;
let server: OidcServer;
let reported: string[];
/** What the token endpoint has answered. */
let issued: { readonly access_token?: string; readonly refresh_token?: string }[];

beforeEach(async () => {
  for (const name of VARIABLES) vi.stubEnv(`WEB_BACKEND_${name}`, undefined);
  [reported, issued] = [[], []];
  const serverOf = async (origin: string) => {
    const embedded = await embeddedServer(origin);
    server = embedded.embedded;
    return embedded;
  };
  app = await start({ port: 0, server: serverOf, report: (error) => reported.push(String(error)) });
  server.inject({
    at: 'token',
    times: Number.POSITIVE_INFINITY,
    transform(answer) {
      issued.push(JSON.parse(String(answer.body)));
      return answer;
    },
  });
});
afterEach(async () => {
  await app[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  expect(server.failures).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
  readonly headers: Headers;
}

/** A browser with cookies of its own, which follows no redirect by itself. */
function browser({ origin }: Pick<WebBackend, 'origin'> = app) {
  const cookies = cookieJar();
  const send = async (path: string, { headers, ...init }: RequestInit = {}): Promise<Answer> => {
    const url = new URL(path, origin);
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { Cookie: cookies.header(url), ...headers } });
    cookies.keep(url, response.headers);
    const { status } = response;
    return { status, location: response.headers.get('location') ?? '', text: await response.text(), headers: response.headers };
  };
  const post = (path: string, from: string = origin) => send(path, { method: 'POST', headers: { Origin: from } });
  /** What the server made of an answer that led there: the URL of the callback. */
  const atServer = async ({ location }: Answer, options: SignInOptions = {}) =>
    (await signIn(location, { cookies, ...options })).callbackUrl;
  const signedIn = async (options?: SignInOptions) => send(await atServer(await send('/login'), options));
  return { cookie: () => cookies.header(new URL(origin)), send, post, atServer, signedIn };
}

const home = (location = '/') => expect.objectContaining({ status: 303, location });
const asks = () => expect.objectContaining({ status: 303, location: expect.stringContaining(`${server.issuer}/authorize?`) });
const says = (text: string) => expect.objectContaining({ status: 200, text: expect.stringContaining(text) });
const apiSays = (sub: string) => says(`&#34;sub&#34;:&#34;${sub}&#34;`);

test('signs in, says who that is, and knows nobody before', async () => {
  const { send, signedIn } = browser();
  expect(await send('/')).toEqual(says('<a href="/login">'));
  expect(await send('/me')).toEqual(asks());
  expect(await signedIn({ user: 'bob' })).toEqual(home());
  expect(await send('/')).toEqual(says('signed in as bob'));
  expect(await send('/me')).toEqual(apiSays('bob'));
  expect([server.exchanges, server.refreshes]).toEqual([1, 0]);
});

test('two users at once never see each other’s answers', async () => {
  const [alice, bob] = [browser(), browser()];
  const [forAlice, forBob] = await Promise.all([alice.send('/login'), bob.send('/login')]);
  const callbacks = [await alice.atServer(forAlice, { user: 'alice' }), await bob.atServer(forBob, { user: 'bob' })];
  await Promise.all([alice.send(callbacks[0] ?? ''), bob.send(callbacks[1] ?? '')]);
  for (const expire of [() => {}, server.expireTokens]) {
    expire();
    let count = 0;
    server.inject({ at: 'api', times: 80, delayMs: () => (count++ * 37) % 53 });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 ? bob : alice).send('/me')));
    answers.forEach((answer, index) => void expect(answer).toEqual(apiSays(index % 2 ? 'bob' : 'alice')));
    server.clearFaults();
  }
  expect([server.refreshes, server.familyRevoked]).toEqual([2, false]);
});

test('parallel requests of one user refresh an expired token once', async () => {
  const { send, signedIn } = browser();
  await signedIn();
  server.expireTokens();
  const answers = await Promise.all(Array.from({ length: 30 }, () => send('/me')));
  for (const answer of answers) expect(answer).toEqual(apiSays('alice'));
  expect([server.refreshes, server.familyRevoked]).toEqual([1, false]);
});

describe('the callback', () => {
  test('works once, also when it comes twice at once', async () => {
    const { send, atServer } = browser();
    const callback = await atServer(await send('/login'));
    const both = await Promise.all([send(callback), send(callback)]);
    expect(both.map(({ status }) => status).sort()).toEqual([303, 400]);
    expect(await send(callback)).toMatchObject({ status: 400, text: expect.stringContaining('This sign-in is over') });
    expect(server.exchanges).toBe(1);
  });

  test.each([
    ['of another browser', () => browser()],
    [
      'of another sign-in of that browser',
      async () => {
        const other = browser();
        await other.send('/login');
        return other;
      },
    ],
  ])('%s is refused, and nothing is exchanged', async (_, other) => {
    const { send, atServer } = browser();
    const callback = await atServer(await send('/login'));
    expect(await (await other()).send(callback)).toMatchObject({ status: 400 });
    expect(server.exchanges).toBe(0);
    expect(await send(callback)).toEqual(home());
  });

  test.each(['?code=x', '?code=x&state=', '?code=x&state=wrong', '', '?state=toString'])('with %s is refused', async (query) => {
    const { send, atServer } = browser();
    const callback = await atServer(await send('/login'));
    expect(await send(`/callback${query}`)).toMatchObject({ status: 400 });
    expect(server.exchanges).toBe(0);
    expect(await send(callback)).toEqual(home());
  });

  test('of another issuer is refused', async () => {
    const { send, atServer } = browser();
    const callback = new URL(await atServer(await send('/login')));
    callback.searchParams.set('iss', 'https://evil.example');
    expect(await send(callback.href)).toMatchObject({ status: 400, text: expect.stringContaining('not to this sign-in') });
    expect(server.exchanges).toBe(0);
  });

  test('that says no is a page, and whoever was signed in stays so', async () => {
    const { send, post, atServer, signedIn } = browser();
    const refused = await send(await atServer(await send('/login'), { deny: true }));
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('said no') });
    expect(await send('/')).toEqual(says('<a href="/login">'));
    await signedIn();
    expect(await send(await atServer(await post('/transfer'), { deny: true }))).toMatchObject({ status: 403 });
    expect(await send('/me')).toEqual(apiSays('alice'));
  });

  test('of any of several tabs works', async () => {
    const { send, atServer } = browser();
    const answers = [await send('/login'), await send('/login'), await send('/login')];
    for (const answer of answers) expect(await send(await atServer(answer))).toEqual(home());
    for (let tab = 0; tab < 5; tab += 1) await send('/login');
    const [oldest, ...newer] = await Promise.all(Array.from({ length: 6 }, () => send('/login')));
    expect(await send(await atServer(oldest!))).toMatchObject({ status: 400 });
    for (const answer of newer) expect(await send(await atServer(answer))).toEqual(home());
  });

  test.each(['/login?returnTo=https://evil.example', '/login?redirect_uri=https://evil.example', '//evil.example/login'])(
    'of %s leads home',
    async (path) => {
      const { send, atServer } = browser();
      const begun = await send(app.origin + path);
      expect(await send(await atServer(begun))).toEqual(home());
    },
  );
});

test('step-up: the API wants a stronger sign-in, and the person comes back with one', async () => {
  const { send, post, atServer, signedIn } = browser();
  await signedIn();
  expect(await send('/transfer')).toEqual(says('<form method="post"'));
  const challenged = await post('/transfer');
  expect(challenged).toEqual(asks());
  const before = server.requests.length;
  expect(await send(await atServer(challenged))).toEqual(home('/transfer'));
  expect(server.requests.slice(before).some(({ route, method }) => route === 'interaction' && method === 'POST')).toBe(true);
  expect(await post('/transfer')).toEqual(apiSays('alice'));
  expect(await send('/me')).toEqual(apiSays('alice'));
  expect([server.exchanges, server.refreshes]).toEqual([2, 0]);
});

test('step-up in one browser gives nothing to another one of the same person', async () => {
  const [first, second] = [browser(), browser()];
  for (const { signedIn } of [first, second]) await signedIn();
  await first.send(await first.atServer(await first.post('/transfer')));
  expect(await first.post('/transfer')).toEqual(apiSays('alice'));
  expect(await second.post('/transfer')).toEqual(asks());
});

test('nobody is sent to sign in again and again for what no sign-in gives', async () => {
  const { send, atServer, signedIn } = browser();
  await signedIn();
  const challenge = { 'WWW-Authenticate': 'Bearer error="insufficient_scope", scope="read"' };
  server.inject({ at: '/api/me', status: 403, headers: challenge, times: 3 });
  const asked = await send('/me');
  expect(asked).toEqual(asks());
  expect(await send(await atServer(asked))).toEqual(home('/me'));
  expect(await send('/me')).toMatchObject({ status: 403, text: expect.stringContaining('Not for you') });
  expect(await send('/me')).toEqual(asks());
});

test('a refresh token that the server has revoked leads to a new sign-in', async () => {
  const { send, atServer, signedIn } = browser();
  await signedIn();
  const { clientId, clientSecret } = server;
  const body = new URLSearchParams({ token: issued[0]?.refresh_token ?? '', client_id: clientId, client_secret: clientSecret });
  expect((await fetch(server.revocationEndpoint, { method: 'POST', body })).status).toBe(200);
  const asked = await send('/me');
  expect([asked, server.refreshes]).toEqual([asks(), 1]);
  expect(await send('/')).toEqual(says('<a href="/login">'));
  expect(await send(await atServer(asked))).toEqual(home('/me'));
  expect(await send('/me')).toEqual(apiSays('alice'));
});

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
    await vi.waitFor(() => expect(server.revocations).toBe(1), 5_000);
    const headers = { Authorization: `Bearer ${issued[0]?.access_token}` };
    await vi.waitFor(async () => expect(await fetch(`${server.apiUrl}/api/me`, { headers })).toMatchObject({ status: 401 }));
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

describe('what goes wrong', () => {
  test.each(['/api/me', 'token'])('at %s is a page without a secret', async (at) => {
    const { send, signedIn } = browser();
    await signedIn();
    if (at === 'token') server.expireTokens();
    server.clearFaults();
    server.inject({
      at,
      times: Number.POSITIVE_INFINITY,
      transform: (_, { headers, text }) => ({ status: 400, body: `${JSON.stringify(headers)} ${text}` }),
    });
    const { status, text } = await send('/me');
    expect([status, reported.length]).toEqual([502, 1]);
    expect(text).toContain('Something does not answer');
    const secrets = [server.clientSecret, ...Object.values(issued[0] ?? {}).map(String)].filter((value) => value.length > 20);
    expect(secrets.length).toBeGreaterThan(2);
    for (const secret of secrets) expect(text + reported.join()).not.toContain(secret);
  });

  test('the server that cannot be reached is a page, and no session begins', async () => {
    server.inject({ at: 'discovery', reset: 'on-arrival', times: Number.POSITIVE_INFINITY });
    const { cookie, send } = browser();
    expect([(await send('/login')).status, cookie()]).toEqual([502, '']);
  });

  test('what an API says is text', async () => {
    const { send, signedIn } = browser();
    await signedIn();
    server.inject({ at: '/api/me', status: 200, body: `<script>'"&` });
    expect(await send('/me')).toEqual(says('<p>&#60;script&#62;&#39;&#34;&#38;</p>'));
  });

  test.each(['/nowhere', '/toString', '/__proto__', '/me/', '//', '/%'])('%s is nothing', async (path) => {
    expect(await browser().send(app.origin + path)).toMatchObject({ status: 404 });
  });

  test('no page is kept, framed, or runs anything', async () => {
    const { send } = browser();
    for (const path of ['/', '/login', '/callback', '/nowhere']) {
      const { headers } = await send(path);
      expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/);
    }
  });
});

describe('the variables', () => {
  const real = (): Record<string, string> => ({
    WEB_BACKEND_ISSUER: server.issuer,
    WEB_BACKEND_CLIENT_ID: server.clientId,
    WEB_BACKEND_CLIENT_SECRET: server.clientSecret,
    WEB_BACKEND_WHOAMI_URL: `${server.issuer}/userinfo`,
  });

  test('lead to another server, whose userinfo endpoint will do', async () => {
    await app[Symbol.asyncDispose]();
    const port = Number(new URL(app.origin).port);
    const embedded = await embeddedServer(app.origin);
    server = embedded.embedded;
    for (const [name, value] of Object.entries(real())) vi.stubEnv(name, value);
    vi.stubEnv('WEB_BACKEND_PORT', String(port));
    vi.stubEnv('WEB_BACKEND_SCOPE', 'openid');
    vi.stubEnv('WEB_BACKEND_ORIGIN', `${app.origin}/`);
    app = await start();
    expect(app.origin).toBe(`http://127.0.0.1:${port}`);
    const { send, signedIn } = browser();
    await signedIn();
    expect(await send('/me')).toEqual(apiSays('alice'));
    await embedded.close();
  });

  test.each(['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'WHOAMI_URL'])('are all needed: WEB_BACKEND_%s', async (name) => {
    for (const [variable, value] of Object.entries(real())) vi.stubEnv(variable, value);
    vi.stubEnv(`WEB_BACKEND_${name}`, undefined);
    await expect(start({ port: 0 })).rejects.toThrow(`The environment variable WEB_BACKEND_${name} is not set.`);
  });
});

test('the program says where it is', { timeout: 30_000 }, async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@authseam/source', main], {
    env: { PATH: process.env['PATH'], WEB_BACKEND_PORT: '0' },
  });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const [origin = ''] = /http:\S+/.exec(line) ?? [];
  const { send, signedIn } = browser({ origin });
  await signedIn();
  expect(await send('/me')).toEqual(apiSays('alice'));
  child.kill();
  await once(child, 'exit');
});
