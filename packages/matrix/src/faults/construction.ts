// What is refused before anything is sent, without showing it; and secrets that are odd and good.
import { apiKey, basic, bearerToken } from '@authseam/auth-api-key';
import { oauth1 } from '@authseam/auth-oauth1';
import type { AuthStrategy, Secret } from '@authseam/core';
import { expect } from 'vitest';
import { adapters } from '../adapters.ts';
import type { FaultRow } from './fault-row.ts';
import type { FaultServer } from './fault-server.ts';
import type { World } from './world.ts';

/** Every option that takes a secret of the caller's. */
const secretOptions: Readonly<Record<string, (secret: Secret, world: World, server: FaultServer) => AuthStrategy>> = {
  'clientCredentials clientSecret': (clientSecret, world, server) => world.clientCredentials(server, { clientSecret }),
  'apiKey key': (key) => apiKey({ key }),
  'apiKey key in a query': (key) => apiKey({ key, in: 'query' }),
  'apiKey key in a cookie': (key) => apiKey({ key, in: 'cookie' }),
  'bearerToken token': (token) => bearerToken({ token }),
  'basic username': (username) => basic({ username, password: 'example' }),
  'basic password': (password) => basic({ username: 'example', password }),
  'oauth1 consumerKey': (consumerKey) => oauth1({ consumerKey }),
  'oauth1 consumerSecret': (consumerSecret) => oauth1({ consumerKey: 'example', consumerSecret }),
  'oauth1 token': (token) => oauth1({ consumerKey: 'example', token, tokenSecret: 'example' }),
  'oauth1 tokenSecret': (tokenSecret) => oauth1({ consumerKey: 'example', token: 'example', tokenSecret }),
};

const endings: Readonly<Record<string, string>> = { 'a trailing newline': '\n', 'CR and LF inside': '\r\nX-More: 1', 'a NUL': '\0' };

const refusedSecret = ([name, make]: [string, (typeof secretOptions)[string]]): FaultRow => ({
  fault: 21,
  title: `${name} with a line break or a NUL is refused, at once where it is known, and at use where a function gives it`,
  async run(world) {
    const server = await world.server();
    const option = name.split(' ')[1];
    for (const ending of Object.values(endings)) {
      const secret = world.secret('secret');
      const refused = { code: 'CONFIGURATION_ERROR', option };
      expect(await world.failureOf(() => make(`${secret}${ending}`, world, server))).toMatchObject(refused);
      const strategy = make(async () => `${secret}${ending}`, world, server);
      expect(await world.failureOf(world.attach(strategy)(server.api))).toMatchObject(refused);
    }
    expect(server.requests).toEqual([]);
  },
});

const UNUSUAL = 'é&+% 雪';
/** What stands form-encoded on either side of a colon (RFC 6749 §2.3.1). */
const decoded = (credentials: string): readonly (string | null)[] =>
  credentials.split(':').map((part) => new URLSearchParams(`v=${part}`).get('v'));

const refusedUrl = (fault: number, what: string, urlOf: (secret: string) => string): FaultRow => ({
  fault,
  title: `${what} is refused as any endpoint, and not shown`,
  async run(world) {
    const [server, hostile] = [await world.server(), await world.hostile()];
    const url = urlOf(encodeURIComponent(world.secret('password')));
    for (const option of ['tokenEndpoint', 'issuer'] as const) {
      const options = { tokenEndpoint: undefined, [option]: url } as object;
      expect(await world.failureOf(() => world.clientCredentials(server, options))).toMatchObject({ code: 'CONFIGURATION_ERROR', option });
    }
    for (const option of ['issuer', 'authorizationEndpoint', 'tokenEndpoint', 'revocationEndpoint'] as const) {
      const { authorizationEndpoint, tokenEndpoint } = hostile;
      const options = { authorizationEndpoint, tokenEndpoint, [option]: url };
      expect(await world.failureOf(() => world.authorizationCode(hostile, options))).toMatchObject({ code: 'CONFIGURATION_ERROR', option });
    }
    expect([...server.requests, ...hostile.requests]).toEqual([]);
  },
});

