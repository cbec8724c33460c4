// The way to the token endpoint and back: late, silent, broken, or not there.
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuthError, memoryStore } from '@authseam/core';
import { loopbackServer, tokenFaults } from '@authseam/testing';
import { expect } from 'vitest';
import { selfSigned } from '../../../testing/src/fixtures/self-signed.ts';
import type { FaultRow } from './fault-row.ts';
import { soon } from './soon.ts';
import type { World } from './world.ts';

/** What a socket has on its way is there by now, in real time. */
const arrived = (): Promise<void> => sleep(20);
const retries = ({ events }: World): number => events.filter(({ type }) => type === 'token-request-retry').length;

/** A header, and after how many milliseconds the next request goes out. The default backoff, half of 500 ms here, is what an unfit one means. */
const retryAfter: readonly (readonly [title: string, header: (nowMs: number) => string, waitMs: number])[] = [
  ['of 2 s is waited for', () => '2', 2_000],
  ['that is a date 20 s ahead is waited for', (nowMs) => new Date(nowMs + 20_000).toUTCString(), 20_000],
  ['of 0 means at once', () => '0', 0],
  ['that is past counts for nothing', () => 'Wed, 21 Oct 2015 07:28:00 GMT', 250],
  ['that is negative counts for nothing', () => '-5', 250],
  ['of three thousand years counts for nothing', () => '99999999999', 250],
  ['of more than 60 s counts for nothing', () => '61', 250],
  ['that is no time counts for nothing', () => 'soon', 250],
];

const waitedFor = ([title, header, waitMs]: (typeof retryAfter)[number]): FaultRow => ({
  fault: 2,
  title: `a Retry-After ${title}`,
  async run(world) {
    world.clock.jump(1000 - (world.clock.now() % 1000)); // dates have no milliseconds
    const server = await world.server();
    server.inject({ at: 'token', status: 503, headers: { 'Retry-After': header(world.clock.now()) } });
    using _ = world.clock.takeTimers();
    const answered = world.attach(world.clientCredentials(server, { random: () => 0.5 }))(server.api);
    await soon(() => retries(world)).toBe(1);
    if (waitMs > 0) {
      await world.clock.advance(waitMs - 1);
      await arrived();
      expect(server.tokenRequests).toBe(1);
    }
    await world.clock.advance(1);
    expect(await answered).toMatchObject({ status: 200 });
  },
});

const failsNow = (seconds: number): FaultRow => ({
  fault: 2,
  title: `a Retry-After of ${seconds} s fails now, and no token request goes out before then`,
  async run(world) {
    const server = await world.server();
    server.inject({ ...tokenFaults.unavailable, headers: { 'Retry-After': `${seconds}` } });
    const call = world.attach(world.clientCredentials(server));
    const refused = { code: 'TOKEN_ENDPOINT_ERROR', status: 503, retryAfterMs: seconds * 1000 };
    expect(await world.failureOf(call(server.api))).toMatchObject(refused);
    world.clock.jump(seconds * 1000 - 1);
    expect(await world.failureOf(call(server.api))).toMatchObject(refused);
    expect(server.tokenRequests).toBe(1);
    world.clock.jump(1);
    expect(await call(server.api)).toMatchObject({ status: 200 });
  },
});

/** Three callers wait, three times ten seconds. */
const silent = (fault: number, title: string, name: 'neverArrives' | 'noAnswer' | 'answerStalls'): FaultRow => ({
  fault,
  title: `${title}: given up after 10 s, tried again, and all who wait get the typed error`,
  async run(world) {
    const server = await world.server();
    server.inject({ ...tokenFaults[name], times: 3 });
    const call = world.attach(world.clientCredentials(server));
    using _ = world.clock.takeTimers();
    const startedAtMs = world.clock.now();
    const errors: AuthError[] = [];
    const waiting = [1, 2, 3].map(() => world.failureOf(call(server.api)).then((error) => errors.push(error)));
    for (let attempt = 1; attempt <= 3; attempt++) {
      await soon(() => server.tokenRequests).toBe(attempt);
      await world.clock.advance(9_990);
      await arrived();
      expect([server.tokenRequests, errors.length]).toEqual([attempt, 0]);
      // A pause of no length takes a millisecond, and the last attempt has what is left of 30 s.
      await world.clock.advance(attempt < 3 ? 10 : 8);
      if (attempt < 3) await soon(() => retries(world)).toBe(attempt);
      if (attempt < 3) await world.clock.advance(1);
    }
    await Promise.all(waiting);
    expect(world.clock.now() - startedAtMs).toBe(30_000);
    for (const error of errors) expect(error).toMatchObject({ code: 'TOKEN_REQUEST_TIMEOUT', strategy: 'clientCredentials' });
  },
});

