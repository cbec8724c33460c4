// The Redis store when Redis is slow, away, restarted, full, a replica or not for us; through both clients, against a real Redis.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenSet, TokenStore } from '@authseam/core';
import { redisStore } from '@authseam/store-redis';
import { findSecret, plantSecret } from '@authseam/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type ClientName, clientNames, openClient } from './redis/open-client.ts';
import { hasRedis, type RedisServer } from './redis/redis-server.ts';
import { directClient, durableRedis, expectFailure, openStore, TIMEOUT_MS, token } from './redis/store-bench.ts';

const isThere = hasRedis();
const KEY = 'key';
const hasty = { timeoutMs: TIMEOUT_MS };

/** Every operation, as the store's users call it. */
const operations: Readonly<Record<string, (store: Required<TokenStore>) => unknown>> = {
  get: (store) => store.get(KEY),
  set: (store) => store.set(KEY, token('late')),
  delete: (store) => store.delete(KEY),
  lock: (store) => store.lock(KEY, { ttlMs: 10_000, waitMs: 0 }),
};

beforeEach((context) => {
  if (!isThere) context.skip('needs redis-server');
});

describe.each(clientNames)('%s:', (name) => {
  describe('Redis does not answer', () => {
    it.each(Object.entries(operations))('%s fails in time, and is not carried out later', async (operation, run) => {
      const redis = await durableRedis();
      const store = openStore(name, redis, hasty);
      await stored(redis);
      await reached(store);
      redis.signal('SIGSTOP');
      await expectFailure(operation, () => run(store), /did not answer within 1000 ms/);
      redis.signal('SIGCONT');
      await sleep(300);
      expect((await store.get(KEY))?.entry).toEqual(token('first'));
      await (await store.lock(KEY, { ttlMs: 1_000, waitMs: 0 })).release();
    });

    it('a write over a version goes on, and the lock is released after it', async () => {
      const redis = await durableRedis();
      const [store, other] = [openStore(name, redis, hasty), openStore(name, redis)];
      const version = await stored(redis);
      await reached(store);
      const lock = await store.lock(KEY, { ttlMs: 10_000, waitMs: 0 });
      redis.signal('SIGSTOP');
      await expectFailure('set', () => store.set(KEY, token('rotated'), { ifVersion: version }), /did not answer/);
      await expectFailure('release', () => lock.release(), /did not answer/);
      redis.signal('SIGCONT');
      const next = await other.lock(KEY, { ttlMs: 10_000, waitMs: 2_000 });
      expect((await other.get(KEY))?.entry).toEqual(token('rotated'));
      await next.release();
    });
  });

  describe('the connection fails at the worst moment', () => {
    it.each([
      ['set', undefined],
      ['set', null],
      ['delete', undefined],
    ] as const)('%s over %s that reaches Redis late is left', async (operation, ifVersion) => {
      const redis = await durableRedis();
      const store = interceptedStore(name, redis, (kind, send) => {
        if (kind === 'change') redis.signal('SIGSTOP');
        return send();
      });
      const first = ifVersion === undefined ? token('first') : undefined;
      await (first ? stored(redis) : warmedUp(redis));
      await reached(store);
      const run = () =>
        operation === 'set' ? store.set(KEY, token('late'), { ...(ifVersion === null && { ifVersion }) }) : store.delete(KEY);
      await expectFailure(operation, run, /did not answer/);
      await sleep(500);
      redis.signal('SIGCONT');
      await sleep(100);
      expect((await openStore(name, redis).get(KEY))?.entry).toEqual(first);
    });

    it('a lock stays as long as a write under it is on its way, however slow', async () => {
      const redis = await durableRedis();
      const version = await stored(redis);
      const store = interceptedStore(name, redis, async (kind, send) => {
        if (kind === 'write over') await sleep(2 * TIMEOUT_MS);
        return send();
      });
      await reached(store);
      const lock = await store.lock(KEY, { ttlMs: 10_000, waitMs: 0 });
      await expectFailure('set', () => store.set(KEY, token('rotated'), { ifVersion: version }), /did not answer/);
      lock.release().catch(() => {});
      const other = openStore(name, redis);
      const next = await other.lock(KEY, { ttlMs: 10_000, waitMs: 5_000 });
      expect((await other.get(KEY))?.entry).toEqual(token('rotated'));
      await next.release();
    });

    it('what was carried out, but not answered, is sent again and does its work once', async () => {
      const redis = await durableRedis();
      let lost = 0;
      const answered = new Set<string>();
      const store = interceptedStore(name, redis, async (kind, send, id) => {
        const reply = await send();
        if (answered.has(id)) return reply;
        answered.add(id);
        lost += 1;
        throw new Error(`Socket closed unexpectedly (${kind})`);
      });
      const version = await store.set(KEY, token('first'), { ifVersion: null });
      expect(version).toEqual(expect.any(String));
      const second = await store.set(KEY, token('second'), { ifVersion: version as string });
      expect((await store.get(KEY))?.version).toBe(second);
      const lock = await store.lock(KEY, { ttlMs: 10_000, waitMs: 0 });
      await lock.release();
      await (await openStore(name, redis).lock(KEY, { ttlMs: 1_000, waitMs: 0 })).release();
      expect(lost).toBeGreaterThanOrEqual(6);
    });
  });

  describe('Redis is away', () => {
    it.each(Object.entries(operations))('%s fails in time, and is not carried out later', async (operation, run) => {
      const redis = await durableRedis();
      const store = openStore(name, redis, hasty);
      await stored(redis);
      await reached(store);
      redis.signal('SIGKILL');
      await expectFailure(operation, () => run(store), /no connection to Redis .* within 1000 ms|did not answer within 1000 ms/);
      await redis.restart();
      expect(await reached(store)).toEqual(token('first'));
      await sleep(300);
      expect((await store.get(KEY))?.entry).toEqual(token('first'));
      await (await store.lock(KEY, { ttlMs: 1_000, waitMs: 0 })).release();
    });

    it('a write over a version goes on, and is not undone by what others have written meanwhile', async () => {
      const redis = await durableRedis();
      const [store, other] = [openStore(name, redis, hasty), openStore(name, redis)];
      const version = await stored(redis);
      await reached(store);
      redis.signal('SIGKILL');
      await expectFailure('set', () => store.set(KEY, token('rotated'), { ifVersion: version }), /within 1000 ms/);
      await redis.restart();
      await expect.poll(() => reached(other)).toEqual(token('rotated'));
      const lock = await store.lock(KEY, { ttlMs: 1_000, waitMs: 1_000 });
      expect(await store.set(KEY, token('stale'), { ifVersion: version })).toBe(false);
      await lock.release();
    });

    it('for as long as a restart takes: nobody notices', async () => {
      const redis = await durableRedis();
      const store = openStore(name, redis, { timeoutMs: 5_000 });
      const version = await stored(redis);
      await reached(store);
      redis.signal('SIGKILL');
      const reading = store.get(KEY);
      const writing = store.set(KEY, token('second'), { ifVersion: version });
      const locking = store.lock('other key', { ttlMs: 1_000, waitMs: 0 });
      await redis.restart();
      expect((await reading)?.version).toBe(version);
      expect(await writing).toEqual(expect.any(String));
      await (await locking).release();
      expect((await store.get(KEY))?.entry).toEqual(token('second'));
    });

    it('from the start: it fails in time, and works once Redis is there', async () => {
      const redis = await durableRedis();
      redis.signal('SIGKILL');
      const store = openStore(name, redis, hasty);
      await expectFailure('set', () => store.set(KEY, token('late')), /no connection to Redis/);
      await redis.restart();
      expect(await reached(store)).toBeUndefined();
    });

    it('a client that was closed is refused at once', async () => {
      const redis = await durableRedis();
      const { client, close } = openClient(name, redis.socket);
      const store = redisStore({ client });
      await store.get(KEY);
      close();
      await sleep(50);
      await expectFailure('get', () => store.get(KEY), /the client is closed/, 500);
    });
  });

  describe('what is told of an error', () => {
    const [accessToken, refreshToken, password] = ['access token', 'refresh token', 'password'].map(plantSecret) as [
      string,
      string,
      string,
    ];
    const secret = { accessToken, tokenType: 'Bearer', refreshToken };

    it.each([
      ['READONLY', ['--replicaof', '127.0.0.1', '1'], undefined],
      ['OOM', ['--maxmemory', '1'], undefined],
      ['MISCONF', [], undefined],
      ['ERR unknown command …', ['--rename-command', 'EVALSHA', '', '--rename-command', 'EVAL', ''], 'v'],
      ['NOPERM', ['--user', 'default', 'on', 'nopass', '~*', '+@all', '-evalsha', '-eval'], 'v'],
    ])('%s: what Redis said, and no secret', async (code, settings, version) => {
      const redis = await durableRedis(settings);
      if (code === 'MISCONF') await failToSave(redis);
      const store = openStore(name, redis, { prefix: 'x' });
      const write = () => store.set(KEY, secret, version === undefined ? {} : { ifVersion: version });
      const error = await expectFailure('set', write, new RegExp(`Redis answered ${code}`));
      expect(findSecret(error, [accessToken, refreshToken])).toEqual([]);
    });

    it('a wrong password: no password, and no secret', async () => {
      const redis = await durableRedis(['--requirepass', 'another one']);
      const store = openStore(name, redis, hasty, { password });
      const error = await expectFailure('set', () => store.set(KEY, secret), /set failed/);
      expect(findSecret(error, [accessToken, refreshToken, password])).toEqual([]);
    });

    it('something else under the key: what to do', async () => {
      const redis = await durableRedis();
      const store = openStore(name, redis);
      await store.set(KEY, token('first'));
      const direct = directClient(redis);
      const [entry = ''] = await direct.keys('*:entry');
      await direct.multi().del(entry).hset(entry, 'a', 'b').exec();
      await expectFailure('get', () => store.get(KEY), /choose another `prefix`/);
    });
  });

  it.each([
    ['no format of ours', (value: string) => value.slice(1)],
    ['cut off', (value: string) => value.slice(0, -5)],
    ['no entry', (value: string) => value.replace(/\{.*/, '[]')],
  ])('an entry that is damaged (%s) is set aside: that call fails, the next one finds nothing', async (_, damage) => {
    const redis = await durableRedis();
    const store = openStore(name, redis);
    await store.set(KEY, token('first'));
    const direct = directClient(redis);
    const [entry = ''] = await direct.keys('*:entry');
    await direct.set(entry, damage((await direct.get(entry)) ?? ''));
    await expectFailure('get', () => store.get(KEY), /damaged, and is set aside for a day as authseam:\{\w+\}:damaged/);
    expect(await store.get(KEY)).toBeUndefined();
    expect(await direct.pttl((await direct.keys('*:damaged'))[0] ?? '')).toBeGreaterThan(80_000_000);
    expect(await store.set(KEY, token('second'), { ifVersion: null })).toEqual(expect.any(String));
  });
});

/** Puts the token `first` there, with all the time that it takes. @returns Its version. */
async function stored(redis: RedisServer): Promise<string> {
  return (await (await warmedUp(redis)).set(KEY, token('first'))) as string;
}

/** A store that has used every script: Redis knows them, and carries them out also when they come late. */
async function warmedUp(redis: RedisServer): Promise<Required<TokenStore>> {
  const store = openStore('ioredis', redis);
  const lock = await store.lock('other key', { ttlMs: 1_000, waitMs: 0 });
  await store.set('other key', token('other'));
  await store.delete('other key');
  await lock.release();
  return store;
}

/** A store whose client is told of each command before it is sent: what it does to an entry, and what tells it from others. */
function interceptedStore(
  name: ClientName,
  redis: RedisServer,
  intercept: (kind: 'change' | 'write over' | 'other', send: () => Promise<unknown>, id: string) => Promise<unknown>,
): Required<TokenStore> {
  const { client, close } = openClient(name, redis.socket);
  onTestFinished(close);
  const wrapped = new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'call' && property !== 'sendCommand') return value.bind(target);
      return (...args: unknown[]) => {
        const [command, ...rest] = property === 'call' ? args : (args[0] as unknown[]);
        const [, , , condition, , version] = String(command).startsWith('EVAL') ? rest : [];
        const isChange = condition === '*' || (condition === '' && version !== undefined);
        const kind = isChange ? 'change' : version === undefined ? 'other' : 'write over';
        return intercept(kind, () => value.apply(target, args), JSON.stringify([command, ...rest]));
      };
    },
  });
  return redisStore({ client: wrapped, ...hasty });
}

/** What is stored, once the client has found Redis. */
async function reached(store: Required<TokenStore>): Promise<TokenSet | undefined> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      return (await store.get(KEY))?.entry;
    } catch {
      await sleep(100);
    }
  }
  throw new Error('the client does not find Redis');
}

/** A folder stands where Redis would put its file. */
async function failToSave(redis: RedisServer): Promise<void> {
  mkdirSync(join(dirname(redis.socket), 'dump.rdb'));
  const direct = directClient(redis);
  await direct.config('SET', 'save', '3600 1');
  await direct.bgsave();
  await expect.poll(() => direct.info('persistence')).toContain('rdb_last_bgsave_status:err');
}
