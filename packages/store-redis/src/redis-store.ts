import { createHash, randomUUID } from 'node:crypto';
import {
  ConfigurationError,
  checkKnownKeys,
  type TokenLock,
  type TokenLockOptions,
  type TokenSet,
  type TokenStore,
  type TokenStoreError,
  waitFor,
} from '@authseam/core';
import { entryValue, parseEntryValue, type StoredEntry, usefulForMs } from './entry-value.ts';
import { type RedisClient, redisConnection } from './redis-client.ts';
import { redisCommands } from './redis-commands.ts';
import { acquireLock } from './redis-lock.ts';
import { replyText } from './redis-reply.ts';
import { DELETE_ENTRY, READ_CLOCK, type RedisScript, SET_ASIDE, WRITE_ENTRY } from './redis-script.ts';
import { StoreProblem, typedError } from './store-problem.ts';

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** Of `ioredis` or `redis` (node-redis), 5 or newer. It stays the caller's: connecting it, its `error` event, closing it. */
  readonly client: RedisClient;
  /** What the keys in Redis begin with. Default `'authseam:'`. */
  readonly prefix?: string;
  /** Longest wait for Redis, for one operation; locks are waited for on top of that. Milliseconds, default 2 000. */
  readonly timeoutMs?: number;
  /**
   * How long entries are kept after they were last written that have a refresh token, or no expiry. Longer than the authorization server keeps a session
   * that is not used. Milliseconds, default: for ever. Other entries go ten minutes after their token has expired.
   */
  readonly keepForMs?: number;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** For how long a write over a version goes on when nobody waits for it any more, in milliseconds: as long as the lock of a refresh lives. */
const LATE_WRITE_MS = 30_000;
/** For how long a damaged entry can be looked at, in milliseconds: a day. */
const SET_ASIDE_FOR_MS = 86_400_000;

/**
 * A store in Redis: many machines, and one refresh for all of them. Redis 6 or newer.
 *
 * Concurrency: comparing and writing is one step in Redis, and no version comes twice. So a write over a version that was replaced or deleted meanwhile
 * is refused, however late it comes. Clocks need not agree: times to live are Redis's own.
 *
 * Redis slow or away: an operation fails after `timeoutMs`, and a connection that comes back before that goes unnoticed. Nothing waits in the queue of a
 * client that is not connected. A write over a version, which is a refresh token that exists nowhere else, goes on for 30 s; the lock is released after
 * it. Any other write takes effect within `timeoutMs` or never.
 *
 * A damaged entry is renamed, and the call that found it fails; the next one finds nothing stored.
 *
 * @returns A frozen store.
 * @throws {ConfigurationError} for an unknown option, a client of another kind, a prefix that is no text, a time that is not above 0. Its methods reject
 * with `TokenStoreError`s, or the reason of the signal.
 * @example
 * ```ts
 * import { redisStore } from '@authseam/store-redis';
 * import { Redis } from 'ioredis';
 *
 * export const openStore = () => redisStore({ client: new Redis('redis://127.0.0.1:6379') });
 * ```
 */
