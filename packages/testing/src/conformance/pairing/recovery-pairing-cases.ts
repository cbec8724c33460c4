import type { EchoServer } from '../../echo-server.ts';
import type { ClientRequest } from '../adapter/adapter-subject.ts';
import { kindOf } from '../adapter/bodies.ts';
import { comparable, onServer, wireText } from '../adapter/servers.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, pause, rejectionOf } from '../expectation.ts';
import { sightings } from '../secret-sightings.ts';
import { type StrategyUnderTest, skipUnlessRenews, skipUnlessShares } from '../strategy/strategy-subject.ts';
import { type PairingSubject, placementOf } from './pairing-subject.ts';

const REQUEST: ClientRequest = {
  method: 'POST',
  body: "a=1&b=it's",
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-A': '1' },
};
const renews = ({ strategy }: PairingSubject): string | undefined => skipUnlessRenews(strategy);
const shares = ({ strategy }: PairingSubject): string | undefined => skipUnlessShares(strategy);

/** What a strategy makes of a rejection, on the wire of one client. */
export const recoveryPairingCases: readonly ConformanceCase<PairingSubject>[] = [
  {
    name: 'a standing 401 reaches the caller in the client’s own manner, after one replay where there is another credential',
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        server.inject({ status: 401, body: 'rejected body', times: Number.POSITIVE_INFINITY });
        const without = await adapter.bare()(`${server.origin}/a`, REQUEST);
        server.clearRequests();
        const ours = await adapter.attach(strategy.create().strategy)(`${server.origin}/a`, REQUEST);
        expectEqual([ours.status, ours.text], [401, 'rejected body'], 'status and body');
        expectEqual(
          ours.error === undefined ? 'none' : kindOf(ours.error),
          without.error === undefined ? 'none' : kindOf(without.error),
          'the error',
        );
        expectEqual(server.requests.length, strategy.renews ? 2 : 1, 'requests');
      }),
  },
  {
    name: 'a 401 causes one renewal and one replay that differs in the credential alone',
    skip: renews,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const created = strategy.create();
        const rejected = rejectFirst(server, created);
        const answer = await adapter.attach(created.strategy)(`${server.origin}/a?b=it's`, REQUEST);
        expectEqual([answer.status, server.requests.length], [200, 2], 'status and requests');
        const { headers } = await placementOf(strategy, 'form');
        const [first, second] = server.requests;
        expectEqual(comparable(second, headers), comparable(first, headers), 'the replay');
        expectEqual(sightings(wireText(server.requests.slice(1)), created.secrets.slice(-1)), 1, 'new credentials on the replay');
        expectEqual(sightings(wireText(server.requests.slice(1)), rejected()), 0, 'rejected credentials on the replay');
      }),
  },
  {
    name: '200 calls on a rejected credential, answered over 0 to 100 ms: one renewal, none fails',
    skip: shares,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        let obtained = 0;
        const created = strategy.create({ onObtain: () => pause(5).then(() => void obtained++) });
        const call = adapter.attach(created.strategy);
        await call(`${server.origin}/warm`);
        server.inject({ delayMs: ({ query }) => (Number(query) * 37) % 100, times: Number.POSITIVE_INFINITY });
        rejectFirst(server, created);
        const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => call(`${server.origin}/items?${index}`)));
        expectEqual([...new Set(answers.map(({ status }) => status))], [200], 'the statuses');
        expectEqual(obtained, 2, 'credentials obtained');
      }),
  },
  {
    name: 'a standing 401 costs one renewal, not one per call',
    skip: shares,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        let obtained = 0;
        const created = strategy.create({ onObtain: () => void obtained++ });
        server.inject({ status: 401, times: Number.POSITIVE_INFINITY });
        const call = adapter.attach(created.strategy);
        for (let round = 0; round < 5; round++) expectEqual((await call(`${server.origin}/a`)).status, 401, 'the status');
        expectEqual(obtained, 2, 'credentials obtained');
      }),
  },
  {
    name: 'two clients share one credential and one renewal',
    skip: shares,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        let obtained = 0;
        const created = strategy.create({ onObtain: () => pause(5).then(() => void obtained++) });
        const clients = [adapter.attach(created.strategy), adapter.attach(created.strategy)];
        await Promise.all(clients.map((call) => call(`${server.origin}/warm`)));
        expectEqual(obtained, 1, 'credentials obtained at first');
        rejectFirst(server, created);
        const answers = await Promise.all([0, 1, 2, 3].flatMap(() => clients.map((call) => call(`${server.origin}/a`))));
        expectEqual([...new Set(answers.map(({ status }) => status))], [200], 'the statuses');
        expectEqual(obtained, 2, 'credentials obtained');
      }),
  },
  {
    name: 'a 403 is no rejection, and neither is insufficient_scope',
    skip: renews,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        let obtained = 0;
        const created = strategy.create({ onObtain: () => void obtained++ });
        const call = adapter.attach(created.strategy);
        server.inject({ status: 403, headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' } });
        if (strategy.stepsUp) {
          const { code } = (await rejectionOf(call(`${server.origin}/a`), 'the call')) as { code?: unknown };
          expectEqual(code, 'INTERACTION_REQUIRED', 'the `code`');
        } else expectEqual((await call(`${server.origin}/a`)).status, 403, 'the status');
        expectEqual(server.requests.length, 1, 'requests');
        expectEqual(obtained, 1, 'credentials obtained');
      }),
  },
  {
    name: 'a renewal that fails reaches the caller as a typed error, not as the 401',
    skip: renews,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        let obtained = 0;
        const onObtain = (): void => {
          if (++obtained > 1) throw new Error('the source is down');
        };
        const created = strategy.create({ onObtain });
        rejectFirst(server, created);
        const error = await rejectionOf(adapter.attach(created.strategy)(`${server.origin}/a`), 'the call');
        const { code, strategy: name } = error as { code?: unknown; strategy?: unknown };
        expectThat(typeof code === 'string' && !(error instanceof TypeError), 'an error with a `code`, and no TypeError');
        expectEqual([name, server.requests.length], [created.strategy.name, 1], 'the strategy that it names, and requests');
      }),
  },
];

/** Refuses whatever carries the credential that is the newest when the first request arrives; answers with it, once it is known. */
function rejectFirst({ inject }: Pick<EchoServer, 'inject'>, { secrets, rotate }: StrategyUnderTest): () => readonly string[] {
  let rejected: readonly string[] = [];
  inject({
    status: 401,
    body: 'rejected body',
    times: Number.POSITIVE_INFINITY,
    when(request) {
      if (rejected.length === 0) {
        rejected = secrets.slice(-1);
        rotate?.();
      }
      return sightings(wireText([request]), rejected) > 0;
    },
  });
  return () => rejected;
}
