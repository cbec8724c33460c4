import type { AuthPatch } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, pause, rejectionOf } from '../expectation.ts';
import { type AdapterSubject, type ClientRequest, needs } from './adapter-subject.ts';
import { REPLAYABLE_BODIES } from './bodies.ts';
import { eventLog, fixedProbe, probe, rotatingProbe, signingProbe } from './probe-strategies.ts';
import { acceptOnly, comparable, onServer } from './servers.ts';

const FORM = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'key=mine' };

/** What is the caller's: its headers and parameters win, its objects stay as they are, each request may choose another strategy. */
export const callersOwnCases: readonly ConformanceCase<AdapterSubject>[] = [
  conflictCase('an explicit Authorization header', { headers: { Authorization: 'Probe ours' } }, { headers: { authorization: 'Mine 1' } }),
  conflictCase('a header in another case', { headers: { 'X-Probe': 'ours' } }, { headers: { 'x-PROBE': 'mine' } }),
  conflictCase('a query parameter', { query: [['key', 'ours']] }, {}, '?key=mine'),
  conflictCase('a query parameter that is encoded', { query: [["k'y", 'ours']] }, {}, '?k%27y='),
  conflictCase('a cookie', { cookies: { key: 'ours' } }, { headers: { Cookie: 'a=1; key=mine' } }),
  conflictCase('a form field', { form: [['key', 'ours']] }, FORM),
  conflictCase(
    'one header of a patch with several',
    { headers: { 'X-Probe': 'ours', 'X-Date': 'ours' }, query: [['q', 'ours']] },
    { headers: { 'X-Date': 'mine' } },
  ),
  {
    name: 'a parameter of the client that stands in `params` wins as well',
    skip: needs('params'),
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const request = { params: { key: 'mine' } };
        for (const call of [bare(), attach(probe(() => ({ query: [['key', 'ours']] })))]) await call(`${server.origin}/a`, request);
        expectEqual(comparable(server.requests[1]), comparable(server.requests[0]), 'the request');
      }),
  },
  {
    name: 'authStrategy: false sends without, another strategy sends with that one, and the next call with the first again',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const call = attach(fixedProbe('default'));
        const request = { method: 'POST', body: 'text', headers: { 'X-A': '1' } };
        await bare()(`${server.origin}/a?b=it's`, request);
        await call(`${server.origin}/a?b=it's`, { ...request, authStrategy: false });
        await call(`${server.origin}/a`, { authStrategy: fixedProbe('other') });
        await call(`${server.origin}/a`);
        expectEqual(comparable(server.requests[1]), comparable(server.requests[0]), 'the request without a strategy');
        expectEqual(
          server.requests.slice(1).map(({ headers }) => headers['x-probe']),
          [undefined, 'other', 'default'],
          'the credentials',
        );
      }),
  },
  {
    name: 'a strategy for one request recovers for itself, and without one a 401 is the answer',
    run: ({ attach }) =>
      onServer(async (server) => {
        const [usual, other] = [rotatingProbe(), rotatingProbe()];
        server.inject(acceptOnly('t2'));
        const call = attach(usual.strategy);
        expectEqual((await call(`${server.origin}/a`, { authStrategy: other.strategy })).status, 200, 'the status with another strategy');
        expectEqual((await call(`${server.origin}/a`, { authStrategy: false })).status, 401, 'the status without one');
        expectEqual([usual.count(), other.count(), server.requests.length], [0, 2, 3], 'credentials of both, and requests');
      }),
  },
  {
    name: 'something that is no strategy is an error before anything is sent',
    run: ({ attach }) =>
      onServer(async (server) => {
        const call = attach(fixedProbe());
        for (const wrong of [{}, true, 'bearer', { name: 'old', specVersion: 2, authorize: () => ({}) }]) {
          const error = await rejectionOf(call(`${server.origin}/a`, { authStrategy: wrong as never }), 'the call');
          expectEqual((error as { code?: unknown }).code, 'CONFIGURATION_ERROR', 'the `code`');
        }
        expectEqual(server.requests.length, 0, 'requests');
      }),
  },
  ...Object.entries(REPLAYABLE_BODIES).map(
    ([what, make]): ConformanceCase<AdapterSubject> => ({
      name: `the caller's objects stay as they are: headers and ${what}`,
      run: ({ attach, bare }) =>
        onServer(async (server) => {
          const isSendable = await bare()(`${server.origin}/a`, { method: 'POST', ...make() }).then(
            () => true,
            () => false,
          );
          if (!isSendable) return;
          const headers = { 'X-A': '1', ...make().headers };
          const request: ClientRequest = { method: 'POST', ...make(), headers };
          const before = [await contentOf(request), { ...headers }];
          server.inject(acceptOnly('t2'));
          const strategies = [rotatingProbe(() => pause(1)).strategy, signingProbe('bytes', { recover: () => true })];
          for (const strategy of strategies) await attach(strategy)(`${server.origin}/a`, request);
          expectEqual([await contentOf(request), headers], before, 'body and headers');
        }),
    }),
  ),
  {
    name: 'what the caller changes while a credential is on its way is not sent',
    run: ({ attach }) =>
      onServer(async (server) => {
        const late = probe(async () => {
          await pause(5);
          return { headers: { 'X-Probe': '1' } };
        });
        const call = attach(late);
        const headers: Record<string, string> = {};
        const body = new Uint8Array(1);
        const calls = [1, 2, 3].map((id) => {
          headers['X-Id'] = `${id}`;
          body[0] = id;
          return call(`${server.origin}/a`, { method: 'POST', headers, body });
        });
        await Promise.all(calls);
        const sent = server.requests.map(({ headers: own, body: bytes }) => `${own['x-id']} ${bytes[0]}`);
        expectEqual(sent.sort(), ['1 1', '2 2', '3 3'], 'header and body of each call');
      }),
  },
];

function conflictCase(what: string, patch: AuthPatch, request: ClientRequest, query = ''): ConformanceCase<AdapterSubject> {
  return {
    name: `${what} of the caller is left alone: the patch is dropped whole, nothing is recovered, an event says so`,
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const { events, onEvent } = eventLog();
        let recoveries = 0;
        const strategy = probe(() => patch, { readsBody: patch.form ? 'form' : 'none', recover: () => ++recoveries > 0 });
        server.inject({ status: 401, times: 2 });
        await bare()(`${server.origin}/items${query}`, request);
        const answer = await attach(strategy, { onEvent })(`${server.origin}/items${query}`, request);
        expectEqual([answer.status, recoveries, server.requests.length], [401, 0, 2], 'status, recoveries and requests');
        expectEqual(comparable(server.requests[1]), comparable(server.requests[0]), 'the request');
        expectThat(
          events.length === 1 && events[0]?.type === 'credential-conflict' && events[0].strategy === 'probe',
          'the event credential-conflict',
        );
      }),
  };
}

async function contentOf({ body, json }: ClientRequest): Promise<unknown> {
  if (json !== undefined) return JSON.stringify(json);
  if (body instanceof FormData)
    return JSON.stringify([...body].map(([name, value]) => [name, typeof value === 'string' ? value : value.name]));
  if (body instanceof URLSearchParams) return String(body);
  if (body instanceof Blob) return body.text();
  if (body instanceof ArrayBuffer) return new Uint8Array(body.slice(0));
  return body instanceof Uint8Array ? body.slice() : body;
}
