// What the cases promise of themselves. That they pass, and fail where they should, is for packages/matrix.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectEqual, expectThat, rejectionOf, soon, until } from './expectation.ts';
import { adapterCases, pairingCases, type StoreSubject, storeCases, storePairingCases, strategyCases } from './index.ts';
import { expectNoSecret, redacting, sightings } from './secret-sightings.ts';
import type { TokenStore } from './token-store.ts';

/** Files that are loaded with `file`, and every other specifier that they import statically. */
function loadedWith(file: string, seen = new Set<string>()): { readonly files: Set<string>; readonly foreign: string[] } {
  if (seen.has(file)) return { files: seen, foreign: [] };
  seen.add(file);
  const text = readFileSync(file, 'utf8').replace(/\/\*\*.*?\*\//gs, '');
  const specifiers = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gms)].map(([, specifier = '']) => specifier);
  const own = specifiers.filter((specifier) => specifier.startsWith('.'));
  const deeper = own.map((specifier) => loadedWith(join(dirname(file), specifier), seen));
  return {
    files: seen,
    foreign: [...specifiers.filter((specifier) => !specifier.startsWith('.')), ...deeper.flatMap(({ foreign }) => foreign)],
  };
}

describe('the entry', () => {
  it('loads nothing of Node, no test runner, and no server: those come with the first adapter case that runs', () => {
    const { files, foreign } = loadedWith(join(import.meta.dirname, 'index.ts'));
    expect(foreign).toEqual([]);
    expect([...files].filter((file) => !file.includes('/conformance/'))).toEqual([]);
    expect(files.size).toBeGreaterThan(20);
  });

  it('holds lists of cases with a name of its own each', () => {
    for (const cases of [strategyCases, storeCases, adapterCases, pairingCases, storePairingCases]) {
      const names = cases.map(({ name }) => name);
      expect(names.length).toBeGreaterThan(2);
      expect(new Set(names).size).toBe(names.length);
      expect(Object.isFrozen(cases)).toBe(true);
    }
  });
});

describe('a store that breaks its promise fails', () => {
  const entries = new Map<string, { entry: never; version: string }>();
  let writes = 0;
  /** Correct but for `flaw`. */
  const broken = (flaw: Partial<Awaited<ReturnType<StoreSubject['create']>>['store']>): StoreSubject => ({
    name: 'broken',
    cannot: { reopening: 'it is in memory', lock: 'it has none' },
    create() {
      entries.clear();
      return {
        store: {
          get: (key) => entries.get(key),
          set(key, entry, { ifVersion } = {}) {
            if (ifVersion !== undefined && ifVersion !== (entries.get(key)?.version ?? null)) return false;
            const version = `${++writes}`;
            entries.set(key, { entry: structuredClone(entry) as never, version });
            return version;
          },
          delete: (key, { ifVersion } = {}) =>
            ifVersion !== undefined && ifVersion !== entries.get(key)?.version ? false : entries.delete(key),
          ...flaw,
        },
      };
    },
  });
  const failing = async (subject: StoreSubject): Promise<string[]> => {
    const names: string[] = [];
    for (const { name, run, skip } of storeCases) if (skip?.(subject) === undefined) await run(subject).catch(() => names.push(name));
    return names;
  };

  it.each<[string, Parameters<typeof broken>[0], RegExp]>([
    ['a delete that ignores the version', { delete: (key) => entries.delete(key) }, /deletes, of a given version only/],
    [
      'a read and a write in two steps',
      {
        async set(key, entry, { ifVersion } = {}) {
          if (ifVersion !== undefined && ifVersion !== (entries.get(key)?.version ?? null)) return false;
          await Promise.resolve();
          const version = `${++writes}`;
          entries.set(key, { entry: structuredClone(entry) as never, version });
          return version;
        },
      },
      /of 20 parallel writes over .* one wins/,
    ],
    [
      'versions that start anew',
      {
        set(key, entry) {
          const version = `${Number(entries.get(key)?.version ?? 0) + 1}`;
          entries.set(key, { entry: structuredClone(entry) as never, version });
          return version;
        },
      },
      /a version of its own/,
    ],
    ['known fields only', { get: (key) => pick(entries.get(key)) }, /whole: every field/],
  ])('%s', async (_, flaw, expected) => {
    expect((await failing(broken(flaw))).some((name) => expected.test(name))).toBe(true);
  });

  it('and nothing does without a flaw', async () => {
    expect(await failing(broken({ get: (key) => structuredClone(entries.get(key)) }))).toEqual([]);
  });
});

