import type { Awaitable } from '../auth-strategy.ts';
import { expectThat } from '../expectation.ts';
import type { TokenStore } from '../token-store.ts';

/** A store to be judged. */
export interface StoreSubject {
  readonly name: string;
  /** What it cannot do, and why: the cases about that are skipped with this reason. */
  readonly cannot?: Readonly<Partial<Record<StoreAbility, string>>>;
  /** An empty store of its own. */
  create(): Awaitable<StoreUnderTest>;
}

/** What a store may leave out: `lock`, and `reopening`, to be found by another process. */
export type StoreAbility = 'lock' | 'reopening';

/** One store, and how to be done with it. */
export interface StoreUnderTest {
  readonly store: TokenStore;
  /** Another store over the same entries, as another process would open it. Needed unless it cannot do `reopening`. */
  reopen?(): Awaitable<TokenStore>;
  close?(): Awaitable<void>;
}

/** Runs a case with a store of its own, and closes it. Until then the process lives: the timers of a store, rightly, keep none alive. */
export async function withStore(subject: StoreSubject, run: (store: TokenStore, opened: StoreUnderTest) => Promise<void>): Promise<void> {
  const alive = setInterval(() => {}, 60_000);
  try {
    const opened = await subject.create();
    try {
      await run(opened.store, opened);
    } finally {
      await opened.close?.();
    }
  } finally {
    clearInterval(alive);
  }
}

/** The store as another process would open it. */
export async function reopened({ reopen }: StoreUnderTest): Promise<TokenStore> {
  expectThat(reopen !== undefined, '`reopen`, or `cannot.reopening` with the reason');
  return reopen();
}
