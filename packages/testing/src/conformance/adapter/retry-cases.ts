import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, rejectionOf } from '../expectation.ts';
import { type AdapterSubject, needs } from './adapter-subject.ts';
import { probe, rotatingProbe, signingProbe, typedError } from './probe-strategies.ts';
import { acceptOnly, onServer } from './servers.ts';

/** The client's own retries, beside ours. */
export const retryCases: readonly ConformanceCase<AdapterSubject>[] = [
  {
    name: 'each retry of the client is authorized anew: a nonce is used once',
    skip: needs('retries'),
    run: ({ attach }) =>
      onServer(async (server) => {
        let nonce = 0;
        const strategy = probe(() => ({ headers: { 'X-Probe': `n${++nonce}` } }));
        server.inject({ status: 503, times: 2 });
        const answer = await attach(strategy, {}, { retries: 2 })(`${server.origin}/a`);
        expectEqual(answer.status, 200, 'the status');
        expectEqual(
          server.requests.map(({ headers }) => headers['x-probe']),
          ['n1', 'n2', 'n3'],
          'the nonces',
        );
      }),
  },
  {
    name: 'a retry after a broken connection is authorized anew, with the same body',
    skip: needs('retries'),
    run: ({ attach }) =>
      onServer(async (server) => {
        let nonce = 0;
        const strategy = probe(() => ({ headers: { 'X-Probe': `n${++nonce}` } }), { readsBody: 'bytes' });
        server.inject({ reset: 'before-headers' });
        const answer = await attach(strategy, {}, { retries: 1 })(`${server.origin}/a`, { method: 'PUT', body: 'text é' });
        expectEqual(answer.status, 200, 'the status');
        expectEqual(
          server.requests.map(({ headers, text }) => [headers['x-probe'], text]),
          [
            ['n1', 'text é'],
            ['n2', 'text é'],
          ],
          'nonces and bodies',
        );
      }),
  },
  {
    name: 'a retry of the client, and a replay of ours within it, multiply no further',
    skip: needs('retries'),
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy, count } = rotatingProbe();
        server.inject({ status: 503 });
        server.inject(acceptOnly('t2'));
        const answer = await attach(strategy, {}, { retries: 2 })(`${server.origin}/a`);
        expectEqual(answer.status, 200, 'the status');
        expectEqual(
          server.requests.map(({ headers }) => headers['x-probe']),
          ['t1', 't1', 't2'],
          'the credentials',
        );
        expectEqual(count(), 2, 'credentials asked for');
      }),
  },
  {
    name: 'a strategy that fails is not asked again by the client’s retries, whatever it throws',
    skip: needs('retries'),
    run: ({ attach }) =>
      onServer(async (server) => {
        for (const thrown of [
          new TypeError('fetch failed'),
          Object.assign(new Error('socket'), { code: 'ECONNRESET' }),
          typedError('TOKEN_REQUEST_FAILED'),
        ]) {
          let asked = 0;
          const strategy = probe(async () => {
            asked++;
            throw thrown;
          });
          await rejectionOf(attach(strategy, {}, { retries: 2 })(`${server.origin}/a`), 'the call');
          expectEqual(asked, 1, `times it was asked, of which each threw ${thrown.name}`);
        }
        expectEqual(server.requests.length, 0, 'requests');
      }),
  },
  {
    name: 'without a failure the client’s retries change nothing',
    skip: needs('retries'),
    run: ({ attach }) =>
      onServer(async (server) => {
        await attach(signingProbe(), {}, { retries: 2 })(`${server.origin}/a`, { method: 'POST', body: 'text' });
        expectEqual(server.requests.length, 1, 'requests');
      }),
  },
];
