import type { EchoServer } from '../../echo-server.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, rejectionOf } from '../expectation.ts';
import { type AdapterSubject, type ClientRequest, type LateHook, needs } from './adapter-subject.ts';
import { ONE_SHOT_BODIES, REPLAYABLE_BODIES } from './bodies.ts';
import { probe, signatureOf, signingProbe } from './probe-strategies.ts';
import { comparable, onServer } from './servers.ts';

/** Paths and queries that some encoder on the way would like to change. */
const TARGETS = [
  '/',
  '/items?ids[]=1&ids[]=2&filter[name][eq]=x',
  "/it's(1)!*?q=it's&r=%27",
  '/a%20b/%7Euser/ünï/日本?q=日本&r=é😀',
  '/items?a=[x|y]&b={1}&c=%2f%2F&d=1+1%202',
  '/items?&&=&a&b=&=c&?d=?',
  '/items?eq(name,value)&in(id,a,b)&limit(10,0)',
  '/items?a=1#a-fragment?b=2',
  '/items#a-fragment',
  '/a//b/./c/../d;v=1,2?x=1;y=2',
  '/items?back\\slash^`"<>',
];

const PARAMS = { q: "it's é", plus: '1+1 2', pipe: '[x|y]', n: 1, empty: '' };
const NESTED = { ids: [1, 2], filter: { name: { eq: "it's" }, tags: ['a b', 'é'] }, none: null, when: 'x' };

/** What a strategy is shown is what goes on the wire. */
export const signedIsSentCases: readonly ConformanceCase<AdapterSubject>[] = [
  {
    name: 'signs the URL that it sends, whatever stands in it, and sends what the client would',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        for (const target of TARGETS) {
          server.clearRequests();
          await bare()(server.origin + target);
          await attach(signingProbe())(server.origin + target);
          expectSigned(server, 1);
          expectEqual(server.requests[1]?.url, server.requests[0]?.url, `the URL of ${target}`);
        }
      }),
  },
  paramsCase('parameters', { params: PARAMS }, needs('params')),
  paramsCase('parameters with lists and objects', { params: NESTED }, needs('params', 'nestedParams')),
  paramsCase(
    'parameters through a serializer of the caller',
    { params: NESTED, paramsSerializer: (params) => `custom=${Object.keys(params).join('|')}'s&x=[1]&y=%C3%A9` },
    needs('params', 'paramsSerializer'),
  ),
  ...Object.entries(REPLAYABLE_BODIES).map(([what, make]) => bodyCase(what, make)),
  {
    name: 'a GET with a body is sent, or refused, as by the client itself',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const request = { method: 'GET', headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' };
        const outcome = (call: ReturnType<typeof bare>): Promise<string> =>
          call(`${server.origin}/items`, request).then(
            () => 'sent',
            () => 'refused',
          );
        const without = await outcome(bare());
        expectEqual(await outcome(attach(signingProbe())), without, 'what happens');
        if (without === 'refused') return expectEqual(server.requests.length, 0, 'requests');
        expectSigned(server, 1);
        expectEqual(comparable(server.requests[1], ['x-signature']), comparable(server.requests[0]), 'the request');
      }),
  },
  ...(['before', 'after'] as const).flatMap((registered) => [
    hookCase({ registered, query: "late=it's&x=[1|2]", header: ['X-Late', '1'] }, { method: 'POST', body: 'early' }),
    hookCase({ registered, query: 'late=é', header: ['Content-Type', 'text/x-late'], body: 'late é' }, { method: 'POST', body: 'early' }),
    hookCase({ registered, query: 'late=1', header: ['X-Late', '1'] }, { params: PARAMS }, needs('hooks', 'params')),
  ]),
  ...Object.entries(ONE_SHOT_BODIES).map(
    ([what, make]): ConformanceCase<AdapterSubject> => ({
      name: `${what} cannot be signed: that is an error before anything is sent`,
      skip: needs('streams'),
      run: ({ attach }) =>
        onServer(async (server) => {
          const call = attach(signingProbe())(`${server.origin}/items`, { method: 'POST', body: make('one shot') });
          const { code, option } = (await rejectionOf(call, 'the call')) as { code?: unknown; option?: unknown };
          expectEqual({ code, option }, { code: 'CONFIGURATION_ERROR', option: 'body' }, 'the error');
          expectEqual(server.requests.length, 0, 'requests');
        }),
    }),
  ),
  {
    name: 'a strategy that reads forms is shown forms and no other body',
    run: ({ attach }) =>
      onServer(async (server) => {
        const shown: unknown[] = [];
        const strategy = probe(
          ({ body }) => {
            shown.push(
              body === undefined ? undefined : new TextDecoder().decode(typeof body === 'string' ? new TextEncoder().encode(body) : body),
            );
            return { headers: { 'X-Probe': '1' } };
          },
          { readsBody: 'form' },
        );
        const call = attach(strategy);
        for (const type of [
          'application/x-www-form-urlencoded',
          'Application/X-WWW-Form-Urlencoded; charset=utf-8',
          'text/plain',
          'application/json',
        ])
          await call(`${server.origin}/a`, { method: 'POST', headers: { 'Content-Type': type }, body: '"a=1"' });
        expectEqual(shown, ['"a=1"', '"a=1"', undefined, undefined], 'the bodies that it was shown');
        expectEqual(
          server.requests.map(({ text }) => text),
          Array(4).fill('"a=1"'),
          'the bodies that were sent',
        );
      }),
  },
];

