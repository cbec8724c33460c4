// Answers of a token endpoint that are odd and good, and trouble that passes.
import type { ClientCredentialsOptions } from '@authseam/auth-client-credentials';
import { type Fault, tokenFaults } from '@authseam/testing';
import { expect } from 'vitest';
import type { FaultRow } from './fault-row.ts';
import { soon } from './soon.ts';
import { page, tokenAnswer } from './token-answer.ts';
import type { World } from './world.ts';

const ALWAYS = Number.POSITIVE_INFINITY;

/** Trouble that passes: the call waits, and works. */
const passing: readonly [fault: number, title: string, faults: readonly Fault[]][] = [
  [1, '503, then 500', [tokenFaults.unavailable, tokenFaults.serverError]],
  [1, '502 with a page, then 504', [page(502, 'Bad Gateway'), { at: 'token', status: 504 }]],
  [3, '429', [tokenFaults.tooMany]],
];

const passed = ([fault, title, faults]: (typeof passing)[number]): FaultRow => ({
  fault,
  title: `${title}: the call works`,
  async run(world) {
    const server = await world.server();
    server.inject(faults);
    expect(await world.attach(world.clientCredentials(server))(server.api)).toMatchObject({ status: 200 });
    expect(server.tokenRequests).toBe(faults.length + 1);
    expect(world.events.map(({ type }) => type).filter((type) => type === 'token-request-retry')).toHaveLength(faults.length);
  },
});

/** What a server answered, as a token. */
async function tokenOf(world: World, fields: Readonly<Record<string, unknown>>, options: Partial<ClientCredentialsOptions> = {}) {
  const server = await world.server();
  const token = world.secret('token of the answer', 'authorization');
  server.inject(tokenAnswer({ access_token: token, ...fields }));
  const strategy = world.clientCredentials(server, options);
  const answered = await world.attach(strategy)(server.api);
  return { set: await strategy.getToken(), token, answered, sent: server.requests.at(-1)?.headers['authorization'] };
}

export const tokenAnswerRows: readonly FaultRow[] = [
  ...passing.map(passed),
  {
    fault: 1,
    title: 'a valid token serves while its early refresh fails, and half a minute passes before the next try',
    async run(world) {
      const server = await world.server();
      const strategy = world.clientCredentials(server);
      const call = world.attach(strategy);
      await call(server.api);
      server.inject({ ...tokenFaults.unavailable, times: ALWAYS });
      world.clock.jump(3_540_000);
      for (let round = 0; round < 3; round++) {
        expect(await call(server.api)).toMatchObject({ status: 200 });
        await soon(() => server.tokenRequests).toBe(4);
      }
      await soon(() => world.events.at(-1)).toMatchObject({ type: 'token-request-failed', background: true });
      world.clock.jump(30_000);
      server.clearFaults();
      expect(await call(server.api)).toMatchObject({ status: 200 });
      await soon(() => world.events.at(-1)?.type).toBe('token-fetched');
      expect(server.tokenRequests).toBe(5);
    },
  },
  {
    fault: 3,
    title: '429 to many callers: one try at a time',
    async run(world) {
      const server = await world.server();
      let open = 0;
      let most = 0;
      const counting: NonNullable<ClientCredentialsOptions['fetch']> = async (url, init) => {
        open += 1;
        most = Math.max(most, open);
        return fetch(url, init).finally(() => {
          open -= 1;
        });
      };
      server.inject({ ...tokenFaults.tooMany, delayMs: 20, times: 2 });
      const strategy = world.clientCredentials(server, { fetch: counting });
      await Promise.all(Array.from({ length: 50 }, () => strategy.getToken()));
      expect([most, server.tokenRequests]).toEqual([1, 3]);
    },
  },
  {
    fault: 10,
    title: 'a form, where it was asked for',
    async run(world) {
      const server = await world.server();
      const token = world.secret('token', 'authorization');
      server.inject({ at: 'token', status: 200, body: `access_token=${encodeURIComponent(token)}&token_type=bearer&expires_in=60` });
      const strategy = world.clientCredentials(server, { tokenResponse: { format: 'form' } });
      expect(await strategy.getToken()).toMatchObject({ accessToken: token, expiresAtMs: world.clock.now() + 60_000 });
    },
  },
  {
    fault: 16,
    title: 'the token_type BEARER is fine, and so is any where a scheme is given',
    async run(world) {
      expect((await tokenOf(world, { token_type: 'BEARER' })).answered.status).toBe(200);
      const other = await tokenOf(world, { token_type: 'odd' }, { scheme: 'Token' });
      expect(other.sent).toBe(`Token ${other.token}`);
    },
  },
  {
    fault: 18,
    title: 'a refresh token that client credentials get is not kept',
    async run(world) {
      const refreshToken = world.secret('refresh token');
      expect((await tokenOf(world, { refresh_token: refreshToken })).set).not.toHaveProperty('refreshToken');
    },
  },
  ...[undefined, null, ''].map(
    (value): FaultRow => ({
      fault: 18,
      title: `a refresh that is answered with the refresh token ${JSON.stringify(value)} keeps the old one`,
      async run(world) {
        const server = await world.hostile({ rotateRefreshToken: false });
        const auth = world.authorizationCode(server);
        const { refreshToken } = await world.signIn(auth);
        server.inject({ at: 'token', transform: ({ body }) => ({ body: { ...(body as object), refresh_token: value } }), times: 2 });
        for (let round = 0; round < 3; round++) expect(await auth.getToken({ forceRefresh: true })).toMatchObject({ refreshToken });
        expect(server.refreshes).toBe(3);
      },
    }),
  ),
  {
    fault: 'refreshing',
    title: 'a second wave within half a minute of a refused client asks nobody',
    async run(world) {
      const server = await world.server();
      server.inject(tokenAnswer({ error: 'invalid_client' }, 401));
      const call = world.attach(world.clientCredentials(server));
      const wave = (): Promise<unknown[]> => Promise.all(Array.from({ length: 100 }, () => world.failureOf(call(server.api))));
      for (const error of [...(await wave()), ...(await wave())]) expect(error).toMatchObject({ error: 'invalid_client' });
      expect(server.tokenRequests).toBe(1);
      world.clock.jump(30_000);
      expect(await call(server.api)).toMatchObject({ status: 200 });
    },
  },
  {
    fault: 'protocols',
    title: 'a narrower scope than asked for is reported',
    async run(world) {
      await tokenOf(world, { scope: 'read' }, { scope: 'read write' });
      expect(world.events).toContainEqual({
        type: 'scope-changed',
        strategy: 'clientCredentials',
        requested: 'read write',
        granted: 'read',
      });
    },
  },
];
