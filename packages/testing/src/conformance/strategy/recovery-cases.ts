import type { AuthPatch, AuthStrategy, SentAttempt } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, rejectionOf } from '../expectation.ts';
import { sightings } from '../secret-sightings.ts';
import { contextOf, requestOf, responseOf, textOf } from './exchange.ts';
import { type StrategySubject, skipUnlessRenews, skipUnlessShares } from './strategy-subject.ts';

const rejection = () => responseOf(401);

/** What a strategy does after a rejection. */
export const recoveryCases: readonly ConformanceCase<StrategySubject>[] = [
  {
    name: 'a rejection leads to another credential, or is not recovered from',
    async run({ create }) {
      const subject = create();
      const { strategy } = subject;
      const first = await sent(strategy);
      subject.rotate?.();
      const isRecovered = (await strategy.recover?.(rejection(), first, contextOf())) ?? false;
      expectEqual(typeof isRecovered, 'boolean', 'the type of what `recover` answers');
      const second = await sent(strategy);
      expectThat(!isRecovered || textOf(second.patch) !== textOf(first.patch), 'another patch after `recover` has answered true');
    },
  },
  {
    name: 'recovers from a rejection with a credential that was obtained since',
    skip: skipUnlessRenews,
    async run({ create }) {
      const subject = create();
      const { strategy, secrets } = subject;
      const first = await sent(strategy);
      const rejected = secrets.slice(-1);
      subject.rotate?.();
      expectEqual(await strategy.recover?.(rejection(), first, contextOf()), true, '`recover`');
      const { patch } = await sent(strategy);
      expectThat(sightings(textOf(patch), rejected) === 0, 'a patch without the rejected credential');
      expectThat(sightings(textOf(patch), secrets.slice(-1)) > 0, 'a patch with the newest credential');
    },
  },
  {
    name: 'looks at what was rejected: a late rejection of an older credential obtains nothing',
    skip: skipUnlessShares,
    async run({ create }) {
      let obtained = 0;
      const { strategy } = create({ onObtain: () => void obtained++ });
      const first = await sent(strategy);
      await strategy.recover?.(rejection(), first, contextOf());
      await sent(strategy);
      expectEqual(await strategy.recover?.(rejection(), first, contextOf()), true, '`recover` from the late rejection');
      expectEqual(obtained, 2, 'credentials obtained');
    },
  },
  {
    name: 'a standing rejection costs one credential, not one per call',
    skip: skipUnlessShares,
    async run({ create }) {
      let obtained = 0;
      const { strategy } = create({ onObtain: () => void obtained++ });
      await strategy.recover?.(rejection(), await sent(strategy), contextOf());
      for (let call = 0; call < 5; call++)
        expectEqual(await strategy.recover?.(rejection(), await sent(strategy), contextOf()), false, '`recover`');
      expectEqual(obtained, 2, 'credentials obtained');
    },
  },
  {
    name: 'a rejection of a credential that had been accepted is news again',
    skip: skipUnlessShares,
    async run({ create }) {
      let obtained = 0;
      const { strategy } = create({ onObtain: () => void obtained++ });
      for (let round = 0; round < 3; round++) {
        const attempt = await sent(strategy);
        strategy.observe?.(responseOf(200), attempt);
        expectEqual(await strategy.recover?.(rejection(), attempt, contextOf()), true, '`recover`');
      }
      expectEqual(obtained, 4, 'credentials obtained');
    },
  },
  ...[403, 404, 429, 500, 503].map((status) => statusCase(status)),
  {
    name: 'a Bearer credential is not renewed for insufficient_scope, nor for a challenge to another scheme',
    skip: (subject) =>
      skipUnlessShares(subject) ?? (isBearer(subject.create().strategy.sensitive) ? undefined : 'it sends no Authorization header'),
    async run({ create, stepsUp }) {
      for (const challenge of ['Bearer error="insufficient_scope", scope="write"', 'Negotiate', 'Digest realm="a", nonce="b"']) {
        let obtained = 0;
        const { strategy } = create({ onObtain: () => void obtained++ });
        const attempt = await sent(strategy);
        const isOurs = /^Bearer /i.test(attempt.patch.headers?.['Authorization'] ?? '');
        if (!isOurs) continue;
        const recovery = (async () => strategy.recover?.(responseOf(401, { 'www-authenticate': challenge }), attempt, contextOf()))();
        if (stepsUp && challenge.startsWith('Bearer')) {
          const { code } = (await rejectionOf(recovery, '`recover`')) as { code?: unknown };
          expectEqual(code, 'INTERACTION_REQUIRED', 'the `code`');
        } else expectEqual(await recovery, false, `\`recover\` from ${challenge}`);
        expectEqual(obtained, 1, 'credentials obtained');
      }
    },
  },
  {
    name: 'a rejection without a receipt breaks nothing',
    async run({ create }) {
      const { strategy } = create();
      const { request } = await sent(strategy);
      await strategy.isRejected?.(responseOf(400, {}, 'no json'), { request, receipt: undefined });
      await strategy.recover?.(responseOf(401, {}, 'no json'), { request, receipt: undefined }, contextOf());
    },
  },
];

function statusCase(status: number): ConformanceCase<StrategySubject> {
  return {
    name: `a ${status} is no rejection, whatever its body looks like`,
    skip: ({ create }) => (create().strategy.isRejected ? undefined : 'only 401 is a rejection to it'),
    async run({ create }) {
      const { strategy } = create();
      const attempt = await sent(strategy);
      for (const body of ['', 'null', '<html>', '{"error":"insufficient_scope"}', '[]'])
        expectEqual(await strategy.isRejected?.(responseOf(status, {}, body), attempt), false, `\`isRejected\` for the body ${body}`);
    },
  };
}

function isBearer(sensitive: AuthStrategy['sensitive']): boolean {
  return sensitive?.headers?.some((name) => name.toLowerCase() === 'authorization') ?? false;
}

/** One request, authorized: what the strategy sees again with the response, and the patch itself. */
async function sent(strategy: AuthStrategy): Promise<SentAttempt & { readonly patch: AuthPatch }> {
  const request = requestOf();
  const patch = await strategy.authorize(request, contextOf());
  return { request, receipt: patch.receipt, patch };
}
