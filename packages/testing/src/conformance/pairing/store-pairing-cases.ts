import { onServer } from '../adapter/servers.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, pause } from '../expectation.ts';
import { type StoreSubject, type StoreUnderTest, withStore } from '../store/store-subject.ts';
import type { StrategySettings } from '../strategy/strategy-subject.ts';
import { type PairingSubject, withoutSecrets } from './pairing-subject.ts';

/** One strategy on one client, with one store. */
export interface StorePairingSubject extends PairingSubject {
  readonly store: StoreSubject;
}

const skip = ({ strategy }: StorePairingSubject): string | undefined => (strategy.takesStore ? undefined : 'it keeps nothing in a store');

const cases: readonly ConformanceCase<StorePairingSubject>[] = [
  {
    name: 'two strategies over one store share a token: the second sends none of its own',
    skip,
    run: (subject) =>
      twoOf(subject, async ({ one, other, counts, origin }) => {
        expectEqual([(await one(`${origin}/a`)).status, (await other(`${origin}/a`)).status], [200, 200], 'the statuses');
        expectEqual(counts, [1, 0], 'credentials that each of them obtained');
      }),
  },
  {
    name: 'two strategies over one store that start at once obtain one token',
    skip: (subject) => skip(subject) ?? subject.store.cannot?.lock,
    run: (subject) =>
      twoOf(subject, async ({ one, other, counts, origin }) => {
        await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other)(`${origin}/a`)));
        expectEqual(
          counts.reduce((sum, count) => sum + count, 0),
          1,
          'credentials obtained',
        );
      }),
  },
  {
    name: 'what one of them renews after a rejection, the other one finds',
    skip,
    run: (subject) =>
      twoOf(subject, async ({ one, other, counts, origin, reject }) => {
        await one(`${origin}/a`);
        await other(`${origin}/a`);
        reject();
        expectEqual([(await one(`${origin}/a`)).status, (await other(`${origin}/a`)).status], [200, 200], 'the statuses');
        expectEqual(
          counts.reduce((sum, count) => sum + count, 0),
          2,
          'credentials obtained',
        );
      }),
  },
];

/**
 * What strategies that keep their credential in a store do with one that they share, on one client, over loopback servers. They run where Node's `http`
 * does.
 *
 * @example
 * ```ts
 * import { type StorePairingSubject, storePairingCases } from '@authseam/testing/conformance';
 *
 * export async function hold(subject: StorePairingSubject) {
 *   for (const { run, skip } of storePairingCases) if (!skip?.(subject)) await run(subject);
 * }
 * ```
 */
export const storePairingCases: readonly ConformanceCase<StorePairingSubject>[] = Object.freeze(cases.map(withoutSecrets));

interface Two {
  readonly one: ReturnType<PairingSubject['adapter']['attach']>;
  readonly other: ReturnType<PairingSubject['adapter']['attach']>;
  readonly counts: number[];
  readonly origin: string;
  /** From now on the credential that the server saw last is refused. */
  reject(): void;
}

function twoOf({ adapter, strategy, store }: StorePairingSubject, run: (two: Two) => Promise<void>): Promise<void> {
  return withStore(store, (first, opened) =>
    onServer(async (server) => {
      const counts = [0, 0];
      const second = await otherHandle(opened, first, store);
      const settings = (index: number): StrategySettings => ({
        store: index === 0 ? first : second,
        onObtain: async () => {
          await pause(5);
          counts[index] = (counts[index] ?? 0) + 1;
        },
      });
      const [one, other] = [0, 1].map((index) => adapter.attach(strategy.create(settings(index)).strategy));
      if (!one || !other) return;
      const reject = (): void => {
        const refused = server.requests.at(-1)?.headers['authorization'];
        server.inject({ status: 401, times: Number.POSITIVE_INFINITY, when: ({ headers }) => headers['authorization'] === refused });
      };
      await run({ one, other, counts, origin: server.origin, reject });
    }),
  );
}

async function otherHandle(
  { reopen }: StoreUnderTest,
  first: NonNullable<StrategySettings['store']>,
  { cannot }: StoreSubject,
): Promise<NonNullable<StrategySettings['store']>> {
  return cannot?.reopening === undefined && reopen ? reopen() : first;
}
