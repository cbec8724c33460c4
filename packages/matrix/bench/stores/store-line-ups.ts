import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenManager, memoryStore, type TokenManager, type TokenSet, type TokenStore } from '@authseam/core';
import { fileStore } from '@authseam/store-file';
import { redisStore } from '@authseam/store-redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { type ClientName, clientNames, openClient } from '../../src/redis/open-client.ts';
import { hasRedis, startRedis } from '../../src/redis/redis-server.ts';
import { credential } from '../contender.ts';

/** Those that are timed together. The first is what the others are measured against. */
export interface StoreLineUp {
  readonly name: string;
  /** Of one run; see `RoundOptions`. */
  readonly warmUpCalls: number;
  readonly contenders: readonly StoreContender[];
}

/** One way to come by a token. */
export interface StoreContender {
  readonly name: string;
  /** What one call may cost. */
  readonly perCall: StoreCost;
  open(): Promise<OpenContender>;
}

/** Reads of the store; commands that Redis carried out, each of them a round trip. */
export interface StoreCost {
  readonly reads: number;
  readonly roundTrips: number;
}

/** A contender, ready to be called. */
export interface OpenContender {
  call(): Promise<unknown>;
  /** What was spent since it was opened. */
  spent(): Promise<StoreCost>;
  close(): Promise<void>;
}

const KEY = 'https://login.example.com bench';

/** All line-ups; those of Redis where there is one. */
export function storeLineUps(): readonly StoreLineUp[] {
  const redis = hasRedis();
  return [
    {
      name: 'a cached token',
      warmUpCalls: 20_000,
      contenders: [cached('no store'), cached('memoryStore'), cached('fileStore'), ...(redis ? [cached('redisStore')] : [])],
    },
    {
      name: 'a fresh token, cold, from files',
      warmUpCalls: 500,
      contenders: [bareFile, coldFile('fileStore'), coldFile('fileStore, encrypted')],
    },
    ...(redis ? clientNames : []).map((client) => ({
      name: `a fresh token, cold, from Redis through ${client}`,
      warmUpCalls: 500,
      contenders: [bareRedis(client), coldRedis(client)],
    })),
  ];
}

/** What has to be closed, last first. */
interface Resources {
  defer(close: () => unknown): void;
}

/** Opens what a store needs; `resources` takes what has to be closed. */
const stores = {
  'no store': async () => undefined,
  memoryStore: async () => memoryStore(),
  fileStore: async (resources: Resources) => fileStore({ directory: join(newFolder(resources), 'tokens') }),
  'fileStore, encrypted': async (resources: Resources) =>
    fileStore({ directory: join(newFolder(resources), 'tokens'), encryptionKey: 'ab'.repeat(32) }),
  async redisStore(resources: Resources) {
    const socket = await newRedis(resources);
    const { client, close } = openClient('ioredis', socket);
    resources.defer(close);
    return redisStore({ client });
  },
} satisfies Record<string, (resources: Resources) => Promise<TokenStore | undefined>>;

/** The token is in memory: the store has no part in it. */
function cached(name: keyof typeof stores): StoreContender {
  return {
    name,
    perCall: { reads: 0, roundTrips: 0 },
    open: () =>
      opened(async (resources) => {
        const counted = countReads(await stores[name](resources));
        const tokens = manager(counted.store, async () => fresh());
        await tokens.getToken();
        counted.reset();
        return { call: async () => tokens.getToken(), reads: counted.reads };
      }),
  };
}

/** A process that has just begun finds a token that another one has fetched. */
function coldFile(name: 'fileStore' | 'fileStore, encrypted'): StoreContender {
  return {
    name,
    perCall: { reads: 1, roundTrips: 0 },
    open: () =>
      opened(async (resources) => {
        const counted = countReads(await stores[name](resources));
        await counted.store?.set(KEY, fresh());
        return { call: async () => manager(counted.store).getToken(), reads: counted.reads };
      }),
  };
}

/** What nobody can do without: the same tokens in a file of their own. */
const bareFile: StoreContender = {
  name: 'readFile, JSON.parse',
  perCall: { reads: 0, roundTrips: 0 },
  open: () =>
    opened(async (resources) => {
      const file = join(newFolder(resources), 'tokens.json');
      await writeFile(file, JSON.stringify(fresh()));
      return { call: async () => JSON.parse(await readFile(file, 'utf8')) };
    }),
};

