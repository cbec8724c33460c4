import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { isAuthError, type TokenSet, type TokenStore } from '@authseam/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStore } from './file-store.ts';

const token = (accessToken: string): TokenSet => ({ accessToken, tokenType: 'Bearer' });
const limits = { ttlMs: 30_000, waitMs: 0 };

let root: string;
let directory: string;
let store: Required<TokenStore>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'authseam-store-file-'));
  directory = join(root, 'deep', 'tokens');
  store = fileStore({ directory });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Everything below the directory, as paths. */
const paths = (): string[] => (readdirSync(directory, { recursive: true }) as string[]).map((path) => join(directory, path));
const pathTo = (pattern: RegExp): string => paths().find((path) => pattern.test(path)) ?? '';
/** The file with the tokens of the only entry. */
const tokenFile = (): string => pathTo(/\.json$/);
const rejection = async (work: PromiseLike<unknown>): Promise<Error> => {
  const error = await Promise.resolve(work).then(
    () => expect.fail('expected a rejection'),
    (reason: unknown) => reason,
  );
  return error as Error;
};

describe('the directory', () => {
  it('is made when something is written, and not before', async () => {
    expect([await store.get('a'), await store.delete('a'), await store.set('a', token('one'), { ifVersion: 'x' })]).toEqual([
      undefined,
      false,
      false,
    ]);
    expect(readdirSync(root)).toEqual([]);
    await store.set('a', token('one'));
    expect((await store.get('a'))?.entry).toEqual(token('one'));
  });

  it.each([0o000, 0o022, 0o777])('and all in it is private under the umask %o', async (umask) => {
    const before = process.umask(umask);
    try {
      mkdirSync(root, { recursive: true });
      directory = join(root, 'tokens');
      store = fileStore({ directory });
      await store.set('a', token('one'));
      await (await store.lock('a', limits)).release();
      expect((await store.get('a'))?.entry).toEqual(token('one'));
    } finally {
      process.umask(before);
    }
    const modes = [directory, ...paths()].map((path) => ({ path, stats: lstatSync(path) }));
    expect(modes.filter(({ stats }) => stats.isDirectory() && (stats.mode & 0o777) !== 0o700)).toEqual([]);
    expect(modes.filter(({ stats }) => stats.isFile() && (stats.mode & 0o177) !== 0)).toEqual([]);
    expect(lstatSync(tokenFile()).mode & 0o777).toBe(0o600);
  });

  it.each(['get', 'set', 'delete', 'lock'] as const)('is refused by `%s` when it is a symbolic link', async (operation) => {
    const elsewhere = join(root, 'elsewhere');
    await fileStore({ directory: elsewhere }).set('a', token('one'));
    mkdirSync(dirname(directory));
    symlinkSync(elsewhere, directory);
    const before = readdirSync(elsewhere, { recursive: true });
    const error = await rejection(call(operation));
    expect(error).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation, message: expect.stringContaining('symbolic link') });
    expect(readdirSync(elsewhere, { recursive: true })).toEqual(before);
  });

  it('is refused when others may write to it, and otherwise taken with the mode that it has', async () => {
    mkdirSync(directory, { recursive: true });
    for (const mode of [0o777, 0o770, 0o702]) {
      chmodSync(directory, mode);
      expect((await rejection(Promise.resolve(store.set('a', token('one'))))).message).toContain('others may write');
    }
    chmodSync(directory, 0o755);
    await store.set('a', token('one'));
    expect(lstatSync(directory).mode & 0o777).toBe(0o755);
    expect(lstatSync(dirname(tokenFile())).mode & 0o777).toBe(0o700);
  });

  it.skipIf(process.getuid?.() !== 0)('is refused when it belongs to somebody else', async () => {
    await store.set('a', token('one'));
    chmodSync(root, 0o755);
    chmodSync(dirname(directory), 0o755);
    process.seteuid?.(65_534);
    try {
      expect((await rejection(Promise.resolve(store.get('a')))).message).toContain('another user');
    } finally {
      process.seteuid?.(0);
    }
  });

  it.each(['get', 'set', 'delete', 'lock'] as const)('when it is a file makes `%s` fail with a typed error', async (operation) => {
    mkdirSync(dirname(directory));
    writeFileSync(directory, 'not ours');
    expect(await rejection(call(operation))).toMatchObject({ name: 'TokenStoreError', operation });
    expect(readFileSync(directory, 'utf8')).toBe('not ours');
  });

  it('when it lies below a file makes calls fail with a cause that is no more than the name of the failure', async () => {
    writeFileSync(join(root, 'file'), '');
    store = fileStore({ directory: join(root, 'file', 'tokens') });
    const error = await rejection(call('set'));
    expect(error).toMatchObject({ name: 'TokenStoreError', cause: { code: 'ENOTDIR' } });
    expect(Object.keys(error.cause as Error)).toEqual(['name', 'code']);
  });

  it('is what it was when the store was made, wherever the process goes', async () => {
    const before = process.cwd();
    process.chdir(root);
    try {
      store = fileStore({ directory: 'here' });
      process.chdir('/');
      await store.set('a', token('one'));
    } finally {
      process.chdir(before);
    }
    expect(existsSync(join(root, 'here'))).toBe(true);
  });
});

