import type { AuthStrategy } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, pause, rejectionOf, soon, until } from '../expectation.ts';
import { expectNoSecret, sightings } from '../secret-sightings.ts';
import { contextOf, requestOf, responseOf, textOf } from './exchange.ts';
import { type StrategySubject, skipUnlessRenews, skipUnlessShares } from './strategy-subject.ts';

/** What happens while a credential is on its way: sharing, aborts, failures. */
export const waitingCases: readonly ConformanceCase<StrategySubject>[] = [
  {
    name: 'with a credential at hand answers synchronously',
    skip: ({ shares, renews }) => (renews && !shares ? 'it asks for its credential each time' : undefined),
    async run({ create }) {
      const { strategy } = create();
      await strategy.authorize(requestOf(), contextOf());
      const again = strategy.authorize(requestOf(), contextOf());
      expectThat(!('then' in again) || strategy.readsBody !== undefined, 'a patch, not a promise of one');
    },
  },
  {
    name: '100 callers on a cold start share one credential',
    skip: skipUnlessShares,
    async run({ create }) {
      let obtained = 0;
      const { strategy } = create({ onObtain: () => pause(5).then(() => void obtained++) });
      const patches = await Promise.all(Array.from({ length: 100 }, () => strategy.authorize(requestOf(), contextOf())));
      expectEqual(new Set(patches.map(textOf)).size, 1, 'different patches');
      expectEqual(obtained, 1, 'credentials obtained');
    },
  },
  {
    name: '100 rejections of one credential, at once and late, share one renewal',
    skip: skipUnlessShares,
    async run({ create }) {
      let obtained = 0;
      const { strategy } = create({ onObtain: () => pause(5).then(() => void obtained++) });
      const request = requestOf();
      const { receipt } = await strategy.authorize(request, contextOf());
      const late = Array.from({ length: 100 }, async (_, index) => {
        await pause(index % 20);
        return strategy.recover?.(responseOf(401), { request, receipt }, contextOf());
      });
      expectEqual([...new Set(await Promise.all(late))], [true], 'what `recover` answers');
      expectEqual(obtained, 2, 'credentials obtained');
    },
  },
  ...(['authorize', 'recover'] as const).map((moment) => abortCase(moment)),
  {
    name: 'a failure reaches every caller as one error, and the next call may try again',
    skip: skipUnlessRenews,
    async run({ create }) {
      let isDown = true;
      const onObtain = async (): Promise<void> => {
        await pause(1);
        if (isDown) throw new Error('the source is down');
      };
      const { strategy, secrets } = create({ onObtain });
      const authorize = async () => strategy.authorize(requestOf(), contextOf());
      const errors = await Promise.all(
        [1, 2, 3].map(() => rejectionOf(soon(authorize(), 'authorize'), 'authorize while the source is down')),
      );
      for (const error of errors) {
        expectThat(error instanceof Error && !(error instanceof TypeError), 'an error that no client takes for a broken connection');
        expectEqual(String(error), String(errors[0]), 'the error of every caller');
        expectNoSecret(error, secrets, 'the error');
      }
      isDown = false;
      await authorize();
    },
  },
  {
    name: 'of 20 callers 19 leave: who stays gets the credential',
    skip: skipUnlessShares,
    async run({ create }) {
      const { strategy, secrets } = create({ onObtain: () => pause(30) });
      const signals = Array.from({ length: 20 }, () => new AbortController());
      const calls = signals.map(({ signal }) => Promise.resolve(strategy.authorize(requestOf(), contextOf(signal))));
      const settled = Promise.allSettled(calls);
      for (const controller of signals.slice(1)) controller.abort(new Error('left'));
      const [first, ...others] = await soon(settled, 'twenty callers');
      expectThat(first?.status === 'fulfilled' && sightings(textOf(first.value), secrets.slice(-1)) > 0, 'the credential for who stayed');
      for (const other of others)
        expectThat(other.status === 'fulfilled' || String(other.reason) === 'Error: left', 'the abort reason, where the wait ends');
    },
  },
];

function abortCase(moment: 'authorize' | 'recover'): ConformanceCase<StrategySubject> {
  return {
    name: `an abort ends the own wait in ${moment} only: what others share goes on, even if all leave`,
    skip: skipUnlessShares,
    async run({ create }) {
      let obtained = 0;
      let open = (): void => {};
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      const onObtain = async (): Promise<void> => {
        obtained++;
        if (moment === 'authorize' || obtained > 1) await gate;
      };
      const { strategy } = create({ onObtain });
      const call = await caller(strategy, moment);
      const before = obtained;
      const controller = new AbortController();
      const leaves = call(controller.signal);
      leaves.catch(() => {});
      await until(() => obtained > before, 'the source to be asked');
      controller.abort(new Error('left'));
      expectEqual(await soon(rejectionOf(leaves, 'who left'), 'who left'), new Error('left'), 'what who left is told');
      const stays = call();
      open();
      await soon(stays, 'who stayed');
      expectEqual(obtained, before + 1, 'credentials obtained');
    },
  };
}

async function caller(strategy: AuthStrategy, moment: 'authorize' | 'recover'): Promise<(signal?: AbortSignal) => Promise<unknown>> {
  const request = requestOf();
  if (moment === 'authorize') return async (signal) => strategy.authorize(request, contextOf(signal));
  const { receipt } = await strategy.authorize(request, contextOf());
  return async (signal) => strategy.recover?.(responseOf(401), { request, receipt }, contextOf(signal));
}
