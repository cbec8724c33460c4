import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat } from '../expectation.ts';
import type { TokenSet, TokenStore } from '../token-store.ts';
import { reopened, type StoreSubject, withStore } from './store-subject.ts';

const token = (accessToken: string): TokenSet => ({ accessToken, tokenType: 'Bearer' });
const ODD_KEYS = [
  '__proto__',
  'constructor',
  '',
  ' ',
  '../../outside',
  'a/b\\c',
  'https://login.example.com/ "reports" [é,日本,😀]',
  'k'.repeat(2_000),
  'CON',
  '*',
];

/** Entries: what is read, written, compared and deleted. */
export const entryCases: readonly ConformanceCase<StoreSubject>[] = [
  storeCase('finds an entry under its own key only', async (store) => {
    await written(store, 'a', token('one'));
    expectEqual(await entryOf(store, 'a'), token('one'), 'the entry');
    expectEqual(await store.get('b'), undefined, 'what is under another key');
    expectEqual(await store.get('A'), undefined, 'what is under the key in another case');
  }),
  storeCase('takes any key, and keeps them apart', async (store) => {
    for (const key of ODD_KEYS) expectEqual(await store.get(key), undefined, `what is under ${shortened(key)} at first`);
    for (const [index, key] of ODD_KEYS.entries()) await written(store, key, token(`token ${index}`));
    for (const [index, key] of ODD_KEYS.entries())
      expectEqual(await entryOf(store, key), token(`token ${index}`), `the entry under ${shortened(key)}`);
    for (const key of ODD_KEYS) expectEqual(await store.delete(key), true, `\`delete\` of ${shortened(key)}`);
  }),
  storeCase('gives an entry back whole: every field, unknown ones too, any length, any character', async (store) => {
    const full = {
      accessToken: 'a'.repeat(20_000),
      tokenType: 'Bearer',
      refreshToken: 'r"\\\n\u2028é😀',
      expiresAtMs: 1_800_000_000_000,
      receivedAtMs: 1_700_000_000_123,
      scope: 'read write',
      idToken: 'i.d.t',
      ofALaterVersion: { nested: [1, null, 'x'] },
    };
    await written(store, 'a', full);
    expectEqual(await entryOf(store, 'a'), full, 'the entry');
    await written(store, 'a', token('two'));
    expectEqual(await entryOf(store, 'a'), token('two'), 'the entry that was written over it: nothing is left of the first');
  }),
  storeCase('keeps copies: what the caller does to its own later changes nothing', async (store) => {
    const mine = { ...token('one') };
    await written(store, 'a', mine);
    mine.accessToken = 'changed';
    const read = await store.get('a');
    expectEqual(read?.entry.accessToken, 'one', 'the entry, after the caller has changed the object that it wrote');
    try {
      Object.assign(read?.entry ?? {}, { accessToken: 'changed' });
    } catch {
      // A frozen entry is as good as a copy.
    }
    expectEqual((await entryOf(store, 'a'))?.accessToken, 'one', 'the entry, after the caller has changed what it read');
  }),
  storeCase('gives each write a version of its own, also of the same tokens and after a deletion', async (store) => {
    const versions: string[] = [];
    for (let round = 0; round < 3; round++) {
      versions.push(await written(store, 'a', token('one')), await written(store, 'a', token('one')));
      await store.delete('a');
    }
    expectEqual(new Set(versions).size, versions.length, 'different versions');
    const last = await written(store, 'a', token('one'));
    expectEqual((await store.get('a'))?.version, last, 'the version that `get` tells');
  }),
  storeCase('with `ifVersion` writes over that version only', async (store) => {
    const first = await written(store, 'a', token('one'));
    const second = await store.set('a', token('two'), { ifVersion: first });
    expectEqual(typeof second, 'string', 'the type of the new version');
    expectEqual(await store.set('a', token('three'), { ifVersion: first }), false, '`set` over a stale version');
    expectEqual(await store.set('b', token('three'), { ifVersion: first }), false, '`set` over a version of another key');
    expectEqual([await entryOf(store, 'a'), await entryOf(store, 'b')], [token('two'), undefined], 'what is stored');
  }),
  storeCase('with `ifVersion: null` writes only where there is nothing', async (store) => {
    expectEqual(typeof (await store.set('a', token('one'), { ifVersion: null })), 'string', 'the type of the first version');
    expectEqual(await store.set('a', token('two'), { ifVersion: null }), false, '`set` where there is something');
    await store.delete('a');
    expectEqual(typeof (await store.set('a', token('three'), { ifVersion: null })), 'string', 'the type of the version after a deletion');
    expectEqual((await entryOf(store, 'a'))?.accessToken, 'three', 'the entry');
  }),
  storeCase('deletes, of a given version only where one is given', async (store) => {
    const first = await written(store, 'a', token('one'));
    const second = await written(store, 'a', token('two'));
    expectEqual(await store.delete('a', { ifVersion: first }), false, '`delete` of a stale version');
    expectEqual((await entryOf(store, 'a'))?.accessToken, 'two', 'the entry');
    expectEqual(await store.delete('a', { ifVersion: second }), true, '`delete` of the current version');
    expectEqual(await store.get('a'), undefined, 'what is left');
    expectEqual(
      [await store.delete('a'), await store.delete('a', { ifVersion: second })],
      [false, false],
      '`delete` where there is nothing',
    );
    expectEqual(await store.set('a', token('three'), { ifVersion: second }), false, '`set` over a version that was deleted');
  }),
  ...[null, 'the current version'].map((condition) =>
    storeCase(`of 20 parallel writes over ${condition ?? 'nothing'} one wins`, async (store) => {
      const ifVersion = condition === null ? null : await written(store, 'a', token('before'));
      const writes = Array.from({ length: 20 }, async (_, index) => store.set('a', token(`${index}`), { ifVersion }));
      const results = await Promise.all(writes);
      const winner = results.findIndex((version) => version !== false);
      expectEqual(results.filter((version) => version !== false).length, 1, 'writes that won');
      const read = await store.get('a');
      expectEqual([read?.entry.accessToken, read?.version], [`${winner}`, results[winner]], 'what is stored');
    }),
  ),
  storeCase('of 20 parallel deletions of one version one wins', async (store) => {
    const ifVersion = await written(store, 'a', token('one'));
    const results = await Promise.all(Array.from({ length: 20 }, async () => store.delete('a', { ifVersion })));
    expectEqual(results.filter(Boolean).length, 1, 'deletions that won');
  }),
  storeCase('reads an entry whole while it is written over and over', async (store) => {
    const sizes = [10, 50_000, 300, 20_000];
    const entry = (size: number): TokenSet => ({ ...token('x'.repeat(size)), scope: `${size}` });
    await written(store, 'a', entry(1));
    const writing = Promise.all(sizes.map((size) => written(store, 'a', entry(size))));
    for (let read = 0; read < 20; read++) {
      const found = await entryOf(store, 'a');
      expectThat(
        found !== undefined && found.accessToken.length === Number(found.scope),
        'an entry as it was written, never a part of it or two mixed',
      );
    }
    await writing;
  }),
  {
    name: 'is found by another process, and compares versions with it',
    skip: ({ cannot }) => cannot?.reopening,
    run: (subject) =>
      withStore(subject, async (store, opened) => {
        const first = await written(store, 'a', token('one'));
        const other = await reopened(opened);
        expectEqual((await other.get('a'))?.version, first, 'the version that the other sees');
        await written(other, 'a', token('two'));
        expectEqual(await store.set('a', token('three'), { ifVersion: first }), false, '`set` over what the other has replaced');
        expectEqual(await entryOf(store, 'a'), token('two'), 'the entry of the other');
        const contenders = Array.from({ length: 10 }, async (_, index) =>
          (index % 2 ? store : other).set('b', token(`${index}`), { ifVersion: null }),
        );
        expectEqual((await Promise.all(contenders)).filter((version) => version !== false).length, 1, 'writes from both that won');
      }),
  },
];

function storeCase(name: string, run: (store: TokenStore) => Promise<void>): ConformanceCase<StoreSubject> {
  return { name, run: (subject) => withStore(subject, run) };
}

async function written(store: TokenStore, key: string, entry: TokenSet): Promise<string> {
  const version = await store.set(key, entry);
  expectThat(typeof version === 'string' && version !== '', 'a version, a string, from an unconditional `set`');
  return version;
}

async function entryOf(store: TokenStore, key: string): Promise<TokenSet | undefined> {
  return (await store.get(key))?.entry;
}

function shortened(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
}
