import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { call, directory, limits, openStore, pathTo, rejection, store, token, tokenFile, useFileStore } from './fixtures/use-file-store.ts';

useFileStore();

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

  it('is named after `now`, and so is a damaged lock', async () => {
    openStore({ directory, now: () => 1_234 });
    await store.set('a', token('one'));
    writeFileSync(tokenFile(), '');
    expect((await rejection(call('get'))).message).toMatch(/\.damaged-1234\b/);
    await (await store.lock('a', limits)).release();
    writeFileSync(join(dirname(pathTo(/lock\/state\.free$/)), 'state.x'), '');
    expect((await rejection(call('lock'))).message).toMatch(/\.lock\.damaged-1234\b/);
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
