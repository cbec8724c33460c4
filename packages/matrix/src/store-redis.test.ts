// The Redis store against what every store has to do, and what only it does, through both clients and however they are set up.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { createTokenManager, type TokenSet, type TokenStore } from '@authseam/core';
import { type RedisStoreOptions, redisStore } from '@authseam/store-redis';
import { storeCases } from '@authseam/testing/conformance';
import { Cluster } from 'ioredis';
import { RESP_TYPES } from 'redis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { redisStoreSubject } from './fixtures/store-redis-subject.ts';
import { type ClientName, type ClientSettings, clientNames, oldestClientNames } from './redis/open-client.ts';
import { hasRedis } from './redis/redis-server.ts';
import { directClient, durableRedis, expectFailure, openStore, token } from './redis/store-bench.ts';

const isThere = hasRedis();
const KEY = 'key';
const allClientNames = [...clientNames, ...oldestClientNames];

beforeEach((context) => {
  if (!isThere) context.skip('needs redis-server');
});

describe.each(allClientNames.map((name) => redisStoreSubject(name)))('$name', (subject) => {
  for (const { name, run, skip } of storeCases) {
    it(name, async (context) => {
      const reason = skip?.(subject);
      if (reason !== undefined) context.skip(reason);
      await run(subject);
    });
  }
});

describe.each(allClientNames)('%s:', (name) => {
  it('a holder that was stopped for longer than its lock lived has its write refused', async () => {
    const redis = await durableRedis();
    const [stale, other] = [openStore(name, redis), openStore(name, redis)];
    const version = (await stale.set(KEY, token('first'))) as string;
    const lock = await stale.lock(KEY, { ttlMs: 100, waitMs: 0 });
    const second = await other.lock(KEY, { ttlMs: 10_000, waitMs: 2_000 });
    await other.delete(KEY, { ifVersion: version });
    await other.set(KEY, token('first'), { ifVersion: null });
    expect(await stale.set(KEY, token('stale'), { ifVersion: version })).toBe(false);
    await lock.release();
    await expectFailure('lock', () => stale.lock(KEY, { ttlMs: 100, waitMs: 0 }), /was not free within 0 ms/);
    await second.release();
  });

  it('a fresh token costs a cold process one round trip', async () => {
    const redis = await durableRedis();
    const fresh = { ...token('fresh'), receivedAtMs: Date.now(), expiresAtMs: Date.now() + 3_600_000 };
    await openStore(name, redis).set(KEY, fresh);
    const store = openStore(name, redis);
    await store.get('to be connected');
    const direct = directClient(redis);
    await direct.config('RESETSTAT');
    const tokens = createTokenManager({ key: KEY, store, fetchToken: () => Promise.reject(new Error('none is needed')) });
    expect((await tokens.getToken()).accessToken).toBe('fresh');
    const counts = [...(await direct.info('commandstats')).matchAll(/cmdstat_(\S+):calls=(\d+)/g)].map(([, command, calls]) => [
      command,
      calls,
    ]);
    expect(counts.filter(([command]) => !/^(?:config|info)/.test(command ?? ''))).toEqual([['get', '1']]);
  });

  it('machines whose clocks are ten minutes apart share a token, and each other’s next one', async () => {
    const redis = await durableRedis();
    let fetched = 0;
    const machine = (offsetMs: number) => {
      const now = (): number => Date.now() + offsetMs;
      const fetchToken = (): TokenSet => ({ ...token(`${++fetched}`), refreshToken: 'r', expiresAtMs: now() + 3_600_000 });
      return createTokenManager({ key: KEY, store: openStore(name, redis, { now }), fetchToken, now });
    };
    const [fast, slow] = [machine(300_000), machine(-300_000)];
    const seen = async () => [(await fast.getToken()).accessToken, (await slow.getToken()).accessToken];
    expect(await seen()).toEqual(['1', '1']);
    for (const [first, second] of [
      [fast, slow],
      [slow, fast],
    ] as const) {
      const rejected = await first.getToken();
      await first.getToken({ forceRefresh: true });
      await second.rejected(rejected);
      expect(await seen()).toEqual([`${fetched}`, `${fetched}`]);
    }
    expect(fetched).toBe(3);
  });

  it('entries expire when they are of no more use, whatever the clock says', async () => {
    const redis = await durableRedis();
    const direct = directClient(redis);
    const ttlOf = async (entry: TokenSet, options: Partial<RedisStoreOptions> = {}): Promise<number> => {
      await openStore(name, redis, options).set(KEY, entry);
      return direct.pttl((await direct.keys('*:entry'))[0] ?? '');
    };
    const hour = { ...token('a'), receivedAtMs: 0, expiresAtMs: 3_600_000 };
    expect(await ttlOf(hour)).toSatisfy((ms: number) => ms > 4_190_000 && ms <= 4_200_000);
    expect(await ttlOf({ ...token('a'), expiresAtMs: 1_000_000 }, { now: () => 900_000 })).toSatisfy(
      (ms: number) => ms > 690_000 && ms <= 700_000,
    );
    expect(await ttlOf({ ...hour, expiresAtMs: 1e300 })).toBeGreaterThan(1e12);
    expect(await ttlOf({ ...hour, refreshToken: 'r' })).toBe(-1);
    expect(await ttlOf(token('a'))).toBe(-1);
    expect(await ttlOf({ ...hour, refreshToken: 'r' }, { keepForMs: 50_000 })).toSatisfy((ms: number) => ms > 40_000 && ms <= 50_000);
    expect(await ttlOf(hour, { keepForMs: 50_000 })).toBeGreaterThan(4_000_000);
  });
});

