import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { apiSays, app, asks, browser, home, issued, replace, reported, says, server, startApp } from './fixtures/browser.ts';
import { start } from './main.ts';
import { embeddedServer } from './which-server.ts';

startApp();

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
    replace({ server: embedded.embedded });
    for (const [name, value] of Object.entries(real())) vi.stubEnv(name, value);
    vi.stubEnv('WEB_BACKEND_PORT', String(port));
    vi.stubEnv('WEB_BACKEND_SCOPE', 'openid');
    vi.stubEnv('WEB_BACKEND_ORIGIN', `${app.origin}/`);
    replace({ app: await start() });
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

test('the program says where it is', async () => {
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
