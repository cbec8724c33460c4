import { describe, expect, test } from 'vitest';
import { apiSays, app, browser, home, says, server, startApp } from './fixtures/browser.ts';

startApp();

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