describe('a lock that breaks its promise fails', () => {
  type Flaw = 'leaks on abort' | 'is granted after it was refused' | 'ends after a second' | 'is released by anybody';

  /** Correct but for `flaw`. Looks again and again, with timers that keep no process alive. */
  function subjectWith(flaw?: Flaw): StoreSubject {
    const entries = new Map<string, { entry: never; version: string }>();
    const holders = new Map<string, { readonly untilMs: number }>();
    const isHeld = (key: string): boolean => (holders.get(key)?.untilMs ?? 0) > performance.now();
    const release = (key: string, holder: object): void => {
      if (flaw === 'is released by anybody' || holders.get(key) === holder) holders.delete(key);
    };
    const lock: NonNullable<TokenStore['lock']> = async (key, { ttlMs, waitMs, signal }) => {
      const deadlineMs = performance.now() + waitMs;
      signal?.throwIfAborted();
      const take = (): object => {
        const holder = { untilMs: performance.now() + (flaw === 'ends after a second' ? Math.min(ttlMs, 1_000) : ttlMs) };
        holders.set(key, holder);
        return holder;
      };
      for (; isHeld(key); await unreferencedPause(2)) {
        signal?.throwIfAborted();
        if (performance.now() < deadlineMs) continue;
        if (flaw === 'is granted after it was refused') void untilFree(() => isHeld(key)).then(take);
        throw new Error('refused');
      }
      const holder = take();
      if (signal) await unreferencedPause(5); // the answer is on its way
      if (signal?.aborted && flaw !== 'leaks on abort') release(key, holder);
      signal?.throwIfAborted();
      return { release: async () => release(key, holder) };
    };
    const store: TokenStore = {
      get: (key) => entries.get(key),
      set(key, entry) {
        entries.set(key, { entry: entry as never, version: '1' });
        return '1';
      },
      delete: (key) => entries.delete(key),
      lock,
    };
    return { name: 'broken', cannot: { reopening: 'it is in memory' }, create: () => ({ store }) };
  }
  const failing = async (flaw?: Flaw): Promise<string[]> => {
    const results = storeCases
      .filter(({ name, skip }) => name.startsWith('lock:') && skip?.(subjectWith(flaw)) === undefined)
      .map(({ name, run }) =>
        run(subjectWith(flaw)).then(
          () => '',
          () => name,
        ),
      );
    return (await Promise.all(results)).filter(Boolean);
  };

  it.each<[Flaw, RegExp]>([
    ['leaks on abort', /who leaves while it is given/],
    ['is granted after it was refused', /any more to one who was refused/],
    ['ends after a second', /be it short or long/],
    ['is released by anybody', /takes nobody else’s away/],
  ])('one that %s', async (flaw, expected) => {
    expect(await failing(flaw)).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
  });

  it('and nothing does without a flaw', async () => {
    expect(await failing()).toEqual([]);
  });
});

it('a process lives while a case runs, also when the store has nothing that would keep it alive', () => {
  const script = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { storeCases } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
    const store = { set: () => sleep(50, 'version', { ref: false }) };
    await storeCases[0].run({ name: 'mine', create: () => ({ store }) }).catch(() => {});
    console.log('done');`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect({ stdout, status }).toEqual({ stdout: 'done\n', status: 0 });
});

function unreferencedPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

async function untilFree(isHeld: () => boolean): Promise<void> {
  while (isHeld()) await unreferencedPause(2);
}

function pick(found: { readonly entry: { readonly accessToken: string }; readonly version: string } | undefined): never {
  return (found && { entry: { accessToken: found.entry.accessToken, tokenType: 'Bearer' }, version: found.version }) as never;
}

describe('expectations', () => {
  it('compare by what things hold', () => {
    expectEqual({ b: [1, new Uint8Array([255])], a: undefined }, { a: undefined, b: [1, new Uint8Array([255])] }, 'data');
    expect(() => expectEqual('1', 1, 'a number')).toThrow('a number: expected 1, got "1".');
    expect(() => expectThat(false, 'a patch')).toThrow('Expected: a patch.');
  });

  it('end: what never comes is a failure', async () => {
    await expect(soon(new Promise(() => {}), 'the answer', 5)).rejects.toThrow('the answer: nothing within 5 ms.');
    await expect(until(() => false, 'the request', 5)).rejects.toThrow('Expected within 5 ms: the request.');
    await expect(rejectionOf(Promise.resolve(), 'the call')).rejects.toThrow('the call: expected a rejection, got an answer.');
  });
});

describe('secrets', () => {
  const secret = 'planted+secret/with~odd characters';

  it.each([
    ['plain', secret],
    ['percent-encoded', encodeURIComponent(secret)],
    ['form-encoded', new URLSearchParams({ '': secret }).toString()],
    ['Basic', Buffer.from(`user:${secret}`).toString('base64')],
    ['base64url', Buffer.from(secret).toString('base64url')],
    ['hex', Buffer.from(secret).toString('hex')],
  ])('are seen %s, once', (_, text) => {
    expect(sightings(`before ${text} after`, [secret])).toBe(1);
  });

  it('are found wherever something can be read, and not shown by who finds them', async () => {
    const hidden = Object.defineProperty(new Error('failed'), 'config', { value: { headers: new Map([['a', `Bearer ${secret}`]]) } });
    expect(() => expectNoSecret(hidden, [secret], 'the error')).toThrow(/^the error: a secret can be read at .*config/);
    const thrown = await redacting(
      () => [secret],
      () => Promise.reject(new TypeError(`bad header ${secret}, ${encodeURIComponent(secret)}`)),
    ).catch(String);
    expect(thrown).toBe('ConformanceError: TypeError: bad header (secret), (secret)');
  });
});
