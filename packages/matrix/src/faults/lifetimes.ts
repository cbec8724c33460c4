// How long tokens live: what servers say of it, and what clocks make of it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientCredentialsOptions } from '@authseam/auth-client-credentials';
import { fileStore } from '@authseam/store-file';
import { tokenFaults } from '@authseam/testing';
import { expect } from 'vitest';
import type { FaultRow } from './fault-row.ts';
import { soon } from './soon.ts';
import { tokenAnswer } from './token-answer.ts';
import type { World } from './world.ts';

const FIVE_MINUTES_MS = 300_000;

/** For how many seconds a token is taken to live. `access_token` is a secret unless `fields` has one. */
async function secondsOf(
  world: World,
  fields: Readonly<Record<string, unknown>>,
  options: Partial<ClientCredentialsOptions> = {},
): Promise<number> {
  const server = await world.server();
  const body = { access_token: world.secret('token', 'authorization'), expires_in: undefined, ...fields };
  server.inject(tokenAnswer(body));
  const { expiresAtMs = Number.NaN } = await world.clientCredentials(server, options).getToken();
  return (expiresAtMs - world.clock.now()) / 1000;
}

/** A JWT that nobody has signed. */
function jwt(claims: Readonly<Record<string, number>>): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
}

export const lifetimeRows: readonly FaultRow[] = [
  {
    fault: 13,
    title: 'without expires_in the option counts, then the exp of a JWT, then 300 s',
    async run(world) {
      const exp = Math.floor(world.clock.now() / 1000) + 600;
      world.clock.jump(-(world.clock.now() % 1000));
      expect(await secondsOf(world, {})).toBe(300);
      expect(await secondsOf(world, { access_token: jwt({ exp }) })).toBe(600);
      expect(await secondsOf(world, { access_token: jwt({ exp }) }, { tokenResponse: { lifetimeSeconds: 50 } })).toBe(50);
      expect(await secondsOf(world, { access_token: jwt({ exp }), expires_in: 70 }, { tokenResponse: { lifetimeSeconds: 50 } })).toBe(70);
    },
  },
  {
    fault: 13,
    title: 'a token whose lifetime nobody told is not sent for ever',
    async run(world) {
      const server = await world.server();
      server.inject({ at: 'token', transform: ({ body }) => ({ body: { ...(body as object), expires_in: undefined } }) });
      const call = world.attach(world.clientCredentials(server));
      for (let minute = 0; minute < 5; minute++) {
        expect(await call(server.api)).toMatchObject({ status: 200 });
        await world.clock.advance(60_000);
      }
      await call(server.api);
      expect(server.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${server.issued[1]}`);
    },
  },
  {
    fault: 14,
    title: 'expires_in as a numeric string counts, and 0 means: use it once',
    async run(world) {
      expect(await secondsOf(world, { expires_in: '3600' })).toBe(3600);
      const server = await world.server({ lifetimeSeconds: 0 });
      server.inject({ at: 'api', status: 200, times: 3 });
      const call = world.attach(world.clientCredentials(server));
      for (let count = 1; count <= 3; count++) {
        await call(server.api);
        expect(server.tokenRequests).toBe(count);
      }
    },
  },
  ...['1e400', `${2 ** 31}`, '1e15'].map(
    (expiresIn): FaultRow => ({
      fault: 15,
      title: `expires_in ${expiresIn}: one request, no timer that fires at once, and a store can keep it`,
      async run(world) {
        const server = await world.server();
        const token = world.secret('token', 'authorization');
        const body = `{"access_token":"${token}","token_type":"bearer","expires_in":${expiresIn}}`;
        server.inject({ at: 'token', status: 200, body, times: 2 });
        const directory = world.directory();
        const shared = { store: fileStore({ directory }), storeKey: 'key' };
        for (const options of [{}, shared, shared]) {
          const strategy = world.clientCredentials(server, options);
          const call = world.attach(strategy);
          for (let round = 0; round < 3; round++) {
            expect(await call(server.api)).toMatchObject({ status: 200 });
            await sleep(3);
          }
          const { expiresAtMs = 0 } = await strategy.getToken();
          expect(expiresAtMs).toBeGreaterThan(world.clock.now() + 10 ** 9);
          expect(Number.isSafeInteger(expiresAtMs)).toBe(true);
        }
        // One without a store, one with it, and the third has found the second's.
        expect(server.tokenRequests).toBe(2);
      },
    }),
  ),
  ...[FIVE_MINUTES_MS, -FIVE_MINUTES_MS].map(
    (skewMs): FaultRow => ({
      fault: 17,
      title: `the server's clock is five minutes ${skewMs > 0 ? 'fast' : 'slow'}: no call is refused, and each token is used for most of its life`,
      async run(world) {
        const server = await world.server({ lifetimeSeconds: 600, now: () => world.clock.now() + skewMs });
        server.inject({
          at: 'token',
          times: Number.POSITIVE_INFINITY,
          transform: (answer) => ({ ...answer, headers: { Date: new Date(world.clock.now() + skewMs).toUTCString() } }),
        });
        const call = world.attach(world.clientCredentials(server));
        for (let minute = 0; minute < 30; minute++) {
          expect(await call(server.api)).toMatchObject({ status: 200 });
          await world.clock.advance(60_000);
        }
        expect(world.events.filter(({ type }) => type === 'rejected')).toEqual([]);
        await soon(() => world.events.filter(({ type }) => type === 'token-fetched').length).toBe(server.tokenRequests);
        expect(server.tokenRequests).toBeLessThanOrEqual(4);
      },
    }),
  ),
  {
    fault: 17,
    title: 'the clock is set back by an hour: one refresh in the background, not one per call',
    async run(world) {
      const server = await world.server({ now: Date.now });
      const call = world.attach(world.clientCredentials(server));
      await call(server.api);
      world.clock.jump(-3_600_000);
      for (let round = 0; round < 5; round++) {
        expect(await call(server.api)).toMatchObject({ status: 200 });
        await soon(() => world.events.filter(({ type }) => type === 'token-fetched')).toHaveLength(2);
      }
      expect(server.tokenRequests).toBe(2);
    },
  },
  {
    fault: 17,
    title: 'the machine slept for two hours: the token is renewed before the call, not after a 401',
    async run(world) {
      const server = await world.server();
      const call = world.attach(world.clientCredentials(server));
      await call(server.api);
      world.clock.jump(7_200_000);
      expect(await call(server.api)).toMatchObject({ status: 200 });
      expect([server.tokenRequests, server.calls]).toEqual([2, 2]);
    },
  },
  {
    fault: 17,
    title: 'the machine slept in a pause between two tries: the refresh token is not sent by a refresh that nobody waits for any more',
    async run(world) {
      const server = await world.hostile();
      const auth = world.authorizationCode(server);
      await world.signIn(auth);
      server.inject(tokenFaults.unavailableFor2s);
      using _ = world.clock.takeTimers();
      const refreshed = world.failureOf(auth.getToken({ forceRefresh: true }) as PromiseLike<unknown>);
      await soon(() => world.events.some(({ type }) => type === 'token-request-retry')).toBe(true);
      world.clock.jump(3_600_000);
      await world.clock.advance(2_000);
      expect(await refreshed).toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR', status: 503 });
      expect([server.refreshes, server.familyRevoked]).toEqual([1, false]);
    },
  },
];
