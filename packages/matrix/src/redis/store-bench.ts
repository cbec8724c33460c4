import type { TokenSet, TokenStore } from '@authseam/core';
import { type RedisStoreOptions, redisStore } from '@authseam/store-redis';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import { type ClientName, type ClientSettings, openClient } from './open-client.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** Longest wait of a store in tests that are about it, in milliseconds. */
export const TIMEOUT_MS = 1_000;

/** A token set with nothing but this token. */
export function token(accessToken: string): TokenSet {
  return { accessToken, tokenType: 'Bearer' };
}

/** A Redis for one test, which finds again what it had after it was killed. */
export async function durableRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const redis = await startRedis(settings, { isDurable: true });
  onTestFinished(() => redis[Symbol.asyncDispose]());
  return redis;
}

/** A store for one test, with a connection of its own. It is patient, as machines that run tests are slow. */
export function openStore(
  name: ClientName,
  { socket }: RedisServer,
  options: Partial<RedisStoreOptions> = {},
  settings: ClientSettings = {},
): Required<TokenStore> {
  const { client, close } = openClient(name, socket, settings);
  onTestFinished(close);
  return redisStore({ client, timeoutMs: 10_000, ...options });
}

/** A connection past the store. */
export function directClient({ socket }: RedisServer): Redis {
  const client = new Redis(socket);
  onTestFinished(() => client.disconnect());
  return client;
}

/** It fails with a typed error, in time. @returns The error. */
export async function expectFailure(
  operation: string,
  run: () => unknown,
  message: RegExp,
  withinMs = TIMEOUT_MS + 2_000,
): Promise<unknown> {
  const startMs = performance.now();
  const error = await Promise.resolve(run()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'TokenStoreError', operation, message: expect.stringMatching(message) });
  expect(performance.now() - startMs).toBeLessThan(withinMs);
  return error;
}