export const constructionRows: readonly FaultRow[] = [
  ...Object.entries(secretOptions).map(refusedSecret),
  ...(['client_secret_basic', 'client_secret_post'] as const).map(
    (clientAuthentication): FaultRow => ({
      fault: 22,
      title: `a client secret of any characters arrives as it is: ${clientAuthentication}`,
      async run(world) {
        const server = await world.server();
        const clientSecret = `${world.secret('client secret')}${UNUSUAL}`;
        world.keep(clientSecret);
        const clientId = `mätrix ${UNUSUAL}`;
        await world.clientCredentials(server, { clientId, clientSecret, clientAuthentication }).getToken();
        const [{ headers, text } = { headers: {} as Record<string, string>, text: '' }] = server.requests;
        if (clientAuthentication === 'client_secret_basic') {
          const credentials = Buffer.from((headers['authorization'] ?? '').replace('Basic ', ''), 'base64').toString('utf8');
          expect(credentials).toMatch(/^[\w.~%+-]+:[\w.~%+-]+$/);
          expect(decoded(credentials)).toEqual([clientId, clientSecret]);
          expect(text).not.toMatch(/client_(?:id|secret)=/);
        } else {
          const form = new URLSearchParams(text);
          expect([form.get('client_id'), form.get('client_secret')]).toEqual([clientId, clientSecret]);
          expect(headers).not.toHaveProperty('authorization');
        }
      },
    }),
  ),
  {
    fault: 22,
    title:
      'a password of any characters arrives as UTF-8, a query key percent-encoded; a header key beyond Latin-1 is refused and not shown',
    async run(world) {
      const server = await world.server();
      const password = `${world.secret('password', 'authorization')}${UNUSUAL}`;
      await world.attach(basic({ username: 'jürgen', password }))(server.api);
      const authorization = server.requests[0]?.headers['authorization'] ?? '';
      expect(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString('utf8')).toBe(`jürgen:${password}`);
      const key = `${world.secret('key', 'query')}${UNUSUAL}`;
      await world.attach(apiKey({ key, in: 'query', name: 'key' }))(server.api);
      expect(decodeURIComponent((server.requests[1]?.query ?? '').replace('key=', ''))).toBe(key);
      const refused = { code: 'CONFIGURATION_ERROR', option: 'key' };
      expect(await world.failureOf(() => apiKey({ key: `${world.secret('key')}${UNUSUAL}` }))).toMatchObject(refused);
    },
  },
  refusedUrl(23, 'a URL with a user name and a password', (password) => `https://user:${password}@login.example.com/token`),
  refusedUrl(25, 'http beyond this machine', (secret) => `http://login.example.com/${secret}`),
  {
    fault: 23,
    title: 'a call to a URL with a user name and a password is refused, and neither is shown: fetch',
    async run(world) {
      const server = await world.server();
      const call = world.attach(world.clientCredentials(server));
      expect(await world.failureOf(call(withUser(server.api, world.secret('password'))))).toMatchObject({
        code: 'CONFIGURATION_ERROR',
        option: 'url',
      });
      expect(server.requests).toEqual([]);
    },
  },
  // ky refuses such URLs itself, and quotes them.
  ...adapters
    .filter(({ name }) => name.startsWith('axios'))
    .map(
      (adapter): FaultRow => ({
        fault: 23,
        title: `a call to a URL with a user name and a password goes out as axios sends it, as Basic, and without our credential: ${adapter.name}`,
        async run(world) {
          const server = await world.server();
          const password = world.secret('password', 'authorization');
          await world.attach(world.clientCredentials(server), adapter)(withUser(server.api, password));
          expect(server.requests.at(-1)?.headers['authorization']).toBe(`Basic ${btoa(`somebody:${password}`)}`);
          expect(world.events).toContainEqual(expect.objectContaining({ type: 'credential-conflict' }));
        },
      }),
    ),
];

function withUser(url: string, password: string): string {
  return url.replace('//', `//somebody:${encodeURIComponent(password)}@`);
}
