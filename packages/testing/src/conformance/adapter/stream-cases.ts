import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, pause, until } from '../expectation.ts';
import { type AdapterSubject, type ClientBody, needs } from './adapter-subject.ts';
import { ONE_SHOT_BODIES } from './bodies.ts';
import { eventLog, fixedProbe, rotatingProbe } from './probe-strategies.ts';
import { acceptOnly, comparable, onServer, onSlowReader } from './servers.ts';

/** Large enough that no socket buffers hold it, in bytes. */
const LARGE = 64 * 1024 * 1024;

/** Bodies that can be sent once, and bodies that are too large to be held. */
export const streamCases: readonly ConformanceCase<AdapterSubject>[] = [
  ...Object.entries(ONE_SHOT_BODIES).flatMap(([what, make]) => [wholeCase(what, make), onceCase(what, make), lateTokenCase(what, make)]),
  {
    name: 'a large upload keeps streaming: it is not read before it is sent, and not faster than the server takes it',
    skip: needs('streams'),
    run: ({ attach }) =>
      onSlowReader(async (server) => {
        let pulled = 0;
        const chunk = new Uint8Array(64 * 1024);
        const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
          pull(controller) {
            pulled += chunk.length;
            controller.enqueue(chunk);
            if (pulled >= LARGE) controller.close();
          },
        });
        const call = attach(fixedProbe())(`${server.origin}/upload`, { method: 'POST', body });
        await until(() => server.arrived, 'the headers of the upload');
        await pause(100);
        expectThat(pulled < LARGE / 2, 'less than half of the upload to be read while the server takes none of it');
        server.read();
        expectEqual((await call).text, String(LARGE), 'the bytes that arrived');
      }),
  },
  {
    name: 'a large answer reaches the caller whole, also after a replay',
    run: ({ attach }) =>
      onServer(async (server) => {
        const text = 'x'.repeat(5_000_000);
        server.inject(acceptOnly('t2'));
        server.inject({ status: 200, body: text });
        expectEqual((await attach(rotatingProbe().strategy)(`${server.origin}/a`)).text.length, text.length, 'the length of the answer');
      }),
  },
];

type Make = (text: string) => ClientBody;

function wholeCase(what: string, make: Make): ConformanceCase<AdapterSubject> {
  return {
    name: `${what} goes out whole, as the client sends it`,
    skip: needs('streams'),
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        for (const call of [bare(), attach(fixedProbe())]) await call(`${server.origin}/a`, { method: 'POST', body: make('one shot é') });
        const [without, ours] = server.requests;
        expectEqual(ours?.text, 'one shot é', 'the body');
        expectEqual(comparable(ours, ['x-probe']), comparable(without), 'the request');
      }),
  };
}

function onceCase(what: string, make: Make): ConformanceCase<AdapterSubject> {
  return {
    name: `${what} is not replayed, and never silently emptied; the recovery still runs, for the next call`,
    skip: needs('streams'),
    run: ({ attach }) =>
      onServer(async (server) => {
        const { events, onEvent } = eventLog();
        const { strategy, count } = rotatingProbe();
        server.inject(acceptOnly('t2'));
        const call = attach(strategy, { onEvent });
        const answer = await call(`${server.origin}/items`, { method: 'POST', body: make('one shot') });
        expectEqual([answer.status, answer.text], [401, 'rejected body'], 'status and body');
        expectEqual(
          server.requests.map(({ text }) => text),
          ['one shot'],
          'the bodies that arrived',
        );
        const wanted = { type: 'replay-skipped', strategy: 'probe', reason: 'body-not-replayable' };
        expectEqual(
          events.filter(({ type }) => type === 'replay-skipped'),
          [wanted],
          'the event',
        );
        expectEqual((await call(`${server.origin}/items`)).status, 200, 'the status of the next call');
        expectEqual(count(), 2, 'credentials');
      }),
  };
}

function lateTokenCase(what: string, make: Make): ConformanceCase<AdapterSubject> {
  return {
    name: `${what} waits whole for a credential that is late`,
    skip: needs('streams'),
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy } = rotatingProbe(() => pause(20));
        await attach(strategy)(`${server.origin}/a`, { method: 'POST', body: make('one shot') });
        expectEqual(
          server.requests.map(({ text, headers }) => [text, headers['x-probe']]),
          [['one shot', 't1']],
          'body and credential',
        );
      }),
  };
}
