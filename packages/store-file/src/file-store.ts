import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  ConfigurationError,
  checkKnownKeys,
  isAuthError,
  redactedCause,
  type Secret,
  type TokenStore,
  TokenStoreError,
  withEncryption,
} from '@authseam/core';
import { readEntry, removeEntry, writeEntry } from './entry-file.ts';
import { acquireLock, sinceBootMs } from './file-lock.ts';
import { findFolder, findPrivateDirectory, makePrivateDirectory } from './private-directory.ts';
import { StoreProblem } from './store-problem.ts';

/** Options of {@link fileStore}. */
export interface FileStoreOptions {
  /**
   * Where the tokens are. Made when the first token is written, with mode 0700. One that exists must be this user's own, no symbolic link, and writable
   * for nobody else. A relative path is resolved at once, by the working directory: only an absolute one is the same store from wherever the program is
   * started. `~` is not expanded, and refused: use `homedir()` of `node:os`.
   */
  readonly directory: string;
  /** Encrypts what is written, as {@link withEncryption} does: 32 bytes as base64 or hex. Of several the first encrypts, all decrypt. Default: none. */
  readonly encryptionKey?: Secret | readonly Secret[];
  /**
   * How often the holder of a lock says that it is alive. Four times as long without a word, and the lock is free, unless its process stands still.
   * Milliseconds, default 5 000.
   */
  readonly heartbeatMs?: number;
  /** Milliseconds since the epoch, for the names of damaged files. Locks go by another clock, which nobody sets. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * A store in files: one directory, many processes of one machine, and one refresh for all of them. Files have mode 0600, folders 0700, whatever the
 * umask. Symbolic links are refused.
 *
 * Concurrency: comparing and writing is one rename, so a write over a version that was replaced meanwhile is refused, however long its process was
 * stopped. A process that dies at any moment leaves the old entry or the new one. Its lock is free after `heartbeatMs` × 4, at the latest after `ttlMs`;
 * that of a process that was stopped, after `ttlMs`.
 * A lock that is released while a write of this store is under way is given back when it has arrived. Locks go by the time since the machine started: a
 * clock that is wrong, or set, takes none away.
 *
 * A damaged file is renamed to `….damaged-<milliseconds>`, and the call that found it fails; the next one finds nothing stored.
 *
 * Does not work on network file systems, where a rename can fail after it has happened.
 *
 * @throws {ConfigurationError} for an unknown option, a missing directory, a heartbeat that is no number above 0, a key that is not 32 bytes. Its methods
 * reject with `TokenStoreError`s, or the reason of the signal.
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { fileStore } from '@authseam/store-file';
 *
 * const directory = join(mkdtempSync(join(tmpdir(), 'example-')), 'tokens');
 * const store = fileStore({ directory });
 * await store.set('key', { accessToken: 'example', tokenType: 'Bearer' });
 * ```
 */
export function fileStore(options: FileStoreOptions): Required<TokenStore> {
  checkKnownKeys(options, ['directory', 'encryptionKey', 'heartbeatMs', 'now'], { strategy: 'fileStore' });
  const { encryptionKey, heartbeatMs = 5_000, now = () => Date.now() } = options;
  if (typeof options.directory !== 'string' || options.directory === '' || options.directory.includes('\0'))
    throw new ConfigurationError('fileStore: `directory` must be a path.', { option: 'directory' });
  if (options.directory.startsWith('~'))
    throw new ConfigurationError('fileStore: `directory` begins with `~`, which only shells expand: use `homedir()` of `node:os`.', {
      option: 'directory',
    });
  if (!(heartbeatMs > 0)) throw new ConfigurationError('fileStore: `heartbeatMs` must be a number above 0.', { option: 'heartbeatMs' });
  const directory = resolve(options.directory);
  /** What is on its way to the disk, by folder. */
  const writes = new Map<string, Promise<void>>();

  const store: Required<TokenStore> = Object.freeze<Required<TokenStore>>({
    get: (key) => attempt('get', async () => ((await findPrivateDirectory(directory)) ? readEntry(folderOf(key), now) : undefined)),
    set: (key, entry, { ifVersion } = {}) =>
      write('set', folderOf(key), async (folder) => {
        if (typeof ifVersion === 'string' && !(await findPrivateDirectory(directory))) return false;
        await makePrivateDirectory(directory);
        return writeEntry(folder, entry, ifVersion, now);
      }),
    delete: (key, { ifVersion } = {}) =>
      write('delete', folderOf(key), async (folder) => (await findPrivateDirectory(directory)) && removeEntry(folder, ifVersion, now)),
    lock: (key, limits) =>
      attempt(
        'lock',
        async () => {
          limits.signal?.throwIfAborted();
          await makePrivateDirectory(directory);
          const folder = folderOf(key);
          // Locks of keys under which nothing was ever stored leave nothing behind: who invents users would fill the disk.
          const isKept = (): Promise<boolean> =>
            findFolder(folder).then(
              (stats) => stats !== undefined,
              () => true,
            );
          const lock = await acquireLock(`${folder}.lock`, { ...limits, heartbeatMs, sinceBootMs, now, isKept });
          // Whoever gave up on a slow disk releases with the write still under way. The next holder must not read what was there before.
          const release = async (): Promise<void> => {
            await writes.get(folder);
            await lock.release();
          };
          return Object.freeze({ release: () => attempt('release', release) });
        },
        limits.signal,
      ),
  });

  /** Keys are text of any kind and length; as JSON even halves of surrogate pairs differ. */
  function folderOf(key: string): string {
    return join(directory, createHash('sha256').update(JSON.stringify(key)).digest('hex'));
  }

  function write<T>(operation: 'set' | 'delete', folder: string, work: (folder: string) => Promise<T>): Promise<T> {
    const result = attempt(operation, () => work(folder));
    const all = Promise.allSettled([writes.get(folder), result]).then(() => {
      if (writes.get(folder) === all) writes.delete(folder);
    });
    writes.set(folder, all);
    return result;
  }

  return encryptionKey === undefined ? store : withEncryption(store, encryptionKey);
}

/** Runs one operation; what fails is typed. Nothing that was read or written is in the messages of the file system. */
async function attempt<T>(operation: TokenStoreError['operation'], work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isAuthError(error) || (signal?.aborted && error === signal.reason)) throw error;
    if (error instanceof StoreProblem) throw new TokenStoreError(`fileStore: ${operation} failed: ${error.message}.`, { operation });
    const cause = redactedCause(error);
    throw new TokenStoreError(`fileStore: ${operation} failed: ${cause?.message}`, { operation, cause });
  }
}
