// Many who share one token: over a file store, over a real Redis, and when that store is damaged, full or away.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryStore, type TokenStore } from '@authseam/core';
import { fileStore } from '@authseam/store-file';
import { redisStore } from '@authseam/store-redis';
import { expect } from 'vitest';
import { inDirectory } from '../fixtures/store-file-runs.ts';
import { KEY, type RenewResult } from '../fixtures/store-file-worker.ts';
import { clientNames, openClient } from '../redis/open-client.ts';
import { hasRedis, startRedis } from '../redis/redis-server.ts';
import type { FaultRow } from './fault-row.ts';
import { soon } from './soon.ts';
import type { World } from './world.ts';

/** A store, each time as another process opens it. */
type Opener = (process: number) => Required<TokenStore>;

interface SharedStore {
  readonly name: string;
  readonly skip?: () => string | undefined;
  readonly using: (world: World, work: (open: Opener) => Promise<void>) => Promise<void>;
}

const stores: readonly SharedStore[] = [
  {
    name: 'memory',
    using(_, work) {
      const store = memoryStore();
      return work(() => store as Required<TokenStore>);
    },
  },
  {
    name: 'files',
    using(world, work) {
      const directory = world.directory();
      return work(() => fileStore({ directory }));
    },
  },
  {
    name: 'Redis',
    skip: () => (hasRedis() ? undefined : 'needs redis-server'),
    async using(_, work) {
      await using redis = await startRedis();
      const opened: { close(): void }[] = [];
      try {
        await work((process) => {
          const { client, close } = openClient(clientNames[process % clientNames.length] ?? 'ioredis', redis.socket);
          opened.push({ close });
          return redisStore({ client });
        });
      } finally {
        for (const { close } of opened) close();
      }
    },
  },
];

const eight = Array.from({ length: 8 }, (_, index) => index);

const overStore = ({ name, using, ...rest }: SharedStore): readonly FaultRow[] => [
  {
    fault: 41,
    title: `eight of one session, a server that revokes the family on reuse: one refresh per expiry, no call fails: ${name}`,
    ...rest,
    run: (world) =>
      using(world, async (open) => {
        const server = await world.hostile();
        const sessions = eight.map((process) => world.authorizationCode(server, { store: open(process), storeKey: 'users' }));
        await world.signIn(sessions[0] as (typeof sessions)[number]);
        const calls = sessions.map((auth) => world.attach(auth));
        for (let round = 0; round < 4; round++) {
          const answers = await Promise.all(calls.map((call) => call(`${server.apiUrl}/api/me`)));
          expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
          expect([server.refreshes, server.familyRevoked]).toEqual([round, false]);
          // By the API's word, and by the clock.
          if (round % 2) server.expireTokens();
          else await world.clock.advance(3_600_000);
        }
      }),
  },
  {
    fault: 43,
    title: `a holder that stood still for longer than its lock lives: its write is refused, and the lock of the next one stays: ${name}`,
    ...rest,
    run: (world) =>
      using(world, async (open) => {
        const [slow, next, third] = [0, 1, 2].map((process) => world.watch(open(process))) as [
          Required<TokenStore>,
          Required<TokenStore>,
          Required<TokenStore>,
        ];
        const entry = (label: string) => ({ accessToken: world.secret(label), tokenType: 'Bearer' });
        await slow.set('key', entry('first'));
        const lost = await slow.lock('key', { ttlMs: 150, waitMs: 0 });
        const found = await slow.get('key');
        const lock = await next.lock('key', { ttlMs: 10_000, waitMs: 5_000 });
        const second = entry('second');
        expect(await next.set('key', second, { ifVersion: found?.version ?? null })).toEqual(expect.any(String));
        expect(await slow.set('key', entry('late'), { ifVersion: found?.version ?? null })).toBe(false);
        await lost.release();
        expect(await third.get('key')).toMatchObject({ entry: second });
        expect(await world.failureOf(third.lock('key', { ttlMs: 1_000, waitMs: 50 }))).toMatchObject({ operation: 'lock' });
        await lock.release();
      }),
  },
];

const damages: Readonly<Record<string, (text: string) => string>> = {
  'cut off': (text) => text.slice(0, -20),
  empty: () => '',
  'no JSON': (text) => `${text}}`,
  'of another version': (text) => text.replace(/"(?:format|version|v)":\s*\d+/, (member) => member.replace(/\d+/, '99')),
};