export const transportRows: readonly FaultRow[] = [
  ...retryAfter.map(waitedFor),
  ...[45, 60].map(failsNow),
  silent(4, 'no answer, though the server did its work', 'noAnswer'),
  silent(4, 'silence from the start', 'neverArrives'),
  silent(5, 'headers, then a body that stalls', 'answerStalls'),
  {
    fault: 4,
    title: 'a fetch that ignores its signal holds nobody longer',
    async run(world) {
      const server = await world.server();
      const strategy = world.clientCredentials(server, { fetch: () => new Promise(() => undefined) });
      using _ = world.clock.takeTimers();
      const failing = world.failureOf(strategy.getToken() as PromiseLike<unknown>);
      for (let attempt = 1; attempt <= 3; attempt++) await world.clock.advance(10_001);
      expect(await failing).toMatchObject({ code: 'TOKEN_REQUEST_TIMEOUT' });
    },
  },
  ...(['refused', 'answerLost', 'answerCutOff'] as const).flatMap((name): FaultRow[] => [
    {
      fault: 6,
      title: `${name}, three times: a typed error`,
      async run(world) {
        const server = await world.server();
        server.inject({ ...tokenFaults[name], times: 3 });
        const call = world.attach(world.clientCredentials(server));
        expect(await world.failureOf(call(server.api))).toMatchObject({ code: 'TOKEN_REQUEST_FAILED', strategy: 'clientCredentials' });
        expect([server.tokenRequests, server.calls]).toEqual([3, 0]);
        expect(await call(server.api)).toMatchObject({ status: 200 });
      },
    },
    {
      fault: 6,
      title: `${name}, once: the call works`,
      async run(world) {
        const server = await world.server();
        server.inject(tokenFaults[name]);
        expect(await world.attach(world.clientCredentials(server))(server.api)).toMatchObject({ status: 200 });
        expect([server.tokenRequests, retries(world)]).toEqual([2, 1]);
      },
    },
  ]),
  {
    fault: 6,
    title: 'a refresh that never arrived is tried twice at most, and the session is as it was',
    async run(world) {
      const server = await world.hostile();
      const auth = world.authorizationCode(server);
      await world.signIn(auth);
      server.inject({ ...tokenFaults.refused, times: 2 });
      server.expireTokens();
      const call = world.attach(auth);
      expect(await world.failureOf(call(`${server.apiUrl}/api/me`))).toMatchObject({ code: 'TOKEN_REQUEST_FAILED' });
      expect([server.refreshes, server.familyRevoked]).toEqual([2, false]);
      expect(await call(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
    },
  },
  ...(['answerLost', 'answerCutOff', 'withoutToken'] as const).map(
    (name): FaultRow => ({
      fault: 6,
      title: `the refresh token was rotated and nobody told (${name}), at a server that forgives: nothing is lost`,
      async run(world) {
        const server = await world.hostile({ graceSeconds: 30 });
        const auth = world.authorizationCode(server);
        const { refreshToken } = await world.signIn(auth);
        server.inject(tokenFaults[name]);
        const refresh = () => auth.getToken({ forceRefresh: true });
        // An answer that is none is not asked for again at once.
        if (name === 'withoutToken') await world.failureOf(refresh);
        const fresh = await refresh();
        expect(fresh.refreshToken).not.toBe(refreshToken);
        expect([server.refreshes, server.familyRevoked]).toEqual([2, false]);
        expect(await world.attach(auth)(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
        await auth.getToken({ forceRefresh: true });
        expect(server.familyRevoked).toBe(false);
      },
    }),
  ),
  {
    fault: 6,
    title: 'the same at a server that does not: a person has to sign in, few requests say so, and then it works again',
    async run(world) {
      const server = await world.hostile();
      const store = memoryStore();
      const auth = world.authorizationCode(server, { store, storeKey: 'users' });
      await world.signIn(auth);
      server.inject(tokenFaults.answerLost);
      server.expireTokens();
      const call = world.attach(auth);
      for (let round = 0; round < 3; round++)
        expect(await world.failureOf(call(`${server.apiUrl}/api/me`))).toMatchObject({ code: 'INTERACTION_REQUIRED' });
      expect([server.refreshes, server.familyRevoked, await store.get('users')]).toEqual([2, true, undefined]);
      await world.signIn(auth);
      expect(await call(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
    },
  },
  {
    fault: 6,
    title: 'the same, and another process has refreshed meanwhile: its token serves, and nothing is sent again',
    async run(world) {
      const server = await world.hostile();
      const store = memoryStore();
      const auth = world.authorizationCode(server, { store, storeKey: 'users', random: () => 0.5 });
      await world.signIn(auth);
      const newer = await world.signIn(world.authorizationCode(server));
      server.inject(tokenFaults.answerLost);
      using _ = world.clock.takeTimers();
      const refreshed = auth.getToken({ forceRefresh: true });
      await soon(() => retries(world)).toBe(1);
      await store.set('users', newer);
      await world.clock.advance(250);
      expect(await refreshed).toMatchObject({ accessToken: newer.accessToken });
      expect([server.refreshes, server.familyRevoked]).toEqual([1, false]);
    },
  },
  {
    fault: 7,
    title: 'a refused connection is tried three times',
    async run(world) {
      const server = await world.server();
      const strategy = world.clientCredentials(server);
      await server.close();
      expect(await world.failureOf(() => strategy.getToken())).toMatchObject({ code: 'TOKEN_REQUEST_FAILED' });
      expect(retries(world)).toBe(2);
    },
  },
  {
    fault: 7,
    title: 'a name that does not resolve is tried three times',
    async run(world) {
      const cause = Object.assign(new Error('getaddrinfo ENOTFOUND login.example.com'), { code: 'ENOTFOUND' });
      const strategy = world.clientCredentials(await world.server(), {
        fetch: () => Promise.reject(new TypeError('fetch failed', { cause })),
      });
      expect(await world.failureOf(() => strategy.getToken())).toMatchObject({ code: 'TOKEN_REQUEST_FAILED' });
      expect(retries(world)).toBe(2);
    },
  },
  {
    fault: 7,
    title: 'a certificate that does not verify is asked once, and told nothing',
    async run(world) {
      const impostor = await world.open(loopbackServer({ host: 'localhost', tls: selfSigned() }));
      const strategy = world.clientCredentials(await world.server(), { tokenEndpoint: `${impostor.origin}/token` });
      expect(await world.failureOf(() => strategy.getToken())).toMatchObject({ code: 'TOKEN_REQUEST_FAILED' });
      expect([retries(world), impostor.requests.length]).toEqual([0, 0]);
    },
  },
];
