import { createDecipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isAuthError } from './auth-error.ts';
import { memoryStore } from './memory-store.ts';
import type { Secret } from './secret.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';
import { withEncryption } from './with-encryption.ts';

const entry: TokenSet = { accessToken: 'SECRET-access', tokenType: 'Bearer', refreshToken: 'SECRET-é😀', expiresAtMs: 1 };
const newKey = (): string => randomBytes(32).toString('base64');
const rejection = (work: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(work).then(
    () => undefined,
    (error) => error,
  );
/** What the store behind holds, as it is. */
const sealedIn = async (store: TokenStore, key = 'a') => (await store.get(key))?.entry as TokenSet & { sealed: string };

describe('an entry', () => {
  it('comes back whole, with the version of the store, and is written under its conditions', async () => {
    const inner = memoryStore();
    const store = withEncryption(inner, newKey());
    const version = (await store.set('a', entry, { ifVersion: null })) as string;
    expect(await store.get('a')).toEqual({ entry, version });
    expect(await store.set('a', entry, { ifVersion: null })).toBe(false);
    expect(await store.set('a', entry, { ifVersion: version })).not.toBe(false);
    expect(await store.delete('a', { ifVersion: version })).toBe(false);
    expect(await store.delete('a')).toBe(true);
    expect(await store.get('a')).toBeUndefined();
  });

  it('is unreadable in the store, differs each time, and cannot be sent as a token', async () => {
    const inner = memoryStore();
    const store = withEncryption(inner, newKey());
    await store.set('a', entry);
    const first = await sealedIn(inner);
    await store.set('a', entry);
    const second = await sealedIn(inner);
    expect(first.sealed).not.toBe(second.sealed);
    expect(first.sealed).toMatch(/^[\w-]+$/);
    expect(first.accessToken).toBe('');
    expect(JSON.stringify(first)).not.toMatch(/SECRET/);
    expect(Buffer.from(first.sealed, 'base64url').toString('latin1')).not.toContain('SECRET');
  });

  it('is AES-256-GCM with the key of the entry as associated data: node:crypto reads it', async () => {
    const inner = memoryStore();
    const key = randomBytes(32);
    await withEncryption(inner, key.toString('hex')).set('https://é 😀', entry);
    const bytes = Buffer.from((await sealedIn(inner, 'https://é 😀')).sealed, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16));
    decipher.setAAD(Buffer.from(JSON.stringify(['authseam/aes-256-gcm/1', 'https://é 😀'])));
    const text = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    expect(JSON.parse(text.toString())).toEqual(entry);
  });

  it.each([
    ['altered at its beginning', (sealed: string) => flipped(sealed, 0)],
    ['altered in the middle', (sealed: string) => flipped(sealed, 40)],
    ['altered at its end', (sealed: string) => flipped(sealed, -1)],
    ['truncated', (sealed: string) => sealed.slice(0, -4)],
    ['empty', () => ''],
    ['too short', () => 'AAAA'],
    ['no base64', () => '\u2028'],
    ['no text', () => 7 as unknown as string],
  ])('that is %s is refused, and stays', async (_, damage) => {
    const inner = memoryStore();
    const store = withEncryption(inner, newKey());
    await store.set('a', entry);
    const sealed = await sealedIn(inner);
    await inner.set('a', { ...sealed, sealed: damage(sealed.sealed) } as TokenSet);
    expect(await rejection(Promise.resolve(store.get('a')))).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'get' });
    expect(await inner.get('a')).toBeDefined();
    await store.set('a', entry);
    expect((await store.get('a'))?.entry).toEqual(entry);
  });

  it('of one key is refused under another', async () => {
    const inner = memoryStore();
    const store = withEncryption(inner, newKey());
    await store.set('alice', entry);
    await inner.set('bob', await sealedIn(inner, 'alice'));
    expect(await rejection(Promise.resolve(store.get('bob')))).toMatchObject({ operation: 'get' });
    expect((await store.get('alice'))?.entry).toEqual(entry);
  });

  it.each<[string, () => unknown]>([
    ['a BigInt', () => 1n],
    [
      'a circle',
      () => {
        const circle: Record<string, unknown> = {};
        circle['SECRET'] = { circle };
        return circle;
      },
    ],
    [
      'what throws',
      () => ({
        toJSON() {
          throw new Error('odd');
        },
      }),
    ],
  ])('with %s in it, which JSON cannot hold, is refused, and the one before stays', async (_, make) => {
    const store = withEncryption(memoryStore(), newKey());
    await store.set('a', entry);
    const error = await rejection(Promise.resolve(store.set('a', { ...entry, custom: make() } as TokenSet)));
    expect(error).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'set', message: expect.stringContaining('JSON') });
    expect(inspect(error, { depth: Infinity })).not.toContain('SECRET-');
    expect((await store.get('a'))?.entry).toEqual(entry);
  });

  it('that was stored without encryption is refused: anybody could have put it there', async () => {
    const inner = memoryStore();
    await inner.set('a', entry);
    const error = await rejection(Promise.resolve(withEncryption(inner, newKey()).get('a')));
    expect(error).toMatchObject({ message: expect.stringContaining('without encryption') });
    expect(inspect(error, { depth: Infinity })).not.toContain('SECRET');
  });
});