describe('symbolic links in the directory', () => {
  it('are refused in place of an entry’s folder', async () => {
    await store.set('a', token('one'));
    const folder = dirname(tokenFile());
    renameSync(folder, join(root, 'moved'));
    symlinkSync(join(root, 'moved'), folder);
    for (const operation of ['get', 'set', 'delete'] as const)
      expect((await rejection(call(operation))).message).toContain('symbolic link');
    expect(lstatSync(folder).isSymbolicLink()).toBe(true);
  });

  it('are refused in place of a file, and the file behind is neither read nor written', async () => {
    await store.set('a', token('one'));
    const file = tokenFile();
    renameSync(file, join(root, 'moved'));
    symlinkSync(join(root, 'moved'), file);
    expect((await rejection(call('get'))).message).toContain('symbolic link');
    await store.set('a', token('two'));
    expect((await store.get('a'))?.entry).toEqual(token('two'));
    expect(readFileSync(join(root, 'moved'), 'utf8')).toContain('one');
  });
});

describe('a damaged file', () => {
  it.each([
    ['empty', () => ''],
    ['truncated', (text: string) => text.slice(0, -2)],
    ['no JSON', () => 'SECRET'],
    ['zeros, as after a power failure', (text: string) => '\0'.repeat(text.length)],
    ['of another format', (text: string) => text.replace('"format":1', '"format":2')],
    ['a list', () => '[]'],
    ['without an entry', () => '{"format":1,"entry":null}'],
  ])('that is %s is set aside, that call fails, the next finds nothing', async (_, damage) => {
    await store.set('a', token('SECRET'));
    const file = tokenFile();
    const damaged = damage(readFileSync(file, 'utf8'));
    writeFileSync(file, damaged);
    const error = await rejection(call('get'));
    expect(error).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'get' });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('SECRET');
    expect(await store.get('a')).toBeUndefined();
    const aside = pathTo(/\.damaged-\d+$/);
    expect(error.message).toContain(aside);
    expect(readFileSync(aside, 'utf8')).toBe(damaged);
    expect(await store.set('a', token('two'), { ifVersion: null })).not.toBe(false);
    expect((await store.get('a'))?.entry).toEqual(token('two'));
    expect(existsSync(aside)).toBe(true);
  });

  it('is not read by those who write: they mend it', async () => {
    await store.set('a', token('one'));
    writeFileSync(tokenFile(), '');
    await store.set('a', token('two'));
    expect((await store.get('a'))?.entry).toEqual(token('two'));
  });

  it('that is gone makes one call fail', async () => {
    await store.set('a', token('one'));
    rmSync(tokenFile());
    expect((await rejection(call('get'))).message).toContain('gone');
    expect(await store.get('a')).toBeUndefined();
  });

  it.each([
    ['without a word', (folder: string) => rmSync(join(folder, readdirSync(folder).find((name) => name.startsWith('state.')) ?? ''))],
    ['with two words', (folder: string) => writeFileSync(join(folder, 'state.none.00000000-0000-0000-0000-000000000000'), '')],
    ['with a word that is none', (folder: string) => writeFileSync(join(folder, 'state.x'), '')],
  ])('%s takes its folder with it', async (_, damage) => {
    await store.set('a', token('one'));
    damage(dirname(tokenFile()));
    const error = await rejection(call('get'));
    expect(error.message).toContain('.damaged-');
    expect(await store.get('a')).toBeUndefined();
    await store.set('a', token('two'));
    expect((await store.get('a'))?.entry).toEqual(token('two'));
  });

  it('of a lock makes one call fail; a lock that was removed by hand none', async () => {
    await store.set('a', token('one'));
    await (await store.lock('a', limits)).release();
    const word = pathTo(/lock\/state\.free$/);
    writeFileSync(join(dirname(word), 'state.x'), '');
    expect(await rejection(store.lock('a', limits))).toMatchObject({ operation: 'lock' });
    await (await store.lock('a', limits)).release();
    rmSync(pathTo(/lock\/state\.free$/));
    await (await store.lock('a', limits)).release();
  });
});

describe.skipIf(process.platform === 'win32')('locks', () => {
  it('of keys under which nothing was ever stored leave nothing behind', async () => {
    const locks = await Promise.all(Array.from({ length: 20 }, (_, index) => store.lock(`invented ${index}`, limits)));
    expect(readdirSync(directory)).toHaveLength(21);
    await Promise.all(locks.map((lock) => lock.release()));
    expect([readdirSync(directory), readdirSync(join(directory, '.new'))]).toEqual([['.new'], []]);
    await (await store.lock('invented 1', limits)).release();
    expect(readdirSync(directory)).toEqual(['.new']);
  });

  it('of keys that are in use, or were, leave their folder: the next one needs nothing new of the disk', async () => {
    const lock = await store.lock('a', limits);
    await store.set('a', token('one'));
    await lock.release();
    const folders = readdirSync(directory);
    expect([folders.length, pathTo(/\.lock\/state\.free$/)]).toEqual([3, expect.stringContaining('.lock')]);
    await store.delete('a');
    await (await store.lock('a', limits)).release();
    expect(readdirSync(directory)).toEqual(folders);
  });
});

