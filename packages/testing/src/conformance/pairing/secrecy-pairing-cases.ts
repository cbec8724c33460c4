import type { EchoServer } from '../../echo-server.ts';
import type { ClientFunction } from '../adapter/adapter-subject.ts';
import { needs } from '../adapter/adapter-subject.ts';
import { printed } from '../adapter/printed.ts';
import { onServer } from '../adapter/servers.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { ConformanceError, expectThat, pause, until } from '../expectation.ts';
import { sightings } from '../secret-sightings.ts';
import { type PairingSubject, placementOf } from './pairing-subject.ts';

/** No credential in anything that the client throws: not in a message, in JSON, or in what a console prints. */
export const secrecyPairingCases: readonly ConformanceCase<PairingSubject>[] = [
  errorCase('an error status', async (call, server) => {
    server.inject({ status: 500, body: 'broken' });
    const { error } = await call(`${server.origin}/a`);
    return error;
  }),
  errorCase('a standing 401', async (call, server) => {
    server.inject({ status: 401, body: 'no', times: 2 });
    const { error } = await call(`${server.origin}/a`, {
      method: 'POST',
      body: 'a=1',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    return error;
  }),
  errorCase('a broken connection', (call, server) => {
    server.inject({ reset: 'before-headers', times: 3 });
    return call(`${server.origin}/a`).then(
      () => new ConformanceError('The broken connection was no error.'),
      (error: unknown) => error,
    );
  }),
  errorCase('an answer that breaks off', (call, server) => {
    server.inject({ reset: 'mid-body', times: 3 });
    return call(`${server.origin}/a`).then(
      () => undefined,
      (error: unknown) => error,
    );
  }),
  errorCase('nobody listening', async (call, server) => {
    await call(`${server.origin}/warm`);
    await server.close();
    return call(`${server.origin}/a`).then(
      () => undefined,
      (error: unknown) => error,
    );
  }),
  errorCase('an abort under way', async (call, server) => {
    server.inject({ stall: 'before-headers' });
    const controller = new AbortController();
    const ended = call(`${server.origin}/a`, { signal: controller.signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    await until(() => server.requests.length === 1, 'the request');
    await pause(5);
    controller.abort(new Error('user left'));
    return ended;
  }),
  {
    ...errorCase('a timeout of the client', (call, server) => {
      server.inject({ stall: 'before-headers', times: 3 });
      return call(`${server.origin}/a`, { timeoutMs: 40 }).then(
        () => undefined,
        (error: unknown) => error,
      );
    }),
    skip: ({ adapter }) => needs('timeout')(adapter),
  },
];

/** `fail` makes one call end badly, and answers with what the client throws; `undefined` where it throws nothing then. */
function errorCase(what: string, fail: (call: ClientFunction, server: EchoServer) => Promise<unknown>): ConformanceCase<PairingSubject> {
  return {
    name: `the client's error for ${what} shows no credential`,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const { strategy: auth, secrets } = strategy.create();
        const error = await fail(adapter.attach(auth), server);
        if (error === undefined) return;
        const { query } = await placementOf(strategy, 'GET');
        const { message, stack } = error as { message?: unknown; stack?: unknown };
        expectThat(sightings(`${message} ${stack}`, secrets) === 0, 'message and stack without a credential');
        // A key in the query may show in the `url` of a response that hangs on the error.
        const text = (await printed(error)).replaceAll(/https?:\/\/[^\s'"]+/g, (url) => (query.length > 0 ? '<url>' : url));
        expectThat(sightings(text, secrets) === 0, 'what a console or JSON shows of the error, without a credential');
      }),
  };
}
