import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, pause, rejectionOf, soon } from '../expectation.ts';
import type { TokenLock, TokenLockOptions, TokenStore } from '../token-store.ts';
import { reopened, type StoreSubject, withStore } from './store-subject.ts';

type Lock = (key: string, options?: Partial<TokenLockOptions>) => Promise<TokenLock>;

/** Locks: one holder at a time, for a limited time. */
export const lockCases: readonly ConformanceCase<StoreSubject>[] = [
  lockCase('makes its holder the only one', async (lock) => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      const held = await lock('a');
      most = Math.max(most, ++inside);
      await pause(2);
      inside--;
      await held.release();
    };
    await soon(Promise.all(Array.from({ length: 10 }, work)), 'ten who take turns', 15_000);
    expectEqual(most, 1, 'holders at a time');
  }),
  lockCase('of two keys do not wait for each other', async (lock) => {
    const held = await lock('a');
    await (await soon(lock('b'), 'the lock of another key')).release();
    await held.release();
  }),
  lockCase('is given at once where it is free, even with a wait of 0', async (lock) => {
    await (await soon(lock('a', { waitMs: 0 }), 'a free lock')).release();
    await (await soon(lock('a', { waitMs: 0 }), 'the lock after its release')).release();
  }),
  lockCase('is waited for as long as `waitMs`, and then refused', async (lock) => {
    const held = await lock('a');
    const error = await soon(rejectionOf(lock('a', { waitMs: 60 }), 'a lock that is held'), 'a refusal', 2_000);
    expectThat(error instanceof Error, 'an Error');
    await held.release();
  }),
  lockCase('is no longer waited for once the signal aborts', async (lock) => {
    const held = await lock('a');
    const controller = new AbortController();
    const waiting = rejectionOf(lock('a', { signal: controller.signal }), 'a wait that was aborted');
    await pause(5);
    controller.abort(new Error('left'));
    await soon(waiting, 'the end of the wait', 2_000);
    await soon(
      rejectionOf(lock('a', { signal: AbortSignal.abort(new Error('left')) }), 'a wait that was aborted before'),
      'its end',
      2_000,
    );
    await held.release();
    await (await soon(lock('a'), 'the lock after its release')).release();
  }),
  lockCase('runs out after its time to live, and a release after that takes nobody else’s away', async (lock) => {
    const stale = await lock('a', { ttlMs: 80 });
    const second = await soon(lock('a'), 'the lock after its time to live');
    await stale.release();
    const error = await rejectionOf(lock('a', { waitMs: 60 }), 'a lock that is held by the second');
    expectThat(error instanceof Error, 'an Error');
    await second.release();
    await (await soon(lock('a'), 'the lock after the release of the second')).release();
  }),
  lockCase('is held until its time to live ends, not less', async (lock) => {
    const held = await lock('a', { ttlMs: 400 });
    await rejectionOf(lock('a', { waitMs: 100 }), 'a lock within its time to live');
    await held.release();
  }),
  lockCase('may be released twice', async (lock) => {
    const first = await lock('a');
    await first.release();
    const second = await soon(lock('a'), 'the lock after its release');
    await first.release();
    await rejectionOf(lock('a', { waitMs: 60 }), 'a lock that is held by the second');
    await second.release();
  }),
  lockCase('stays with its holder when one who waited gives up', async (lock) => {
    const held = await lock('a');
    await rejectionOf(lock('a', { waitMs: 30 }), 'the one who gives up');
    await rejectionOf(lock('a', { waitMs: 60 }), 'one who comes after that');
    await held.release();
    await (await soon(lock('a'), 'the lock after its release')).release();
  }),
  lockCase('does not stop anybody from reading and writing: it is for who asks for it', async (lock, store) => {
    const held = await lock('a');
    await soon(Promise.resolve(store.set('a', { accessToken: 'one', tokenType: 'Bearer' })), '`set` under a lock');
    expectEqual((await soon(Promise.resolve(store.get('a')), '`get` under a lock'))?.entry.accessToken, 'one', 'the entry');
    await held.release();
  }),
  {
    name: 'lock: holds against another process',
    skip: ({ cannot }) => cannot?.lock ?? cannot?.reopening,
    run: (subject) =>
      withStore(subject, async (store, opened) => {
        const other = await reopened(opened);
        const held = await lockOf(store)('a');
        await rejectionOf(lockOf(other)('a', { waitMs: 100 }), 'the lock, asked for by the other');
        await held.release();
        await (await soon(lockOf(other)('a'), 'the lock after its release')).release();
      }),
  },
];

function lockCase(name: string, run: (lock: Lock, store: TokenStore) => Promise<void>): ConformanceCase<StoreSubject> {
  return {
    name: `lock: ${name}`,
    skip: ({ cannot }) => cannot?.lock,
    run: (subject) => withStore(subject, (store) => run(lockOf(store), store)),
  };
}

function lockOf(store: TokenStore): Lock {
  expectThat(typeof store.lock === 'function', '`lock`, or `cannot.lock` with the reason');
  return async (key, options = {}) => {
    const lock = await store.lock?.(key, { ttlMs: 30_000, waitMs: 15_000, ...options });
    expectThat(typeof lock?.release === 'function', 'a lock that can be released');
    return lock;
  };
}
