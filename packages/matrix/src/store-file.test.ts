// The file store against what every store has to do, with encryption, and against disks that take no more. Its own tests are in its package; those with
// many processes are in store-file-processes.test.ts.
import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withEncryption } from '@authseam/core';
import { fileStore } from '@authseam/store-file';
import { type StoreSubject, storeCases } from '@authseam/testing/conformance';
import { describe, expect, it } from 'vitest';
import { inDirectory } from './fixtures/store-file-runs.ts';
import { fileStoreSubject } from './fixtures/store-file-subject.ts';
import { KEY, type RenewResult } from './fixtures/store-file-worker.ts';
import { stores } from './stores.ts';

const encryptionKey = 'ab'.repeat(32);
const old = { accessToken: 'old', tokenType: 'Bearer', refreshToken: 'old', expiresAtMs: 1 };
/** Who is nobody: root may write everywhere. */
const NOBODY = 65_534;

describe('with encryption', () => {
  const others = stores.filter(({ name }) => name !== 'fileStore').map(encrypted);
  describe.each([fileStoreSubject({ encryptionKey }), ...others])('$name', (subject) => {
    for (const { name, run, skip } of storeCases) {
      it(name, async (context) => {
        const reason = skip?.(subject);
        if (reason !== undefined) context.skip(reason);
        await run(subject);
      });
    }
  });
});

describe.skipIf(process.platform === 'win32')('the old entry stays, the new token serves from memory, and an event says so', () => {
  it('when the disk is full', () =>
    inDirectory(async ({ directory, start }) => {
      await fileStore({ directory }).set(KEY, old);
      const before = filesIn(directory);
      const result = await start({ task: 'renew', length: 200_000 }, { largestFile: 64 }).result;
      expectOldAndNew(result as RenewResult, 200_000);
      expect(filesIn(directory)).toEqual(before);
    }));

  it('when the folder cannot be written', () =>
    inDirectory(async ({ directory, start }) => {
      const isRoot = process.geteuid?.() === 0;
      const store = fileStore({ directory });
      await store.set(KEY, old);
      await (await store.lock(KEY, { ttlMs: 1_000, waitMs: 0 })).release();
      const paths = (readdirSync(directory, { recursive: true }) as string[]).map((path) => join(directory, path));
      const folder = dirname(paths.find((path) => path.endsWith('.json')) ?? '');
      chmodSync(folder, 0o500);
      if (isRoot) for (const path of [dirname(directory), directory, ...paths]) chownSync(path, NOBODY, NOBODY);
      const result = await start({ task: 'renew', length: 10, ...(isRoot && { userId: NOBODY }) }).result;
      expectOldAndNew(result as RenewResult, 10);
      chmodSync(folder, 0o700);
    }));
});

function encrypted(subject: StoreSubject): StoreSubject {
  return {
    ...subject,
    name: `withEncryption(${subject.name})`,
    async create() {
      const { store, reopen, ...rest } = await subject.create();
      const reopenEncrypted = reopen && (async () => withEncryption(await reopen(), encryptionKey));
      return { store: withEncryption(store, encryptionKey), ...(reopenEncrypted && { reopen: reopenEncrypted }), ...rest };
    },
  };
}

function expectOldAndNew({ lengths, events, stored }: RenewResult, length: number): void {
  expect(lengths).toEqual([length, length]);
  expect(events).toContainEqual(expect.objectContaining({ type: 'token-store-failed', operation: 'set' }));
  expect(stored).toEqual(old);
}

/** What is left lying about counts too; a lock's folder comes with the first lock. */
function filesIn(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[]).filter((path) => !path.includes('.lock')).sort();
}
