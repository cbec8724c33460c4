import type { RedisClient } from '@authseam/store-redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';

/** The clients that users bring. */
export const clientNames = ['ioredis', 'node-redis'] as const;
export type ClientName = (typeof clientNames)[number];

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
  if (name === 'ioredis') {
    const client = new Redis(socket, { ...ioredis, ...secret });
    client.on('error', () => {});
    return { client, close: () => client.disconnect() };
  }
  const client = createClient({ ...nodeRedis, ...secret, socket: { path: socket, tls: false } });
  client.on('error', () => {});
  client.connect().catch(() => {});
  return { client, close: () => client.destroy() };
}
