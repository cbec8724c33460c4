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
  lockCase('is left to nobody who leaves while it is given', async (lock) => {
    for (const afterMs of GRANTING_MS) {
      await left(lock, afterMs);
      await expectFree(lock, `the lock, after one who left ${afterMs} ms after asking`);
    }
    for (const isReleasedFirst of [true, false]) {
      const held = await lock('a');
      const controller = new AbortController();
      const waiting = settled(lock('a', { signal: controller.signal }));
      await pause(20);
      const releasing = isReleasedFirst ? held.release() : undefined;
      controller.abort(new Error('left'));
      await (releasing ?? held.release());
      await waiting;
      await expectFree(lock, 'the lock, after one who left as it was released');
    }
  }),
  lockCase('is not given any more to one who was refused', async (lock) => {
    const held = await lock('a');
    await rejectionOf(lock('a', { waitMs: 30 }), 'a lock that is held');
    await held.release();
    await pause(150); // whoever still stands in a queue, or looks now and then, has had a turn
    await expectFree(lock, 'the lock, after its release', 0);
    const again = await lock('a');
    const waiting = settled(lock('a', { waitMs: 40 }));
    await pause(40);
    await again.release();
    await waiting;
    await expectFree(lock, 'the lock, after it was released as a wait for it ended');
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
  lockCase('is held until its time to live ends, not less, be it short or long', async (lock) => {
    for (const { ttlMs, waitMs } of [
      { ttlMs: 2_000, waitMs: 100 },
      { ttlMs: 30_000, waitMs: 1_500 },
    ]) {
      const held = await lock('a', { ttlMs });
      await rejectionOf(lock('a', { waitMs }), `a lock within its time to live of ${ttlMs} ms`);
      await held.release();
    }
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

/** Milliseconds after which somebody leaves who has asked for a lock that is free: stores need one round trip, or several. */
const GRANTING_MS = [0, 1, 3, 10, 30];

/** Asks for a lock, leaves `afterMs` later, and gives it back where it came all the same. */
async function left(lock: Lock, afterMs: number): Promise<void> {
  const controller = new AbortController();
  const asking = settled(lock('a', { signal: controller.signal }));
  if (afterMs > 0) await pause(afterMs);
  controller.abort(new Error('left'));
  await asking;
}

/** Waits for what became of a lock, and gives it back. */
async function settled(asked: Promise<TokenLock>): Promise<void> {
  const answered = asked.catch(() => undefined);
  await (await soon(answered, 'a lock, or a refusal'))?.release();
}

/** Not at the first look: a store may still be giving back what nobody wants. */
async function expectFree(lock: Lock, what: string, waitMs = 2_000): Promise<void> {
  const given = lock('a', { waitMs }).catch(() => undefined);
  const held = await soon(given, what);
  expectThat(held !== undefined, `${what}, free within ${waitMs} ms`);
  await held.release();
}

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
