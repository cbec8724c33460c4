import type { RedisClient } from '@authseam/store-redis';
import { Redis } from 'ioredis';
import Redis5 from 'ioredis-5';
import { createClient } from 'redis';
import { createClient as createClient5 } from 'redis-5';

/** The clients that users bring. */
export const clientNames = ['ioredis', 'node-redis'] as const;
/** The oldest ones that may be. */
export const oldestClientNames = ['ioredis 5.0', 'node-redis 5.0'] as const;
export type ClientName = (typeof clientNames | typeof oldestClientNames)[number];

/** A client with a connection of its own. */
export interface OpenClient {
  readonly client: RedisClient;
  close(): void;
}

/** What a test may want of either. */
export interface ClientSettings {
  readonly password?: string;
  /** Its own options. */
  readonly ioredis?: object;
  readonly nodeRedis?: object;
}

/** Opens a client as users do: with the settings that it comes with. What it says of its connection is nobody's concern here. */
export function openClient(name: ClientName, socket: string, { password, ioredis, nodeRedis }: ClientSettings = {}): OpenClient {
  const secret = password === undefined ? {} : { password };
  if (name === 'ioredis' || name === 'ioredis 5.0') {
    const Client = name === 'ioredis' ? Redis : (Redis5 as unknown as typeof Redis);
    const client = new Client(socket, { ...ioredis, ...secret });
    client.on('error', () => {});
    return { client, close: () => client.disconnect() };
  }
  const create = name === 'node-redis' ? createClient : (createClient5 as unknown as typeof createClient);
  const client = create({ ...nodeRedis, ...secret, socket: { path: socket, tls: false } });
  client.on('error', () => {});
  client.connect().catch(() => {});
  return { client, close: () => client.destroy() };
}
