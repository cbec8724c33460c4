import { ConfigurationError } from '@authseam/core';
import { StoreProblem } from './store-problem.ts';

/** A client of `ioredis`, 5 or newer, single, by sentinels or a cluster: what this package uses of it. */
export interface IoredisClient {
  readonly status: string;
  call(command: string, ...args: string[]): Promise<unknown>;
  connect(): Promise<unknown>;
}

/** A client of `redis` (node-redis), 5 or newer, made with `createClient`: what this package uses of it. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  sendCommand(args: readonly string[], options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
  /** Only single clients have it. */
  createPool(): unknown;
}

/** A client that is the caller's own: it connects, reconnects and closes it, and listens to its `error` event. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** Either client. */
export interface RedisConnection {
  /** Whether a command would be sent now rather than wait in the client's queue. @throws {StoreProblem} when it is closed for good. */
  isReady(): boolean;
  send(command: string, args: readonly string[], signal: AbortSignal): Promise<unknown>;
}

/** @throws {ConfigurationError} for what is neither client. */
export function redisConnection(client: RedisClient): RedisConnection {
  const given = Object(client) as Partial<IoredisClient & NodeRedisClient>;
  if (typeof given.call === 'function' && typeof given.status === 'string') return ioredisConnection(client as IoredisClient);
  if (typeof given.sendCommand !== 'function') throw refusal('`client` must be a client of ioredis or of redis (node-redis)');
  if (typeof given.createPool !== 'function' || typeof given.isReady !== 'boolean')
    throw refusal(
      'of redis (node-redis), 5 or newer, `client` must come from createClient; for a cluster or sentinels give one of ioredis',
    );
  return nodeRedisConnection(client as NodeRedisClient);
}

function ioredisConnection(client: IoredisClient): RedisConnection {
  const { options } = client as { readonly options?: { readonly scaleReads?: unknown } };
  // An old token set, read from a replica that lags behind, is one whose refresh token has been used.
  if ((options?.scaleReads ?? 'master') !== 'master') throw refusal('the cluster client must read from masters: leave `scaleReads` out');
  return {
    isReady() {
      if (client.status === 'end') throw new StoreProblem('the client is closed');
      if (client.status === 'wait') client.connect().catch(() => {}); // the client tells its own `error` event
      return client.status === 'ready';
    },
    send: (command, args) => client.call(command, ...args),
  };
}

function nodeRedisConnection(client: NodeRedisClient): RedisConnection {
  return {
    isReady() {
      if (!client.isOpen) throw new StoreProblem('the client is closed, or its `connect()` was not called');
      return client.isReady;
    },
    send: (command, args, abortSignal) => client.sendCommand([command, ...args], { abortSignal }),
  };
}

function refusal(problem: string): ConfigurationError {
  return new ConfigurationError(`redisStore: ${problem}.`, { option: 'client' });
}
