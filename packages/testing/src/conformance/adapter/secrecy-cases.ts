import type { AuthStrategy } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, rejectionOf } from '../expectation.ts';
import { type AdapterSubject, needs } from './adapter-subject.ts';
import { printed } from './printed.ts';
import { probe } from './probe-strategies.ts';
import { comparable, onServer } from './servers.ts';

const SECRET = 'planted+canary/for=this~test';

/** Errors of a strategy, as the caller gets them. What a client's own errors show is a pairing with a strategy. */
export const adapterSecrecyCases: readonly ConformanceCase<AdapterSubject>[] = [
  ...(
    [
      [
        'throws',
        () => {
          throw new TypeError(`Headers.append: "${SECRET}" is an invalid header value.`);
        },
      ],
      [
        'rejects',
        async () => {
          throw new TypeError(`Headers.append: "${SECRET}" is an invalid header value.`);
        },
      ],
    ] as const
  ).map(
    ([how, authorize]): ConformanceCase<AdapterSubject> => ({
      name: `a strategy that ${how} a foreign error: typed, no TypeError, without what it quotes, and nothing is sent`,
      run: ({ attach }) =>
        onServer(async (server) => {
          const error = await rejectionOf(attach(probe(authorize))(`${server.origin}/a`), 'the call');
          expectThat(error instanceof Error && !(error instanceof TypeError), 'an error that is no TypeError');
          const { code, strategy } = error as { code?: unknown; strategy?: unknown };
          expectEqual({ code, strategy }, { code: 'STRATEGY_FAILED', strategy: 'probe' }, 'the error');
          expectThat(!(await printed(error)).includes(SECRET), 'an error that does not show what it quotes');
          expectEqual(server.requests.length, 0, 'requests');
        }),
    }),
  ),
  ...(
    [
      ['a header value with a line break', { headers: { 'X-Probe': `${SECRET}\r\nX-More: 1` } }],
      ['a header value beyond Latin-1', { headers: { 'X-Probe': `${SECRET}日` } }],
      ['a cookie value with a semicolon', { cookies: { key: `${SECRET};` } }],
      ['a header that is no text', { headers: { 'X-Probe': [SECRET] as unknown as string } }],
      ['cookies among the headers', { headers: { Cookie: `key=${SECRET}` } }],
    ] as const
  ).map(
    ([what, patch]): ConformanceCase<AdapterSubject> => ({
      name: `${what} is refused without being shown, and nothing is sent`,
      run: ({ attach }) =>
        onServer(async (server) => {
          const error = await rejectionOf(attach(probe((() => patch) as AuthStrategy['authorize']))(`${server.origin}/a`), 'the call');
          expectEqual((error as { code?: unknown }).code, 'CONFIGURATION_ERROR', 'the `code`');
          expectThat(!(await printed(error)).includes(SECRET), 'an error that does not show the value');
          expectEqual(server.requests.length, 0, 'requests');
        }),
    }),
  ),
  {
    name: 'a URL with a user name and a password is refused without showing it, or goes out as the client sends it',
    skip: needs('userinfo'),
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const url = `${server.origin.replace('//', '//somebody:planted-password@')}/a`;
        const outcome = await attach(probe(() => ({ headers: { Authorization: 'Probe 1' } })))(url).catch((error: unknown) => error);
        const [ours] = server.requests;
        if (ours) {
          await bare()(url);
          return expectEqual(comparable(ours), comparable(server.requests[1]), 'the request');
        }
        expectThat(
          outcome instanceof Error && !(await printed(outcome)).includes('planted-password'),
          'an Error that does not show the password',
        );
      }),
  },
  {
    name: 'an event listener that throws breaks nothing',
    run: ({ attach }) =>
      onServer(async (server) => {
        const onEvent = (): never => {
          throw new Error('listener');
        };
        // What it throws is reported as a warning; here that would be taken for a failure.
        const { reportError } = globalThis as { reportError?: unknown };
        const reported: unknown[] = [];
        Object.assign(globalThis, { reportError: (error: unknown) => void reported.push(error) });
        try {
          const call = attach(
            probe(() => ({ headers: { 'X-Probe': '1' } })),
            { onEvent, origins: 'https://api.example.com' },
          );
          expectEqual((await call(`${server.origin}/a`)).status, 200, 'the status');
        } finally {
          if (reportError) Object.assign(globalThis, { reportError });
          else delete (globalThis as { reportError?: unknown }).reportError;
        }
        expectEqual(reported, [new Error('listener')], 'what is reported');
      }),
  },
];
