import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { expect, it } from 'vitest';
import { type RedisStoreOptions, redisStore } from './redis-store.ts';

const rootNodes = [{ url: 'redis://127.0.0.1:1' }];
const sentinelRootNodes = [{ host: '127.0.0.1', port: 1 }];

it.each([
  ['undefined', undefined],
  ['text', 'redis://127.0.0.1:1'],
  ['an empty object', {}],
  ['a pipeline of ioredis', new Redis({ lazyConnect: true }).pipeline()],
  ['a cluster of ioredis that reads from replicas', new Cluster([], { lazyConnect: true, scaleReads: 'slave' })],
  ['a cluster of node-redis', createCluster({ rootNodes })],
  ['sentinels of node-redis', createSentinel({ name: 'primary', sentinelRootNodes })],
  ['a pool of node-redis', createClientPool()],
  ['a client of node-redis with callbacks', createClient().legacy()],
])('refuses %s for a client', (_, client) => {
  const options = { client } as unknown as RedisStoreOptions;
  expect(() => redisStore(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'client' }));
});

it('refuses no options at all, and a misspelt one', () => {
  expect(() => redisStore(undefined as never)).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'options' }));
  const misspelt = { client: createClient(), timeout: 1 } as RedisStoreOptions;
  expect(() => redisStore(misspelt)).toThrow('redisStore: `timeout` is not an option. Did you mean `timeoutMs`?');
});

it.each([
  ['ioredis', new Redis({ lazyConnect: true })],
  ['a cluster of ioredis', new Cluster([], { lazyConnect: true })],
  ['node-redis', createClient()],
  ['node-redis in RESP2', createClient({ RESP: 2 })],
] as const)('takes %s', (_, client) => {
  expect(Object.isFrozen(redisStore({ client }))).toBe(true);
});

it.each([
  ['prefix', ''],
  ['prefix', 1],
  ['timeoutMs', 0],
  ['timeoutMs', Number.NaN],
  ['keepForMs', -1],
])('refuses %s: %j', (option, value) => {
  const options = { client: createClient(), [option]: value } as unknown as RedisStoreOptions;
  expect(() => redisStore(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError', option }));
});

it.each([
  ['ioredis', new Redis({ lazyConnect: true })],
  ['node-redis', createClient()],
] as const)('a client of %s that is closed, or was never connected, fails at once', async (_, client) => {
  if ('disconnect' in client && client instanceof Redis) client.disconnect();
  const startMs = performance.now();
  await expect(redisStore({ client }).get('key')).rejects.toMatchObject({ name: 'TokenStoreError', operation: 'get' });
  expect(performance.now() - startMs).toBeLessThan(1_500);
});
