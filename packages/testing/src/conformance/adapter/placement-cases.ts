import type { AuthPatch } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat } from '../expectation.ts';
import type { AdapterSubject, ClientRequest } from './adapter-subject.ts';
import { eventLog, fixedProbe, probe } from './probe-strategies.ts';
import { comparable, onServer } from './servers.ts';

const QUERY = `a=it's&b=[x|y]&c=%2f+%20&d=&&e&f=%C3%A9é`;
const FORM: ClientRequest = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'a=1&b=it%27s' };

/** What of a patch stands where on the wire; the rest of the request is what the client sends without it. */
export const placementCases: readonly ConformanceCase<AdapterSubject>[] = [
  placementCase('a header', { headers: { 'X-Probe': 'v é' } }, {}, (sent) => ({ ...sent, headers: { ...sent.headers, 'x-probe': 'v é' } })),
  placementCase('several headers', { headers: { 'X-Probe': '1', Authorization: 'Probe a="b, c"' } }, FORM, (sent) => ({
    ...sent,
    headers: { ...sent.headers, 'x-probe': '1', authorization: 'Probe a="b, c"' },
  })),
  placementCase(
    'a query parameter, encoded and appended',
    {
      query: [
        ['api key', 'k&=+ é'],
        ['api key', ''],
      ],
    },
    {},
    (sent) => ({
      ...sent,
      query: `${sent.query}&api%20key=k%26%3D%2B%20%C3%A9&api%20key=`,
    }),
  ),
  placementCase('a cookie', { cookies: { key: 'k1' } }, {}, (sent) => ({ ...sent, headers: { ...sent.headers, cookie: 'key=k1' } })),
  placementCase("a cookie after the caller's", { cookies: { key: 'k1', more: '2' } }, { headers: { Cookie: 'a=1; b=2' } }, (sent) => ({
    ...sent,
    headers: { ...sent.headers, cookie: 'a=1; b=2; key=k1; more=2' },
  })),
  placementCase(
    'all of it at once',
    { headers: { 'X-Probe': '1' }, query: [['q', '2']], cookies: { c: '3' }, form: [['f', '4 é']] },
    FORM,
    (sent) => {
      const body = 'a=1&b=it%27s&f=4%20%C3%A9';
      const headers = { ...sent.headers, 'x-probe': '1', cookie: 'c=3' };
      return { ...sent, query: `${sent.query}&q=2`, headers, body };
    },
  ),
  {
    name: 'a form field makes a body where there is none',
    run: ({ attach }) =>
      onServer(async (server) => {
        const strategy = probe(() => ({ form: [['key', 'k 1']] }), { readsBody: 'form' });
        await attach(strategy)(`${server.origin}/items`, { method: 'POST' });
        const [request] = server.requests;
        expectEqual([request?.text, request?.headers['content-length']], ['key=k%201', '9'], 'body and Content-Length');
        expectThat(/^application\/x-www-form-urlencoded\b/.test(request?.headers['content-type'] ?? ''), 'the Content-Type of a form');
      }),
  },
  {
    name: 'a form field that has no form to go to is an error before anything is sent',
    run: ({ attach }) =>
      onServer(async (server) => {
        const strategy = probe(() => ({ form: [['key', 'k1']] }), { readsBody: 'form' });
        const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
        for (const request of [json, {}]) {
          const error = await attach(strategy)(`${server.origin}/items`, request).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expectEqual((error as { code?: unknown } | undefined)?.code, 'CONFIGURATION_ERROR', 'the `code` of the error');
        }
        expectEqual(server.requests.length, 0, 'requests');
      }),
  },
  {
    name: 'form fields leave the bytes before them what they are',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const strategy = probe(() => ({ form: [['key', 'k']] }), { readsBody: 'form' });
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
        const request = (): ClientRequest => ({ method: 'POST', headers, body: new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0x3d, 0xff]) });
        await bare()(`${server.origin}/items`, request());
        await attach(strategy)(`${server.origin}/items`, request());
        const [without, ours] = server.requests;
        expectEqual(ours?.body.toString('latin1'), `${without?.body.toString('latin1')}&key=k`, 'the body');
        expectEqual(ours?.headers['content-length'], String(ours?.body.length), 'Content-Length');
      }),
  },
  {
    name: 'an empty patch leaves the request as it is',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        for (const call of [bare(), attach(probe(() => ({})))]) await call(`${server.origin}/items?${QUERY}`, FORM);
        expectEqual(comparable(server.requests[1]), comparable(server.requests[0]), 'the request');
      }),
  },
  {
    name: 'each method is shown as it is sent, and sent as the client sends it',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
          server.clearRequests();
          const shown: string[] = [];
          const strategy = probe((request) => {
            shown.push(request.method);
            return { headers: { 'X-Probe': '1' } };
          });
          for (const call of [bare(), attach(strategy)]) await call(`${server.origin}/items`, { method });
          const [without, ours] = server.requests;
          expectEqual([ours?.method, shown], [without?.method, [without?.method]], 'the method');
          expectEqual(comparable(ours, ['x-probe']), comparable(without), `the ${method} request`);
        }
      }),
  },
  {
    name: 'credentials go only to the origins that are named; elsewhere the request goes out bare, with an event',
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const { events, onEvent } = eventLog();
        for (const call of [bare(), attach(fixedProbe(), { origins: 'https://api.example.com', onEvent })])
          await call(`${server.origin}/a?${QUERY}`, FORM);
        expectEqual(comparable(server.requests[1]), comparable(server.requests[0]), 'the request');
        const wanted = { type: 'request-bare', strategy: 'probe', origin: server.origin, reason: 'origin-not-allowed' };
        expectEqual(events, [wanted], 'events');
        await attach(fixedProbe(), { origins: [server.origin] })(`${server.origin}/a`);
        expectEqual(server.requests[2]?.headers['x-probe'], 'fixed', 'the credential at an origin that is named');
      }),
  },
];

type Comparable = { readonly query: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };

function placementCase(
  what: string,
  patch: AuthPatch,
  request: ClientRequest,
  expected: (bare: Comparable) => object,
): ConformanceCase<AdapterSubject> {
  return {
    name: `places ${what}, and nothing else changes`,
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        const strategy = probe(() => patch, { readsBody: patch.form ? 'form' : 'none' });
        for (const call of [bare(), attach(strategy)]) await call(`${server.origin}/items?${QUERY}#frag`, request);
        const [without, ours] = server.requests.map((each) => comparable(each) as Comparable);
        expectThat(without !== undefined && ours !== undefined, 'two requests');
        expectEqual(ours, expected(without), 'the request');
      }),
  };
}
