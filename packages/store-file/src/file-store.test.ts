import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { isAuthError, type TokenSet } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { fileStore } from './file-store.ts';
import { directory, limits, openStore, pathTo, rejection, store, token, tokenFile, useFileStore } from './fixtures/use-file-store.ts';

useFileStore();

describe.skipIf(process.platform === 'win32')('locks', () => {
  it('of keys under which nothing was ever stored leave nothing behind', async () => {
    const locks = await Promise.all(Array.from({ length: 20 }, (_, index) => store.lock(`invented ${index}`, limits)));
    expect(readdirSync(directory)).toHaveLength(21);
    await Promise.all(locks.map((lock) => lock.release()));
    expect([readdirSync(directory), readdirSync(join(directory, '.new'))]).toEqual([['.new'], []]);
    await (await store.lock('invented 1', limits)).release();
    expect(readdirSync(directory)).toEqual(['.new']);
  });

  it.each([
    ['ahead', 600_000],
    ['behind', -600_000],
  ])('are taken by nobody whose clock is ten minutes %s, nor lost when a clock is set', async (_, skewMs) => {
    let setByMs = 0;
    const mine = fileStore({ directory, heartbeatMs: 10, now: () => Date.now() + setByMs });
    const other = fileStore({ directory, now: () => Date.now() + skewMs });
    const held = await mine.lock('a', limits);
    setByMs = -skewMs;
    await sleep(60);
    expect(await rejection(other.lock('a', limits))).toMatchObject({ operation: 'lock' });
    await held.release();
    const taken = await other.lock('a', limits);
    expect(await rejection(mine.lock('a', limits))).toMatchObject({ operation: 'lock' });
    await taken.release();
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
    [{ directory: '~/.example' }, 'directory'],
    [{ directory: '~' }, 'directory'],
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

  it('say what to do', () => {
    expect(() => fileStore(undefined as never)).toThrow('`options` must be an object');
    expect(() => fileStore({ directory: '~/.example' })).toThrow('`homedir()` of `node:os`');
    expect(() => fileStore({ directory: 'tokens', encryption: 'x' } as never)).toThrow('Did you mean `encryptionKey`?');
  });

  it('`encryptionKey` keeps tokens out of the files', async () => {
    openStore({ directory, encryptionKey: 'ab'.repeat(32) });
    await store.set('a', { ...token('SECRET-1'), refreshToken: 'SECRET-2' });
    expect(readFileSync(tokenFile(), 'utf8')).not.toMatch(/SECRET|U0VDUkVU/);
    expect((await store.get('a'))?.entry.refreshToken).toBe('SECRET-2');
  });
});
