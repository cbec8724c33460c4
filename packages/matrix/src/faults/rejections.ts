// Tokens that an API rejects, and many callers at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuthStrategy, memoryStore } from '@authseam/core';
import { tokenFaults } from '@authseam/testing';
import { expect } from 'vitest';
import { adapters, type MatrixAdapter } from '../adapters.ts';
import type { FaultRow } from './fault-row.ts';
import { soon } from './soon.ts';

const ALWAYS = Number.POSITIVE_INFINITY;

/** How a server may demand a nonce for ever (RFC 9449 §9): a strategy that learns it does as much as the contract lets it. */
function nonceLearner(key: string): AuthStrategy {
  let nonce = 'none';
  return Object.freeze<AuthStrategy>({
    name: 'nonces',
    specVersion: 1,
    authorize: () => ({ headers: { 'X-Proof': key, 'X-Nonce': nonce } }),
    observe({ headers }) {
      nonce = headers.get('dpop-nonce') ?? nonce;
    },
    recover: () => true,
  });
}

const perAdapter = (adapter: MatrixAdapter): readonly FaultRow[] => [
  {
    fault: 36,
    title: `a 401: one refresh, one replay: ${adapter.name}`,
    async run(world) {
      const server = await world.server();
      const call = world.attach(world.clientCredentials(server), adapter);
      await call(server.api);
      server.revokeTokens();
      expect(await call(server.api, { method: 'POST', body: 'what was sent' })).toMatchObject({
        status: 200,
        text: expect.stringContaining('what was sent'),
      });
      expect([server.tokenRequests, server.calls]).toEqual([2, 3]);
    },
  },
  {
    fault: 36,
    title: `a standing 401 reaches the caller as the client gives it, and costs one refresh, not one per call: ${adapter.name}`,
    async run(world) {
      const server = await world.server();
      server.inject({ at: 'api', status: 401, body: 'no', times: ALWAYS });
      const bare = await adapter.bare()(server.api);
      const call = world.attach(world.clientCredentials(server), adapter);
      for (let round = 0; round < 3; round++) {
        const { status, text, error } = await call(server.api);
        expect([status, text, (error as Error | undefined)?.name]).toEqual([401, 'no', (bare.error as Error | undefined)?.name]);
      }
      expect(server.tokenRequests).toBe(2);
    },
  },
  {
    fault: 37,
    title: `a 401 to a one-shot stream: the 401 itself, never an empty body, and the next call works: ${adapter.name}`,
    async run(world) {
      const server = await world.server();
      const call = world.attach(world.clientCredentials(server), adapter);
      await call(server.api);
      server.revokeTokens();
      const upload = () => call(server.api, { method: 'POST', body: new Blob(['an upload']).stream() });
      expect(await upload()).toMatchObject({ status: 401 });
      expect(world.events).toContainEqual(expect.objectContaining({ type: 'replay-skipped', reason: 'body-not-replayable' }));
      expect(await upload()).toMatchObject({ status: 200 });
      expect(server.requests.filter(({ method, route }) => method === 'POST' && route === 'api').map(({ text }) => text)).toEqual([
        'an upload',
        'an upload',
      ]);
      expect(server.tokenRequests).toBe(2);
    },
  },
  {
    fault: 47,
    title: `a nonce that is demanded for ever: one retry, with the nonce: ${adapter.name}`,
    async run(world) {
      const server = await world.server();
      let count = 0;
      server.inject({
        at: 'api',
        times: ALWAYS,
        transform: () => ({ status: 401, headers: { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"', 'DPoP-Nonce': `n${++count}` } }),
      });
      const call = world.attach(nonceLearner(world.secret('key', 'x-proof')), adapter);
      expect(await call(server.api)).toMatchObject({ status: 401 });
      expect(server.requests.map(({ headers }) => headers['x-nonce'])).toEqual(['none', 'n1']);
    },
  },
];

const spread: Readonly<Record<string, () => Promise<unknown>>> = {
  'all at once': () => Promise.resolve(),
  'within 100 ms': () => sleep(Math.random() * 100),
};

export const rejectionRows: readonly FaultRow[] = [
  ...adapters.flatMap(perAdapter),
  ...Object.entries(spread).flatMap(([when, pause]) =>
    [0, 100].map(
      (lateMs): FaultRow => ({
        fault: 38,
        title: `200 calls on a rejected token, ${when}, answers ${lateMs ? 'late' : 'early'}: one refresh, and no call fails`,
        async run(world) {
          const server = await world.server();
          const call = world.attach(world.clientCredentials(server));
          await call(server.api);
          server.revokeTokens();
          if (lateMs) server.inject({ at: 'api', delayMs: () => Math.random() * lateMs, times: ALWAYS });
          const answers = await Promise.all(Array.from({ length: 200 }, () => pause().then(() => call(server.api))));
          expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
          expect(server.tokenRequests).toBe(2);
        },
      }),
    ),
  ),
  {
    fault: 39,
    title: '10,000 callers on a cold start: one token request',
    async run(world) {
      const server = await world.server();
      server.inject({ at: 'token', delayMs: 50 });
      const strategy = world.clientCredentials(server);
      const tokens = await Promise.all(Array.from({ length: 10_000 }, () => strategy.getToken()));
      expect(new Set(tokens).size).toBe(1);
      expect(server.tokenRequests).toBe(1);
    },
  },
  ...(['scope', 'audience', 'resource', 'clientId', 'parameters'] as const).map(
    (option): FaultRow => ({
      fault: 40,
      title: `two tenants that differ by ${option} share a store and no token`,
      async run(world) {
        const server = await world.server();
        const store = memoryStore();
        const tenants = ['a', 'b'].map((tenant) => {
          const value = { resource: `https://${tenant}.example/`, parameters: { organization: tenant } }[option as string] ?? tenant;
          return world.clientCredentials(server, { store, [option]: value });
        });
        const again = world.clientCredentials(server, {
          store,
          [option]: option === 'resource' ? 'https://a.example/' : option === 'parameters' ? { organization: 'a' } : 'a',
        });
        const [a, b] = await Promise.all(tenants.map((strategy) => strategy.getToken()));
        expect(a?.accessToken).not.toBe(b?.accessToken);
        expect((await again.getToken()).accessToken).toBe(a?.accessToken);
        expect(server.tokenRequests).toBe(2);
      },
    }),
  ),
  {
    fault: 40,
    title: 'two users whose tokens ran out together: each call is answered for who made it',
    async run(world) {
      const server = await world.hostile();
      const auth = world.authorizationCode(server);
      for (const subject of ['alice', 'bob']) await world.signIn(auth, subject, subject);
      server.expireTokens();
      const answers = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const subject = index % 2 ? 'alice' : 'bob';
          const { text } = await world.attach(auth.session(subject))(`${server.apiUrl}/api/me`);
          return JSON.parse(text).sub === subject;
        }),
      );
      expect(answers).not.toContain(false);
      expect([server.refreshes, server.familyRevoked]).toEqual([2, false]);
    },
  },
  {
    fault: 46,
    title: 'a sign-out during a refresh: its result is thrown away, here and in the store',
    async run(world) {
      const server = await world.hostile();
      const store = memoryStore();
      const auth = world.authorizationCode(server, { store, storeKey: 'users' });
      await world.signIn(auth);
      const hold = server.holdRefresh();
      const refreshed = world.failureOf(auth.getToken({ forceRefresh: true }) as PromiseLike<unknown>);
      await hold.arrived;
      await auth.signOut();
      hold.release();
      expect(await refreshed).toMatchObject({ code: 'INTERACTION_REQUIRED' });
      expect(await store.get('users')).toBeUndefined();
      expect(await world.failureOf(() => auth.getToken())).toMatchObject({ code: 'INTERACTION_REQUIRED' });
    },
  },
  {
    fault: 46,
    title: 'a token that is invalidated while its refresh is under way: whoever waits gets a newer one',
    async run(world) {
      const server = await world.server();
      const store = memoryStore();
      const strategy = world.clientCredentials(server, { store, storeKey: 'key' });
      await strategy.getToken();
      server.inject({ ...tokenFaults.noAnswer, stall: undefined, delayMs: 100 } as never);
      const refreshed = strategy.getToken({ forceRefresh: true });
      await soon(() => server.issued.length).toBe(2);
      await strategy.invalidate();
      const { accessToken } = await refreshed;
      expect(accessToken).toBe(server.issued[2]);
      expect((await store.get('key'))?.entry.accessToken).toBe(accessToken);
    },
  },
];
