import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, rejectionOf, soon, until } from '../expectation.ts';
import { type AdapterSubject, needs } from './adapter-subject.ts';
import { kindOf, REPLAYABLE_BODIES } from './bodies.ts';
import { eventLog, probe, rotatingProbe, signingProbe, typedError } from './probe-strategies.ts';
import { acceptOnly, comparable, onRoutes, onServer } from './servers.ts';

/** What happens after a 401, or what the strategy takes for one. */
export const rejectionCases: readonly ConformanceCase<AdapterSubject>[] = [
  ...Object.entries(REPLAYABLE_BODIES).map(
    ([what, make]): ConformanceCase<AdapterSubject> => ({
      name: `a 401 causes one refresh and one replay, byte for byte: ${what}`,
      run: ({ attach, bare }) =>
        onServer(async (server) => {
          const request = () => ({ method: 'POST', ...make(), headers: { 'X-A': '1', ...make().headers } });
          const isSendable = await bare()(`${server.origin}/items?a=it's`, request()).then(
            () => true,
            () => false,
          );
          const { strategy, count } = rotatingProbe();
          server.inject(acceptOnly('t2'));
          const call = attach(strategy)(`${server.origin}/items?a=it's`, request());
          if (!isSendable) return void (await rejectionOf(call, 'a body that the client itself refuses'));
          expectEqual((await call).status, 200, 'the status');
          const [without, first, second] = server.requests;
          expectEqual([server.requests.length, count()], [3, 2], 'requests and credentials');
          expectEqual(
            [first, second].map((each) => each?.headers['x-probe']),
            ['t1', 't2'],
            'the credentials',
          );
          const ignored = ['x-probe'];
          expectEqual(comparable(first, ignored), comparable(without), 'the first request');
          expectEqual(comparable(second, ignored), comparable(first, ignored), 'the replay');
        }),
    }),
  ),
  {
    name: 'the replay is signed anew, over what it sends',
    run: ({ attach }) =>
      onServer(async (server) => {
        let attempts = 0;
        const strategy = probe(({ attempt, body }) => ({ headers: { 'X-Probe': `${attempt} ${++attempts} ${textOf(body)}` } }), {
          readsBody: 'bytes',
          recover: () => true,
        });
        server.inject({ status: 401 });
        await attach(strategy)(`${server.origin}/a`, { method: 'POST', body: 'text' });
        expectEqual(
          server.requests.map(({ headers }) => headers['x-probe']),
          ['1 1 text', '2 2 text'],
          'the credentials',
        );
      }),
  },
  {
    name: 'the second rejection reaches the caller whole, in the client’s own manner',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        server.inject(acceptOnly('never'));
        const without = await bare()(`${server.origin}/items`);
        const ours = await attach(rotatingProbe().strategy)(`${server.origin}/items`);
        expectEqual([ours.status, ours.text], [401, 'rejected body'], 'status and body');
        expectEqual(
          ours.error === undefined ? 'none' : kindOf(ours.error),
          without.error === undefined ? 'none' : kindOf(without.error),
          'the error',
        );
        expectEqual(server.requests.length, 3, 'requests');
      }),
  },
  {
    name: 'a rejection is recovered from also where the client’s errors for statuses are off',
    run: ({ attach }) =>
      onServer(async (server) => {
        server.inject(acceptOnly('t2'));
        const call = attach(rotatingProbe().strategy);
        const answer = await call(`${server.origin}/items`, { method: 'POST', body: 'text', throwHttpErrors: false });
        expectEqual([answer.status, answer.error, server.requests.length], [200, undefined, 2], 'status, error and requests');
        server.clearFaults();
        server.inject(acceptOnly('never'));
        const standing = await call(`${server.origin}/items`, { throwHttpErrors: false });
        expectEqual(
          [standing.status, standing.text, standing.error],
          [401, 'rejected body', undefined],
          'status, body and error of a standing 401',
        );
      }),
  },
  {
    name: 'recovers once and replays once, whatever the strategy would like; maxAttempts says otherwise',
    run: ({ attach }) =>
      onServer(async (server) => {
        server.inject({ status: 401, times: Number.POSITIVE_INFINITY });
        let recoveries = 0;
        const stubborn = probe(() => ({ headers: { 'X-Probe': '1' } }), { recover: () => ++recoveries > 0 });
        expectEqual((await attach(stubborn)(`${server.origin}/items`)).status, 401, 'the status');
        expectEqual([recoveries, server.requests.length], [1, 2], 'recoveries and requests');
        server.clearRequests();
        await attach(stubborn, { maxAttempts: 4 })(`${server.origin}/items`);
        expectEqual([recoveries, server.requests.length], [4, 4], 'recoveries so far, and requests with `maxAttempts: 4`');
      }),
  },
  {
    name: 'with maxAttempts 1 recovers for the next call, but does not replay',
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy, count } = rotatingProbe();
        const { events, onEvent } = eventLog();
        server.inject(acceptOnly('t2'));
        const call = attach(strategy, { maxAttempts: 1, onEvent });
        expectEqual([(await call(`${server.origin}/a`)).status, (await call(`${server.origin}/a`)).status], [401, 200], 'the statuses');
        expectEqual([count(), server.requests.length], [2, 2], 'credentials and requests');
        expectThat(
          events.some((event) => event.type === 'replay-skipped'),
          'the event replay-skipped',
        );
      }),
  },
  {
    name: 'without `recover`, and where `recover` answers false, the rejection is the answer',
    run: ({ attach }) =>
      onServer(async (server) => {
        server.inject({ status: 401, body: 'no', times: 2 });
        for (const recover of [undefined, () => false]) {
          const answer = await attach(probe(() => ({ headers: { 'X-Probe': '1' } }), recover && { recover }))(`${server.origin}/a`);
          expectEqual([answer.status, answer.text], [401, 'no'], 'status and body');
        }
        expectEqual(server.requests.length, 2, 'requests');
      }),
  },
  ...[400, 403, 404, 429, 500, 503].map(
    (status): ConformanceCase<AdapterSubject> => ({
      name: `a ${status} is no rejection`,
      run: ({ attach }) =>
        onServer(async (server) => {
          const { strategy, count } = rotatingProbe();
          server.inject({ status, body: 'not that', headers: { 'WWW-Authenticate': 'Probe error="invalid_token"' }, times: 5 });
          const answer = await attach(strategy)(`${server.origin}/items`);
          expectEqual([answer.status, answer.text], [status, 'not that'], 'status and body');
          expectEqual([count(), server.requests.length], [1, 1], 'credentials and requests');
        }),
    }),
  ),
  {
    name: 'a 401 to a request that went out bare is no rejection',
    run: ({ attach }) =>
      onServer(async (server) => {
        let recoveries = 0;
        const bareOnes = probe(() => ({}), { recover: () => ++recoveries > 0 });
        server.inject({ status: 401, times: 2 });
        await attach(bareOnes)(`${server.origin}/a`);
        await attach(bareOnes, { origins: 'https://api.example.com' })(`${server.origin}/a`);
        expectEqual([recoveries, server.requests.length], [0, 2], 'recoveries and requests');
      }),
  },
  {
    name: 'the strategy can read a rejection, and the caller still gets it whole',
    run: ({ attach }) =>
      onServer(async (server) => {
        server.inject({ status: 400, body: { code: 118 }, times: 2 });
        const seen: unknown[] = [];
        const strategy = probe(() => ({ headers: { 'X-Probe': '1' } }), {
          async isRejected(response) {
            seen.push(response.status, await response.json(), new URL(response.url).pathname, response.headers.get('Content-Type'));
            return true;
          },
          recover: async (response) => (await response.text()).includes('118'),
        });
        const answer = await attach(strategy)(`${server.origin}/items`);
        const once = [400, { code: 118 }, '/items', 'application/json'];
        expectEqual(seen, [...once, ...once], 'what the strategy saw');
        expectEqual([answer.status, answer.text, server.requests.length], [400, '{"code":118}', 2], 'status, body and requests');
      }),
  },
  {
    name: 'an isRejected that throws counts as no, with an event',
    run: ({ attach }) =>
      onServer(async (server) => {
        const { events, onEvent } = eventLog();
        server.inject({ status: 400, body: 'no json' });
        const strategy = probe(() => ({ headers: { 'X-Probe': '1' } }), {
          isRejected: async (response) => Boolean(await response.json()),
          recover: () => true,
        });
        const answer = await attach(strategy, { onEvent })(`${server.origin}/a`);
        expectEqual([answer.status, answer.text], [400, 'no json'], 'status and body');
        expectEqual(events, [{ type: 'rejection-check-failed', strategy: 'probe', status: 400 }], 'events');
      }),
  },
  {
    name: 'a strategy observes every response to a request of its own, the rejected one first',
    run: ({ attach }) =>
      onServer(async (server) => {
        const observed: unknown[] = [];
        const { strategy } = rotatingProbe();
        server.inject(acceptOnly('t2'));
        const call = attach({ ...strategy, observe: ({ status }, { receipt }) => void observed.push([status, receipt]) });
        await call(`${server.origin}/items`);
        expectEqual(
          observed,
          [
            [401, 1],
            [200, 2],
          ],
          'status and receipt',
        );
      }),
  },
  {
    name: 'a failing recovery gives the caller our error, not the 401; nothing is sent again',
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy } = rotatingProbe((n) => {
          if (n > 1) throw typedError('TOKEN_ENDPOINT_ERROR');
        });
        server.inject(acceptOnly('never'));
        const error = await rejectionOf(attach(strategy)(`${server.origin}/a`), 'the call');
        const { code, strategy: name } = error as { code?: unknown; strategy?: unknown };
        expectEqual({ code, name }, { code: 'TOKEN_ENDPOINT_ERROR', name: 'probe' }, 'the error');
        expectEqual(server.requests.length, 1, 'requests');
      }),
  },
  {
    name: 'leaves no socket behind: the rejected response is given up',
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy } = rotatingProbe();
        server.inject({ ...acceptOnly('t2'), body: 'x'.repeat(2_000_000) });
        const call = attach(strategy);
        await Promise.all(Array.from({ length: 20 }, () => call(`${server.origin}/items`, { early: true })));
        expectEqual(server.requests.length, 40, 'requests');
        // Twenty carried a replay and are kept alive; twenty that still hold a rejected body would come on top.
        await until(() => server.openSockets < 30, 'fewer than 30 open sockets', 2_000);
      }),
  },
  {
    name: 'a rejected response whose body stalls holds nobody up',
    skip: needs('earlyAnswers'),
    run: ({ attach }) =>
      onRoutes({ '*': ({ headers }) => ({ status: headers['x-probe'] === 't1' ? 401 : 200, body: 'an answer' }) }, async (server) => {
        server.inject({ stall: 'mid-body', when: ({ headers }) => headers['x-probe'] === 't1' });
        const answer = await soon(attach(rotatingProbe().strategy)(`${server.origin}/items`, { early: true }), 'the answer', 3_000);
        expectEqual([answer.status, answer.text], [200, 'an answer'], 'status and body');
      }),
  },
  {
    name: 'transforms of the client run once per call, also when it is sent twice',
    skip: needs('transforms'),
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const runs = { request: 0, response: 0 };
        const transform = {
          request: (text: string) => `${text}+${++runs.request}`,
          response: (text: string) => `${text.slice(0, 0)}${++runs.response}`,
        };
        await bare({ transform })(`${server.origin}/a`, { method: 'POST', body: 'text' });
        Object.assign(runs, { request: 0, response: 0 });
        server.inject({ status: 401, when: ({ headers }) => headers['x-signature'] !== undefined });
        const answer = await attach(
          signingProbe('bytes', { recover: () => true }),
          {},
          { transform },
        )(`${server.origin}/a`, { method: 'POST', body: 'text' });
        expectEqual(
          server.requests.map(({ text }) => text),
          ['text+1', 'text+1', 'text+1'],
          'the bodies: without us, first, replay',
        );
        expectEqual([answer.text, runs.response], ['1', 1], 'the answer, and how often it was transformed');
      }),
  },
];

function textOf(body: Uint8Array | string | undefined): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}