describe('entries', () => {
  it('are found under keys of any kind, each under its own', async () => {
    const keys = ['', '__proto__', 'a\0b', 'a', '😀', '\ud800', '\udfff', '\ufffd', 'k'.repeat(10_000), '../up', '{"sub":"é"}', '.new'];
    for (const [index, key] of keys.entries()) await store.set(key, token(`token-${index}`));
    for (const [index, key] of keys.entries()) expect((await store.get(key))?.entry.accessToken).toBe(`token-${index}`);
  });

  it('refuse a write over a version that was deleted, also after the key was written anew', async () => {
    const first = (await store.set('a', token('one'))) as string;
    await store.delete('a');
    await store.set('a', token('one'));
    expect(await store.set('a', token('stale'), { ifVersion: first })).toBe(false);
    expect(await store.delete('a', { ifVersion: first })).toBe(false);
  });

  it('leave nothing behind but the newest, and what writers left that died goes with the next write', async () => {
    for (const name of ['one', 'two', 'three']) await store.set('a', token(name));
    const folder = dirname(tokenFile());
    expect(readdirSync(folder)).toHaveLength(2);
    const other = '00000000-0000-0000-0000-000000000000';
    const current = readdirSync(folder)
      .find((name) => name.startsWith('state.entry.'))
      ?.slice('state.entry.'.length);
    for (const previous of [other, current]) writeFileSync(join(folder, `${other}.after.${previous}.json`), 'half a wri');
    expect((await store.get('a'))?.entry).toEqual(token('three'));
    await store.set('a', token('four'));
    expect(readdirSync(folder)).toHaveLength(2);
    await store.delete('a');
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^state\.none\./)]);
  });

  it('are made ready in a folder that is swept', async () => {
    await store.set('a', token('one'));
    const nursery = join(directory, '.new');
    for (const name of ['old', 'young']) mkdirSync(join(nursery, name));
    utimesSync(join(nursery, 'old'), new Date(), new Date(Date.now() - 120_000));
    await store.set('b', token('one'));
    expect(readdirSync(nursery)).toEqual(['young']);
  });

  it('that are on their way when a lock is released have arrived when it is free', async () => {
    const other = fileStore({ directory });
    for (const [write, found] of [
      [() => store.set('a', token('x'.repeat(1_000_000))), 1_000_000],
      [() => store.delete('a'), undefined],
    ] as const) {
      const lock = await store.lock('a', limits);
      const writing = write();
      await lock.release();
      expect((await other.get('a'))?.entry.accessToken.length).toBe(found);
      await writing;
    }
  });

  it('cannot be written when they are no JSON, and nothing is changed then', async () => {
    await store.set('a', token('one'));
    const cyclic: Record<string, unknown> = { accessToken: 'SECRET', tokenType: 'Bearer' };
    cyclic['self'] = cyclic;
    const error = await rejection(Promise.resolve(store.set('a', cyclic as unknown as TokenSet)));
    expect(error).toMatchObject({ operation: 'set' });
    expect(inspect(error, { depth: Infinity })).not.toContain('SECRET');
    expect((await store.get('a'))?.entry).toEqual(token('one'));
  });
});

describe('options', () => {
  it.each([
    [{ directory: '' }, 'directory'],
    [{ directory: 'a\0b' }, 'directory'],
    [{ directory: undefined as unknown as string }, 'directory'],
    [{ directory: 'tokens', heartbeatMs: 0 }, 'heartbeatMs'],
    [{ directory: 'tokens', heartbeatMs: Number.NaN }, 'heartbeatMs'],
    [{ directory: 'tokens', encryptionKey: 'short' }, 'encryptionKey'],
    [{ directory: 'tokens', encryptionKey: [] }, 'encryptionKey'],
  ])('%j are refused at once', (options, option) => {
    try {
      fileStore(options);
      expect.fail('expected an error');
    } catch (error) {
      expect(isAuthError(error, 'CONFIGURATION_ERROR') && error.option).toBe(option);
    }
  });

  it('`encryptionKey` keeps tokens out of the files', async () => {
    store = fileStore({ directory, encryptionKey: 'ab'.repeat(32) });
    await store.set('a', { ...token('SECRET-1'), refreshToken: 'SECRET-2' });
    expect(readFileSync(tokenFile(), 'utf8')).not.toMatch(/SECRET|U0VDUkVU/);
    expect((await store.get('a'))?.entry.refreshToken).toBe('SECRET-2');
  });
});

function call(operation: 'get' | 'set' | 'delete' | 'lock'): Promise<unknown> {
  if (operation === 'lock') return store.lock('a', limits);
  return Promise.resolve(operation === 'set' ? store.set('a', token('one')) : store[operation]('a'));
}