describe('keys', () => {
  it('are rotated: the first encrypts, all decrypt', async () => {
    const inner = memoryStore();
    const [old, fresh] = [newKey(), newKey()];
    await withEncryption(inner, old).set('a', entry);
    const both = withEncryption(inner, [fresh, old]);
    expect((await both.get('a'))?.entry).toEqual(entry);
    await both.set('a', entry);
    expect((await withEncryption(inner, fresh).get('a'))?.entry).toEqual(entry);
    expect(await rejection(Promise.resolve(withEncryption(inner, old).get('a')))).toMatchObject({ operation: 'get' });
  });

  it('may be base64, base64url or hex, with padding or without: all the same key', async () => {
    const bytes = Buffer.alloc(32, 0xfb);
    const forms = [bytes.toString('base64'), bytes.toString('base64').replace('=', ''), bytes.toString('base64url'), bytes.toString('hex')];
    const inner = memoryStore();
    await withEncryption(inner, forms[0] as string).set('a', entry);
    for (const form of [...forms, bytes.toString('hex').toUpperCase()])
      expect((await withEncryption(inner, form).get('a'))?.entry).toEqual(entry);
  });

  it('may be functions, asked at each use', async () => {
    const key = newKey();
    let asked = 0;
    const store = withEncryption(memoryStore(), async () => {
      asked += 1;
      return key;
    });
    expect(asked).toBe(0);
    await store.set('a', entry);
    await store.get('a');
    expect(asked).toBe(2);
  });

  it.each([
    '',
    'passphrase',
    'ab'.repeat(16),
    randomBytes(31).toString('base64'),
    randomBytes(33).toString('base64'),
    `${newKey()}\n`,
    7,
    undefined,
  ])('like %j are refused at once, and not shown', (key) => {
    try {
      withEncryption(memoryStore(), [newKey(), key as Secret]);
      expect.fail('expected an error');
    } catch (error) {
      expect(isAuthError(error, 'CONFIGURATION_ERROR') && error.option).toBe('encryptionKey');
      if (typeof key === 'string' && key.length > 4) expect(inspect(error)).not.toContain(key);
    }
  });

  it('that a function yields too short, or not at all, make the call fail, typed and silent about them', async () => {
    const failing = async () => {
      throw Object.assign(new Error('vault down'), { request: { token: 'SECRET-vault' } });
    };
    for (const key of [() => 'SECRET-short', failing]) {
      const store = withEncryption(memoryStore(), key);
      const error = await rejection(Promise.resolve(store.set('a', entry)));
      expect(error).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'set' });
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('SECRET');
    }
  });
});

it('has the lock of the store, and none where there is none', async () => {
  const { lock, ...lockless } = memoryStore();
  expect(withEncryption(lockless, newKey()).lock).toBeUndefined();
  const held = await withEncryption({ ...lockless, lock }, newKey()).lock('a', { ttlMs: 1_000, waitMs: 0 });
  await expect(lock('a', { ttlMs: 1_000, waitMs: 10 })).rejects.toThrow();
  await held.release();
});

/** Base64url text with one bit of one of its bytes changed. */
function flipped(sealed: string, at: number): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return bytes.toString('base64url');
}
