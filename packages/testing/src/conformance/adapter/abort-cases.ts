import type { AuthStrategy } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, pause, rejectionOf, soon, until } from '../expectation.ts';
import { type AdapterSubject, type ClientFunction, type ClientRequest, needs } from './adapter-subject.ts';
import { fixedProbe, neverProbe, probe, rotatingProbe } from './probe-strategies.ts';
import { acceptOnly, onServer } from './servers.ts';

const REASON = (): Error => new Error('user left');

/** Aborts and timeouts, at every stage of a call. */
export const abortCases: readonly ConformanceCase<AdapterSubject>[] = [
  {
    name: 'an abort before the call asks nobody and sends nothing',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        let asked = 0;
        const strategy = probe(() => ({ headers: { 'X-Probe': `${++asked}` } }));
        const signal = AbortSignal.abort(REASON());
        const error = await rejectionOf(attach(strategy)(`${server.origin}/ours`, { signal }), 'the call');
        expectEqual(
          endOf(error),
          endOf(await rejectionOf(bare()(`${server.origin}/bare`, { signal }), 'the call without us')),
          'the error',
        );
        await pause(10);
        expectEqual([asked, server.requests.filter(({ path }) => path === '/ours').length], [0, 0], 'questions and requests');
      }),
  },
  stageCase('while it waits for a credential', neverProbe, 0),
  stageCase('while the server is silent', fixedProbe, 1),
  {
    name: 'an abort while it waits for a refresh ends this call only: the refresh goes on, for who stays and for who comes',
    run: ({ attach }) =>
      onServer(async (server) => {
        let finish = (): void => {};
        const gate = new Promise<void>((resolve) => {
          finish = resolve;
        });
        const { strategy, count } = rotatingProbe((n) => (n > 1 ? gate : undefined));
        server.inject(acceptOnly('t2'));
        const controller = new AbortController();
        const call = attach(strategy);
        const left = rejectionOf(call(`${server.origin}/a`, { signal: controller.signal }), 'who left');
        await until(() => count() === 2, 'the refresh');
        const stays = call(`${server.origin}/a`);
        controller.abort(REASON());
        await soon(left, 'who left');
        finish();
        expectEqual(
          [(await stays).status, (await call(`${server.origin}/a`)).status],
          [200, 200],
          'the statuses of who stayed and who came',
        );
        expectEqual(count(), 2, 'credentials');
      }),
  },
  {
    name: 'an abort while the replay is under way ends it as the client would',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        server.inject({ status: 401, when: ({ headers }) => headers['x-probe'] === 't1' });
        server.inject({ stall: 'on-arrival', times: 2 });
        const errors: unknown[] = [];
        for (const [call, requests] of [
          [attach(rotatingProbe().strategy), 2],
          [bare(), 3],
        ] as const) {
          errors.push(await abortOnceArrived(call, server, requests));
        }
        expectEqual(endOf(errors[0]), endOf(errors[1]), 'the error');
      }),
  },
  {
    name: 'an abort while the answer is on its way ends the call as the client would',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        server.inject({ stall: 'mid-body', times: 2 });
        const errors: unknown[] = [];
        for (const [index, call] of [attach(rotatingProbe().strategy), bare()].entries()) {
          const controller = new AbortController();
          const ended = rejectionOf(call(`${server.origin}/a`, { signal: controller.signal }), 'the call');
          await until(() => server.requests.length === index + 1, 'the request');
          await pause(30);
          controller.abort(REASON());
          errors.push(await soon(ended, 'the end of the call'));
        }
        expectEqual(endOf(errors[0]), endOf(errors[1]), 'the error');
      }),
  },
  {
    name: 'a signal that aborts after the answer changes nothing',
    run: ({ attach }) =>
      onServer(async (server) => {
        const controller = new AbortController();
        server.inject(acceptOnly('t2'));
        const answer = await attach(rotatingProbe(() => pause(1)).strategy)(`${server.origin}/a`, { signal: controller.signal });
        controller.abort(REASON());
        await pause(5);
        expectEqual(answer.status, 200, 'the status');
      }),
  },
  {
    name: 'timeoutMs covers the wait for a credential, and for a refresh',
    run: ({ attach }) =>
      onServer(async (server) => {
        const waits: [AuthStrategy, number][] = [
          [neverProbe(), 0],
          [rotatingProbe((n) => (n > 1 ? new Promise<void>(() => {}) : undefined)).strategy, 1],
        ];
        for (const [strategy, requests] of waits) {
          server.clearRequests();
          server.inject({ status: 401 });
          const error = await soon(
            rejectionOf(attach(strategy, { timeoutMs: 30 })(`${server.origin}/a`), 'the call'),
            'the end of the call',
          );
          const { code, strategy: name } = error as { code?: unknown; strategy?: unknown };
          expectEqual([code, name, server.requests.length], ['AUTH_TIMEOUT', 'probe', requests], 'code, strategy and requests');
          server.clearFaults();
        }
      }),
  },
  timeoutCase('the wait for a credential', neverProbe, 0),
  timeoutCase('the wait for a refresh', () => rotatingProbe((n) => (n > 1 ? new Promise<void>(() => {}) : undefined)).strategy, 1),
  timeoutCase('the answer', fixedProbe, 1),
];

/** Aborts a call at one stage, and compares with what the client says of an abort while the server is silent. */
function stageCase(stage: string, strategy: () => AuthStrategy, requests: number): ConformanceCase<AdapterSubject> {
  return {
    name: `an abort ${stage} ends the call at once, as the client would`,
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        server.inject({ stall: 'on-arrival', times: 2 });
        const ours = await abortOnceArrived(attach(strategy()), server, requests);
        expectEqual(server.requests.length, requests, 'requests');
        const without = await abortOnceArrived(bare(), server, requests + 1);
        expectEqual(endOf(ours), endOf(without), 'the error');
      }),
  };
}

async function abortOnceArrived(
  call: ClientFunction,
  server: { readonly requests: readonly unknown[]; readonly origin: string },
  requests: number,
): Promise<unknown> {
  const controller = new AbortController();
  const ended = rejectionOf(call(`${server.origin}/a`, { signal: controller.signal }), 'the call');
  ended.catch(() => {});
  await until(() => server.requests.length >= requests, `request ${requests}`);
  await pause(5);
  controller.abort(REASON());
  const error = await soon(ended, 'the end of the call');
  await pause(5);
  expectEqual(server.requests.length, requests, 'requests after the abort');
  return error;
}

function timeoutCase(what: string, strategy: () => AuthStrategy, requests: number): ConformanceCase<AdapterSubject> {
  return {
    name: `the client's own timeout covers ${what}`,
    skip: needs('timeout'),
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        server.inject({ status: 401, when: ({ headers }) => headers['x-probe'] === 't1' });
        server.inject({ stall: 'on-arrival', times: 2 });
        const request: ClientRequest = { timeoutMs: 300 };
        const startedMs = Date.now();
        const ours = await soon(rejectionOf(attach(strategy())(`${server.origin}/a`, request), 'the call'), 'the end of the call');
        expectThat(Date.now() - startedMs < 3_000, 'an end within the timeout');
        expectEqual(server.requests.length, requests, 'requests');
        server.clearFaults();
        server.inject({ stall: 'on-arrival' });
        const without = await rejectionOf(bare()(`${server.origin}/a`, request), 'the call without us');
        expectEqual(endOf(ours), endOf(without), 'the error');
      }),
  };
}

/** How a call ended, to be compared: not in which words. */
function endOf(error: unknown): object {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return { name, code };
}