export function redisStore(options: RedisStoreOptions): Required<TokenStore> {
  checkKnownKeys(options, ['client', 'prefix', 'timeoutMs', 'keepForMs', 'now'], { strategy: 'redisStore' });
  const { client, prefix = 'authseam:', timeoutMs = 2_000, keepForMs, now = () => Date.now() } = options;
  if (typeof prefix !== 'string' || prefix === '') throw new ConfigurationError('redisStore: `prefix` must be text.', { option: 'prefix' });
  for (const [option, value] of Object.entries({ timeoutMs, keepForMs: keepForMs ?? 1 })) {
    if (!(value > 0)) throw new ConfigurationError(`redisStore: \`${option}\` must be a number above 0.`, { option });
  }
  const commands = redisCommands(redisConnection(client));
  /** Writes over a version that are under way, by key: whoever locks or releases comes after them. */
  const writes = new Map<string, Promise<void>>();

  async function read(key: string): Promise<StoredEntry | undefined> {
    const value = replyText(await commands.send(timeoutMs, 'GET', nameOf(key, 'entry')));
    if (value === undefined) return undefined;
    const found = parseEntryValue(value);
    if (found) return found;
    const aside = nameOf(key, 'damaged');
    await commands.run(timeoutMs, SET_ASIDE, [nameOf(key, 'entry'), aside], [value, String(SET_ASIDE_FOR_MS)]);
    throw new StoreProblem(`the entry was damaged, and is set aside for a day as ${aside}`);
  }

  async function write(key: string, entry: TokenSet, ifVersion: string | null | undefined): Promise<string | false> {
    const version = randomUUID();
    const expiry = usefulForMs(entry, keepForMs, now());
    const args = [version, entryValue(entry, version), expiry === undefined ? '' : String(expiry)];
    if (typeof ifVersion !== 'string') return (await changeInTime(WRITE_ENTRY, key, ifVersion, args)) && version;
    const writing = commands.run(LATE_WRITE_MS, WRITE_ENTRY, [nameOf(key, 'entry')], [ifVersion, '', ...args]);
    const settled = Promise.allSettled([writes.get(key), writing]).then(() => {
      if (writes.get(key) === settled) writes.delete(key);
    });
    writes.set(key, settled);
    return (await inTime(writing)) === 1 && version;
  }

  async function remove(key: string, ifVersion: string | undefined): Promise<boolean> {
    if (ifVersion === undefined) return changeInTime(DELETE_ENTRY, key, undefined, []);
    return (await commands.run(timeoutMs, DELETE_ENTRY, [nameOf(key, 'entry')], [ifVersion, ''])) === 1;
  }

  /** What has no version to hold on to must not be carried out late: it would undo what others have done meanwhile. */
  async function changeInTime(script: RedisScript, key: string, ifVersion: null | undefined, args: readonly string[]): Promise<boolean> {
    const keys = [nameOf(key, 'entry')];
    const startMs = performance.now();
    const clockMs = await commands.run(timeoutMs, READ_CLOCK, keys);
    // Redis read its clock some time after the start: all of that time counts, lest it be carried out when the caller has been told that it failed.
    const leftMs = Math.max(timeoutMs - (performance.now() - startMs), 1);
    const voidAfterMs = Math.floor(clockMs + leftMs);
    const done = await commands.run(leftMs, script, keys, [ifVersion === null ? '' : '*', String(voidAfterMs), ...args]);
    if (done < 0) throw new StoreProblem(`it reached Redis too late for its ${timeoutMs} ms, and was left`);
    return done === 1;
  }

  async function lock(key: string, options: TokenLockOptions): Promise<TokenLock> {
    const { signal } = options;
    signal?.throwIfAborted();
    await inTime(Promise.resolve(writes.get(key)), signal);
    const release = await acquireLock(commands, nameOf(key, 'lock'), { ...options, commandTimeoutMs: timeoutMs });
    // Whoever gave up on a slow Redis releases with the write still under way. The next holder must not read what was there before.
    const releaseAfterWrites = () => inTime(Promise.resolve(writes.get(key)).then(release));
    return Object.freeze({ release: () => attempt('release', async () => void (await releaseAfterWrites())) });
  }

  function inTime<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
    const timeoutError = () => new StoreProblem(`Redis did not answer within ${timeoutMs} ms`);
    return waitFor(work, { signal, timeoutMs, timeoutError });
  }

  /** Keys are text of any kind and length; as JSON even halves of surrogate pairs differ. In a cluster all names of one key are in one slot. */
  function nameOf(key: string, what: 'entry' | 'lock' | 'damaged'): string {
    return `${prefix}{${createHash('sha256').update(JSON.stringify(key)).digest('hex')}}:${what}`;
  }

  return Object.freeze<Required<TokenStore>>({
    get: (key) => attempt('get', () => read(key)),
    set: (key, entry, { ifVersion } = {}) => attempt('set', () => write(key, entry, ifVersion)),
    delete: (key, { ifVersion } = {}) => attempt('delete', () => remove(key, ifVersion)),
    lock: (key, limits) => attempt('lock', () => lock(key, limits), limits.signal),
  });
}

/** Runs one operation; what fails is typed. */
async function attempt<T>(operation: TokenStoreError['operation'], work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signal?.aborted && error === signal.reason ? error : typedError(error, operation);
  }
}
