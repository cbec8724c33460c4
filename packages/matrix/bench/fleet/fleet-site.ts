import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenStore } from '@authseam/core';
import { fileStore } from '@authseam/store-file';
import { redisStore } from '@authseam/store-redis';
import { type RotatingServer, type RotatingServerOptions, rotatingServer } from '../../src/fixtures/rotating-server.ts';
import { type ProcessOptions, startProcess, type WorkerProcess } from '../../src/fixtures/worker-process.ts';
import { type ClientName, clientNames, openClient } from '../../src/redis/open-client.ts';
import { type RedisServer, startRedis } from '../../src/redis/redis-server.ts';
import type { FleetResult, FleetTask } from './fleet-worker.ts';

/** The stores that a fleet can share. */
export const storeNames = ['file', 'redis'] as const;
export type StoreName = (typeof storeNames)[number];

/** The key that all share. */
export const KEY = 'https://login.example.com "shared"';

/** Where one process finds the store; plain JSON. */
export type StorePlace =
  | { readonly store: 'file'; readonly directory: string }
  | { readonly store: 'redis'; readonly socket: string; readonly client: ClientName };

/** How a process opens the store. */
export interface OpenOptions {
  /** How far its clock is off, in milliseconds. */
  readonly skewMs?: number;
  /** Of the file store. */
  readonly heartbeatMs?: number;
}

/** A store with a way out. */
export interface OpenStore {
  readonly store: Required<TokenStore>;
  close(): void;
}

/** Opens the store of a place, as a process does. */
export function openStore(place: StorePlace, { skewMs = 0, heartbeatMs }: OpenOptions = {}): OpenStore {
  const now = (): number => Date.now() + skewMs;
  if (place.store === 'file') {
    const store = fileStore({ directory: place.directory, now, ...(heartbeatMs !== undefined && { heartbeatMs }) });
    return { store, close: () => {} };
  }
  const { client, close } = openClient(place.client, place.socket);
  return { store: redisStore({ client, now }), close };
}

/** Where processes meet. */
export interface FleetSite {
  /** Where the process of this number finds the store: with Redis every other one comes through the other client. */
  place(index: number): StorePlace;
  /** Of the parent. */
  readonly store: Required<TokenStore>;
  readonly redis?: RedisServer;
  /** Who issues the tokens. */
  readonly server: RotatingServer;
  start(index: number, task: FleetTask, options?: ProcessOptions): WorkerProcess<FleetResult>;
  /** What is not as it should be in a file store that nobody uses. Nothing else can be looked into. */
  problems(): readonly string[];
}

/** Makes a store and a server for `work`. Afterwards they are removed, and so is every process that is left. */
export async function atSite<T>(name: StoreName, work: (site: FleetSite) => Promise<T>, options: RotatingServerOptions = {}): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'authseam-fleet-'));
  const directory = join(folder, 'tokens');
  const redis = name === 'redis' ? await startRedis([], { isDurable: true }) : undefined;
  const server = await rotatingServer(options);
  const place = (index: number): StorePlace =>
    redis
      ? { store: 'redis', socket: redis.socket, client: clientNames[index % clientNames.length] ?? 'ioredis' }
      : { store: 'file', directory };
  const { store, close } = openStore(place(0));
  const processes: WorkerProcess<FleetResult>[] = [];
  try {
    return await work({
      place,
      store,
      ...(redis && { redis }),
      server,
      start(index, task, options) {
        const job = { place: place(index), origin: server.origin, ...task };
        const started = startProcess<FleetResult>(new URL('./fleet-worker.ts', import.meta.url), job, options);
        processes.push(started);
        return started;
      },
      problems: () => (redis ? [] : problemsIn(directory)),
    });
  } finally {
    await Promise.all(processes.map((each) => each.kill()));
    close();
    await server[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

/** Every folder says in one way what stands in it, nothing is damaged, and nothing heaps up. */
export function problemsIn(directory: string): string[] {
  const folders = readdirSync(directory).filter((name) => name !== '.new');
  const last = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  const filesOf = (name: string): string[] => readdirSync(join(directory, name));
  return [
    ...folders.filter((name) => filesOf(name).filter((file) => file.startsWith('state.')).length !== 1),
    ...[...folders, ...last].filter((name) => name.includes('.damaged-')).map((name) => `${name} is damaged`),
    ...folders.filter((name) => filesOf(name).length > 4).map((name) => `${name} is full`),
  ];
}
