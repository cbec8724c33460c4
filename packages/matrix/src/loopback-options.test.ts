// What `login` is given: options, a port, an `onEvent` that throws, and authorization URLs that no browser is sent to.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type LoginOptions, login } from '@authseam/auth-authcode/loopback';
import { loopbackServer, signIn } from '@authseam/testing';
import { describe, expect, it, vi } from 'vitest';
import { isClosed, nativeApp, server, startLogin, startServer, visit } from './fixtures/start-login.ts';

startServer();

it.each([undefined, null, {}])('%j in place of the strategy is a ConfigurationError', async (none) => {
  await expect(login(none as never)).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'auth' });
});

describe('a port that is asked for', () => {
  it('is used, and free again afterwards', async () => {
    const port = await freePort();
    for (const subject of ['a', 'b']) {
      const { tokens, url, redirectUri } = await startLogin(nativeApp(), { port, subject });
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

it.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
  ['rejects with', () => Promise.reject(new Error('broken'))],
])('what `onEvent` %s is a warning, and breaks nothing', async (_, onEvent) => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const onUrl = Promise.withResolvers<string>();
  const tokens = login(nativeApp(), {
    open: onUrl.resolve,
    onEvent,
  });
  const { callbackUrl } = await signIn(await onUrl.promise);
  expect((await visit(new URL('/', callbackUrl).href)).status).toBe(404);
  await visit(callbackUrl);
  expect((await tokens).accessToken).toMatch(/./);
  expect(warn.mock.calls.map(([warning]) => `${warning}`)).toEqual(Array(3).fill('Error: broken'));
  warn.mockRestore();
});
