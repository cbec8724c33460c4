import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, pause, rejectionOf } from '../expectation.ts';
import type { AdapterSubject, ClientFunction } from './adapter-subject.ts';
import { probe, rotatingProbe, typedError } from './probe-strategies.ts';
import { acceptOnly, onServer } from './servers.ts';

/** Many calls at once. */
export const concurrencyCases: readonly ConformanceCase<AdapterSubject>[] = [
  ...(
    [
      ['answered at once', () => 0],
      ['answered over 0 to 100 ms', (index: number) => (index * 37) % 100],
      ['half of them answered late, after the refresh', (index: number) => (index % 2 ? 150 : 0)],
    ] as const
  ).map(
    ([when, delayMs]): ConformanceCase<AdapterSubject> => ({
      name: `200 calls on a rejected credential, ${when}: one refresh, none fails`,
      run: ({ attach }) =>
        onServer(async (server) => {
          const { strategy, count } = rotatingProbe(() => pause(5));
          const call = attach(strategy);
          await call(`${server.origin}/warm`);
          server.inject({
            delayMs: ({ query, headers }) => (headers['x-probe'] === 't1' ? delayMs(Number(query)) : 0),
            times: Number.POSITIVE_INFINITY,
          });
          server.inject(acceptOnly('t2'));
          await expectAllAnswered(call, server.origin);
          expectEqual(count(), 2, 'credentials');
        }),
    }),
  ),
  {
    name: 'two clients that share a strategy share its refresh',
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy, count } = rotatingProbe(() => pause(5));
        const clients = [attach(strategy), attach(strategy)];
        await Promise.all(clients.map((call) => call(`${server.origin}/warm`)));
        server.inject(acceptOnly('t2'));
        await Promise.all(clients.map((call) => expectAllAnswered(call, server.origin, 25)));
        expectEqual(count(), 2, 'credentials');
      }),
  },
  {
    name: 'two strategies on two clients stay apart',
    run: ({ attach }) =>
      onServer(async (server) => {
        const clients = ['one', 'two'].map((value) => attach(probe(async () => ({ headers: { 'X-Probe': value } }))));
        await Promise.all(Array.from({ length: 40 }, (_, index) => clients[index % 2]?.(`${server.origin}/?${index % 2 ? 'two' : 'one'}`)));
        expectThat(
          server.requests.every(({ query, headers }) => headers['x-probe'] === query),
          'each call with the credential of its own client',
        );
      }),
  },
  {
    name: 'a refresh that fails reaches all who wait for it as the same typed error',
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy, count } = rotatingProbe(async (n) => {
          await pause(20);
          if (n > 1) throw typedError('INTERACTION_REQUIRED');
        });
        const call = attach(strategy);
        await call(`${server.origin}/warm`);
        server.inject(acceptOnly('t2'));
        const errors = await Promise.all(Array.from({ length: 20 }, () => rejectionOf(call(`${server.origin}/a`), 'a call')));
        const kinds = errors.map((error) =>
          JSON.stringify([(error as { code?: unknown }).code, (error as { strategy?: unknown }).strategy]),
        );
        expectEqual([...new Set(kinds)], ['["INTERACTION_REQUIRED","probe"]'], 'code and strategy of the errors');
        expectEqual(count(), 2, 'credentials asked for');
      }),
  },
];

async function expectAllAnswered(call: ClientFunction, origin: string, calls = 200): Promise<void> {
  const answers = await Promise.all(Array.from({ length: calls }, (_, index) => call(`${origin}/items?${index}`)));
  expectEqual([...new Set(answers.map(({ status }) => status))], [200], 'the statuses');
  expectThat(
    answers.every(({ text }, index) => text.includes(`/items?${index}"`)),
    'each call with its own answer',
  );
}