const unusual: readonly (readonly [string, ClientName, ClientSettings])[] = [
  ['ioredis, with a key prefix', 'ioredis', { ioredis: { keyPrefix: 'mine:' } }],
  ['ioredis, that connects when it is first used', 'ioredis', { ioredis: { lazyConnect: true } }],
  ['ioredis, without a queue', 'ioredis', { ioredis: { enableOfflineQueue: false } }],
  ['ioredis, that pipelines by itself', 'ioredis', { ioredis: { enableAutoPipelining: true } }],
  ['ioredis, with numbers as text', 'ioredis', { ioredis: { stringNumbers: true } }],
  ['ioredis, in RESP3', 'ioredis', { ioredis: { protocol: 3, replyMapping: 'resp3' } }],
  ['node-redis, without a queue', 'node-redis', { nodeRedis: { disableOfflineQueue: true } }],
  ['node-redis, in RESP2', 'node-redis', { nodeRedis: { RESP: 2 } }],
  [
    'node-redis, with bytes for text and text for numbers',
    'node-redis',
    {
      nodeRedis: { commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String } } },
    },
  ],
];

it.each(unusual)('works with %s', async (_, name, settings) => {
  await expectToWork(openStore(name, await durableRedis(), {}, settings));
});

it.each(allClientNames)('works with the rights that README.md lists (%s)', async (name) => {
  const readme = readFileSync(new URL('../../store-redis/README.md', import.meta.url), 'utf8');
  const [, keys = '', commands = ''] = /`(~\S+)` and `([+a-z ]+)`/.exec(readme) ?? [];
  const redis = await durableRedis(['--user', 'default', 'reset', 'on', 'nopass', keys, ...commands.split(' ')]);
  await expectToWork(openStore(name, redis));
});

it('works with a cluster client of ioredis, which reads from masters only', async () => {
  const port = await freePort();
  const redis = await durableRedis(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--port', `${port}`]);
  const direct = directClient(redis);
  await direct.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await expect.poll(() => direct.call('CLUSTER', 'INFO')).toContain('cluster_state:ok');
  const client = new Cluster([{ host: '127.0.0.1', port }]);
  onTestFinished(() => client.disconnect());
  const store = redisStore({ client });
  const lock = await store.lock(KEY, { ttlMs: 1_000, waitMs: 0 });
  const version = (await store.set(KEY, token('first'))) as string;
  expect(await store.set(KEY, token('second'), { ifVersion: version })).toEqual(expect.any(String));
  await direct.set((await direct.keys('*:entry'))[0] ?? '', 'damaged');
  await expectFailure('get', () => store.get(KEY), /is set aside/);
  await lock.release();
});

/** Every script and every command of the store. */
async function expectToWork(store: Required<TokenStore>): Promise<void> {
  const first = await store.set(KEY, token('first'), { ifVersion: null });
  expect(first).toEqual(expect.any(String));
  const second = { ...token('second'), expiresAtMs: Date.now() + 60_000 };
  expect(await store.set(KEY, second, { ifVersion: first as string })).toEqual(expect.any(String));
  expect((await store.get(KEY))?.entry).toEqual(second);
  const lock = await store.lock(KEY, { ttlMs: 1_000, waitMs: 0 });
  await expectFailure('lock', () => store.lock(KEY, { ttlMs: 1_000, waitMs: 0 }), /was not free/);
  await lock.release();
  expect(await store.delete(KEY)).toBe(true);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