function coldRedis(clientName: ClientName): StoreContender {
  return {
    name: 'redisStore',
    perCall: { reads: 1, roundTrips: 1 },
    open: () =>
      opened(async (resources) => {
        const socket = await newRedis(resources);
        const { client, close } = openClient(clientName, socket);
        resources.defer(close);
        const counted = countReads(redisStore({ client }));
        await counted.store.set(KEY, fresh());
        return { call: async () => manager(counted.store).getToken(), reads: counted.reads, socket };
      }),
  };
}

/** What nobody can do without: one `GET` of the same tokens. */
function bareRedis(clientName: ClientName): StoreContender {
  return {
    name: 'client.get, JSON.parse',
    perCall: { reads: 0, roundTrips: 1 },
    open: () =>
      opened(async (resources) => {
        const socket = await newRedis(resources);
        const client = await bareClient(clientName, socket, resources);
        await client.set(KEY, JSON.stringify(fresh()));
        return { call: async () => JSON.parse((await client.get(KEY)) ?? ''), socket };
      }),
  };
}

async function bareClient(name: ClientName, socket: string, resources: Resources) {
  if (name === 'ioredis') {
    const client = new Redis(socket);
    resources.defer(() => client.disconnect());
    return client;
  }
  const client = await createClient({ socket: { path: socket, tls: false } }).connect();
  resources.defer(() => client.destroy());
  return client;
}

/** What a contender is made of. `socket`: of the Redis that it talks to. */
interface Made {
  readonly call: () => Promise<unknown>;
  readonly reads?: () => number;
  readonly socket?: string;
}

async function opened(make: (resources: Resources) => Promise<Made>): Promise<OpenContender> {
  const closers: (() => unknown)[] = [];
  const resources: Resources = { defer: (close) => void closers.unshift(close) };
  const { call, reads = () => 0, socket } = await make(resources);
  await call(); // connects, and teaches Redis its scripts
  const before = reads();
  const commands = socket === undefined ? async () => 0 : await countCommands(socket, resources);
  return {
    call,
    spent: async () => ({ reads: reads() - before, roundTrips: await commands() }),
    async close() {
      for (const close of closers) await close();
    },
  };
}

/** @returns Tells how many commands Redis has carried out since, by its own account. */
async function countCommands(socket: string, resources: Resources): Promise<() => Promise<number>> {
  const direct = new Redis(socket);
  resources.defer(() => direct.disconnect());
  await direct.config('RESETSTAT');
  return async () => {
    const counts = [...(await direct.info('commandstats')).matchAll(/cmdstat_(\S+):calls=(\d+)/g)];
    return counts.filter(([, command]) => !/^(?:config|info)/.test(command ?? '')).reduce((sum, [, , calls]) => sum + Number(calls), 0);
  };
}

function countReads<Store extends TokenStore | undefined>(store: Store) {
  let reads = 0;
  const counted = store && {
    ...store,
    get(key: string) {
      reads += 1;
      return store.get(key);
    },
  };
  return {
    store: counted as Store,
    reads: () => reads,
    reset() {
      reads = 0;
    },
  };
}

function manager(store: TokenStore | undefined, fetchToken = () => Promise.reject<TokenSet>(new Error('None is needed.'))): TokenManager {
  return createTokenManager({ key: KEY, store, fetchToken });
}

function fresh(): TokenSet {
  const nowMs = Date.now();
  return { accessToken: credential.accessToken, tokenType: 'Bearer', receivedAtMs: nowMs, expiresAtMs: nowMs + credential.lifetimeMs };
}

async function newRedis(resources: Resources): Promise<string> {
  const redis = await startRedis();
  resources.defer(() => redis[Symbol.asyncDispose]());
  return redis.socket;
}

function newFolder(resources: Resources): string {
  const folder = mkdtempSync(join(tmpdir(), 'authseam-bench-'));
  resources.defer(() => rmSync(folder, { recursive: true }));
  return folder;
}
