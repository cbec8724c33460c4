import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileStore } from './file-store.ts';
import {
  call,
  directory,
  limits,
  openStore,
  paths,
  rejection,
  root,
  store,
  token,
  tokenFile,
  useFileStore,
} from './fixtures/use-file-store.ts';

useFileStore();

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
      openStore({ directory: join(root, 'tokens') });
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
      expect((await rejection(Promise.resolve(store.set('a', token('one'))))).message).toMatch(
        /others may write.*a directory of their own, or chmod 700/,
      );
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
    openStore({ directory: join(root, 'file', 'tokens') });
    const error = await rejection(call('set'));
    expect(error).toMatchObject({ name: 'TokenStoreError', cause: { code: 'ENOTDIR' } });
    expect(Object.keys(error.cause as Error)).toEqual(['name', 'code']);
  });

  it.each([0o000, 0o777])('is made with all that leads to it, private whatever the umask (%o), by many at once', async (umask) => {
    const before = process.umask(umask);
    try {
      openStore({ directory: join(root, 'a', 'b', 'c', 'tokens') });
      const others = Array.from({ length: 10 }, () => fileStore({ directory }));
      await Promise.all(others.map((other, index) => other.set(`${index}`, token('one'))));
    } finally {
      process.umask(before);
    }
    for (const path of ['a', 'a/b', 'a/b/c', 'a/b/c/tokens']) expect(lstatSync(join(root, path)).mode & 0o777).toBe(0o700);
  });

  it.skipIf(process.platform !== 'linux')('that cannot be made below one that exists fails with a typed error', async () => {
    for (const path of ['/proc/authseam', '/proc/authseam/deep/tokens']) {
      openStore({ directory: path });
      for (const operation of ['set', 'lock'] as const)
        expect(await rejection(call(operation))).toMatchObject({ name: 'TokenStoreError', operation, cause: { code: 'ENOENT' } });
    }
  });

  it('may be reached through a symbolic link, but not through one that leads nowhere', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync(join(root, 'real'), join(root, 'link'));
    await fileStore({ directory: join(root, 'link', 'deep', 'tokens') }).set('a', token('one'));
    expect(existsSync(join(root, 'real', 'deep', 'tokens'))).toBe(true);
    symlinkSync(join(root, 'gone'), join(root, 'dangling'));
    openStore({ directory: join(root, 'dangling', 'tokens') });
    expect(await rejection(call('set'))).toMatchObject({ name: 'TokenStoreError', cause: { code: 'ENOENT' } });
    expect(existsSync(join(root, 'gone'))).toBe(false);
  });

  it('is what it was when the store was made, wherever the process goes', async () => {
    const before = process.cwd();
    process.chdir(root);
    try {
      openStore({ directory: 'here' });
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