const damaged = ([what, damage]: [string, (text: string) => string]): FaultRow => ({
  fault: 44,
  title: `a file that is ${what} is set aside: that call fails, the next one finds nothing, and a person can sign in`,
  async run(world) {
    const [server, directory] = [await world.hostile(), world.directory()];
    const open = () => world.authorizationCode(server, { store: fileStore({ directory }), storeKey: 'users' });
    await world.signIn(open());
    const paths = () => readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));
    const [file = ''] = paths().filter((path) => path.endsWith('.json'));
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, damage(before));
    expect(readFileSync(file, 'utf8')).not.toBe(before);
    const auth = open();
    expect(await world.failureOf(() => auth.getToken())).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'get' });
    const [aside = ''] = paths().filter((path) => /\.damaged-\d+$/.test(path));
    expect(statSync(aside).mode & 0o777).toBe(0o600);
    expect(await world.failureOf(() => auth.getToken())).toMatchObject({ code: 'INTERACTION_REQUIRED' });
    await world.signIn(auth);
    expect(await world.attach(open())(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
  },
});

export const sharingRows: readonly FaultRow[] = [
  ...stores.flatMap(overStore),
  ...Object.entries(damages).map(damaged),
  {
    fault: 45,
    title: 'a full disk: the old entry stays, the new token serves from memory, and an event says so',
    skip: () => (process.platform === 'win32' ? 'needs a limit for files' : undefined),
    run: () =>
      inDirectory(async ({ directory, start }) => {
        const old = { accessToken: 'old', tokenType: 'Bearer', refreshToken: 'old', expiresAtMs: 1 };
        await fileStore({ directory }).set(KEY, old);
        const { lengths, events, stored } = (await start({ task: 'renew', length: 200_000 }, { largestFile: 64 }).result) as RenewResult;
        expect(lengths).toEqual([200_000, 200_000]);
        expect(events).toContainEqual(expect.objectContaining({ type: 'token-store-failed', operation: 'set' }));
        expect(stored).toEqual(old);
      }),
  },
  {
    fault: 45,
    title:
      'a store that takes no write and quotes it: the rotated token serves from memory, the next refresh starts from it, nothing is shown',
    async run(world) {
      const server = await world.hostile();
      const store = memoryStore();
      let isFull = false;
      const full: TokenStore = {
        ...store,
        async set(key, entry, options) {
          if (isFull) throw new Error(`ENOSPC: no space left for ${JSON.stringify(entry)}`);
          return store.set(key, entry, options);
        },
      };
      const auth = world.authorizationCode(server, { store: full, storeKey: 'users' });
      await world.signIn(auth);
      const before = await store.get('users');
      isFull = true;
      for (let round = 1; round <= 2; round++) {
        await auth.getToken({ forceRefresh: true });
        expect(await world.attach(auth)(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
        expect(await store.get('users')).toEqual(before);
      }
      expect([server.refreshes, server.familyRevoked]).toEqual([2, false]);
      expect(world.events.filter((event) => event.type === 'token-store-failed' && event.operation === 'set')).toHaveLength(2);
      expect(await world.failureOf(world.signIn(auth))).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'set' });
    },
  },
  {
    fault: 'sharing',
    title:
      'a store that answers nobody is waited for 2 s: a grant without state goes on without it, a rotating one fails and sends nothing',
    async run(world) {
      const [server, hostile] = [await world.server(), await world.hostile()];
      const store = memoryStore();
      let isAway = false;
      let unanswered = 0;
      const away = <T>(answer: () => T): T | Promise<never> => {
        if (!isAway) return answer();
        unanswered += 1;
        return new Promise<never>(() => undefined);
      };
      const quiet: TokenStore = {
        get: (key) => away(() => store.get(key)),
        set: (key, entry, options) => away(() => store.set(key, entry, options)),
        delete: (key, options) => away(() => store.delete(key, options)),
      };
      const auth = world.authorizationCode(hostile, { store: quiet, storeKey: 'users' });
      await world.signIn(auth);
      isAway = true;
      using _ = world.clock.takeTimers();
      const settled = { stateless: 0, rotating: 0 };
      const stateless = Promise.resolve(world.clientCredentials(server, { store: quiet }).getToken()).finally(() => {
        settled.stateless = world.clock.now();
      });
      const startedAtMs = world.clock.now();
      const rotating = world.failureOf(auth.getToken({ forceRefresh: true }) as PromiseLike<unknown>).finally(() => {
        settled.rotating = world.clock.now();
      });
      await soon(() => unanswered).toBe(2); // both read
      await world.clock.advance(2_000);
      await soon(() => unanswered).toBe(3); // one has a token, and writes it
      await world.clock.advance(2_000);
      expect(await stateless).toMatchObject({ accessToken: server.issued[0] });
      expect(await rotating).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'get' });
      expect([settled.stateless - startedAtMs, settled.rotating - startedAtMs]).toEqual([4_000, 2_000]);
      expect(hostile.refreshes).toBe(0);
      // A token in memory goes on serving.
      expect(await world.attach(auth)(`${hostile.apiUrl}/api/me`)).toMatchObject({ status: 200 });
    },
  },
];