/** The request at `index` carries the signature of what arrived. */
function expectSigned({ requests }: EchoServer, index: number): void {
  const request = requests[index];
  expectThat(request !== undefined, 'a request');
  const { method, url, headers, body } = request;
  const expected = signatureOf({ method, url, contentType: headers['content-type'] ?? null, body });
  expectEqual(decodeURIComponent(headers['x-signature'] ?? 'none'), decodeURIComponent(expected), 'what was signed, beside what arrived');
}

function paramsCase(
  what: string,
  request: ClientRequest,
  skip: (subject: AdapterSubject) => string | undefined,
): ConformanceCase<AdapterSubject> {
  return {
    name: `signs the query that the client makes of ${what}`,
    skip,
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        for (const call of [bare(), attach(signingProbe())]) await call(`${server.origin}/items?page=2`, request);
        expectSigned(server, 1);
        // A strategy that signs sees the URL as it is parsed; encoders write a few characters either way.
        const [without, ours] = server.requests.map(({ url }) => [...new URL(url).searchParams]);
        expectEqual(ours, without, 'the parameters');
      }),
  };
}

function bodyCase(what: string, make: () => ClientRequest): ConformanceCase<AdapterSubject> {
  return {
    name: `signs ${what} as it is sent, and sends what the client would`,
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const isSendable = await bare()(`${server.origin}/items`, { method: 'POST', ...make() }).then(
          () => true,
          () => false,
        );
        const call = attach(signingProbe())(`${server.origin}/items`, { method: 'POST', ...make() });
        if (!isSendable) return void (await rejectionOf(call, 'a body that the client itself refuses'));
        await call;
        expectSigned(server, 1);
        expectEqual(comparable(server.requests[1], ['x-signature']), comparable(server.requests[0], ['transfer-encoding']), 'the request');
      }),
  };
}

function hookCase(hook: LateHook, request: ClientRequest, skip = needs('hooks')): ConformanceCase<AdapterSubject> {
  const changes = `query and ${hook.header[0]}${hook.body === undefined ? '' : ' and body'}`;
  return {
    name: `signs what a hook that was registered ${hook.registered} it makes of the ${changes}${request.params ? ', beside parameters' : ''}`,
    skip,
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        for (const call of [bare({ hook }), attach(signingProbe(), {}, { hook })]) await call(`${server.origin}/items?a=1`, request);
        expectSigned(server, 1);
        const [without, ours] = server.requests;
        expectEqual([...new URL(ours?.url ?? '').searchParams], [...new URL(without?.url ?? '').searchParams], 'the parameters');
        expectEqual(
          [ours?.text, ours?.headers[hook.header[0].toLowerCase()]],
          [hook.body ?? request.body ?? '', hook.header[1]],
          'body and header',
        );
        expectEqual(new URL(ours?.url ?? '').searchParams.has('late'), true, 'whether the change to the query arrives');
      }),
  };
}
