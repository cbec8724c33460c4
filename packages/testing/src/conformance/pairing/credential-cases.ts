import type { ReceivedRequest } from '../../received-request.ts';
import type { ClientRequest } from '../adapter/adapter-subject.ts';
import { comparable, onServer, wireText } from '../adapter/servers.ts';
import type { AuthStrategy } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, rejectionOf } from '../expectation.ts';
import { sightings } from '../secret-sightings.ts';
import { marksOf, tracesOf } from '../strategy/strategy-subject.ts';
import { type PairingSubject, type Placement, placementOf } from './pairing-subject.ts';

const FORM: ClientRequest = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: "a=1&b=it's" };
const REQUESTS = { GET: {}, form: FORM, JSON: { method: 'PUT', json: { a: [1, 'é'] } } } as const;
const QUERY = "?x=it's&y=[1|2]&z=%2f";

/** The credential of one strategy, on the wire of one client. */
export const credentialCases: readonly ConformanceCase<PairingSubject>[] = [
  ...(['GET', 'form', 'JSON'] as const).map(carriesCase),
  {
    name: 'sent twice, is authorized twice: nothing of the first request is left on the second',
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const created = strategy.create();
        const { strategy: auth } = created;
        const call = adapter.attach(auth);
        for (let round = 0; round < 3; round++) await call(server.origin + QUERY);
        for (const request of server.requests) expectEqual(sightings(wireText([request]), marksOf(created)), 1, 'credentials on the wire');
      }),
  },
  {
    name: 'authStrategy: false sends what the client sends',
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const { strategy: auth } = strategy.create();
        await adapter.bare()(server.origin + QUERY, FORM);
        await adapter.attach(auth)(server.origin + QUERY, { ...FORM, authStrategy: false });
        expectEqual(comparable(server.requests[1]), comparable(server.requests[0]), 'the request');
      }),
  },
  {
    name: 'as the strategy of one request takes the place of another',
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const [usual, other] = [strategy.create(), strategy.create()];
        await adapter.attach(usual.strategy)(`${server.origin}/`, { authStrategy: other.strategy });
        const text = wireText(server.requests);
        expectThat(
          sightings(text, tracesOf(usual)) === 0 && sightings(text, marksOf(other)) === 1,
          'the credential of the other strategy, once',
        );
      }),
  },
  {
    name: 'what the caller has set under one of its names is left alone, and no credential goes out',
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const created = strategy.create();
        const { strategy: auth } = created;
        const all = await placementOf(strategy, 'GET');
        const secret = sensitiveOf(auth, all);
        // What a composition sends besides its credential, a User-Agent say, goes out all the same.
        const others = all.headers.filter((name) => !secret.headers.includes(name));
        const requests: readonly (readonly [query: string, request: ClientRequest])[] = [
          ...secret.headers.map((name) => [QUERY, { headers: { [name.toLowerCase()]: 'Mine 1' } }] as const),
          ...secret.query.map((name) => [`?${encodeURIComponent(name)}=mine`, {}] as const),
          ...secret.cookies.map((name) => [QUERY, { headers: { Cookie: `${name}=mine` } }] as const),
        ];
        for (const [query, request] of requests) {
          server.clearRequests();
          await adapter.bare()(server.origin + query, request);
          const refusal = await adapter
            .attach(auth)(server.origin + query, request)
            .then(
              () => undefined,
              (error: unknown) => error,
            );
          expectEqual(sightings(wireText(server.requests), tracesOf(created)), 0, 'credentials on the wire');
          // A strategy may refuse to sign what looks signed already: then nothing goes out.
          if (refusal) expectEqual((refusal as { code?: unknown }).code, 'CONFIGURATION_ERROR', 'the `code`');
          else expectEqual(comparable(server.requests[1], others), comparable(server.requests[0], others), 'the request');
        }
      }),
  },
  {
    name: 'goes nowhere but to the origins that are named',
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const created = strategy.create();
        const { strategy: auth } = created;
        await adapter.bare()(server.origin + QUERY, FORM);
        await adapter.attach(auth, { origins: 'https://api.example.com' })(server.origin + QUERY, FORM);
        expectEqual(comparable(server.requests[1]), comparable(server.requests[0]), 'the request');
        expectEqual(sightings(wireText(server.requests), tracesOf(created)), 0, 'credentials on the wire');
      }),
  },
];

function carriesCase(kind: keyof typeof REQUESTS): ConformanceCase<PairingSubject> {
  const request: ClientRequest = REQUESTS[kind];
  return {
    name: `a request (${kind}) carries the credential once, and is what the client sends but for that`,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        const created = strategy.create();
        const { strategy: auth } = created;
        const placement = await placementOf(strategy, kind);
        const call = adapter.attach(auth);
        if (kind === 'JSON' && placement.form.length > 0) {
          const error = await rejectionOf(call(server.origin + QUERY, request), 'form fields beside JSON');
          expectEqual((error as { code?: unknown }).code, 'CONFIGURATION_ERROR', 'the `code`');
          return expectThat(server.requests.length === 0, 'nothing to be sent');
        }
        await adapter.bare()(server.origin + QUERY, request);
        await call(server.origin + QUERY, request);
        const [without, ours] = server.requests;
        expectEqual(sightings(wireText(ours ? [ours] : []), marksOf(created)), 1, 'credentials on the wire');
        expectEqual(withoutPlacement(ours, placement), withoutPlacement(without, placement), 'the rest of the request');
      }),
  };
}

/** Those of the names that carry secrets. */
function sensitiveOf({ sensitive }: AuthStrategy, all: Placement): Omit<Placement, 'form'> {
  if (!sensitive) return all;
  const isIn = (names: readonly string[] | undefined) => (name: string) =>
    names?.some((other) => other.toLowerCase() === name.toLowerCase()) ?? false;
  return {
    headers: all.headers.filter(isIn(sensitive.headers)),
    query: all.query.filter(isIn(sensitive.query)),
    cookies: all.cookies.filter(isIn(sensitive.cookies)),
  };
}

function withoutPlacement(request: ReceivedRequest | undefined, { headers, query, cookies, form }: Placement): object {
  if (!request) return { missing: true };
  const isOf = (names: readonly string[], pair: string): boolean => {
    const [[name = ''] = []] = new URLSearchParams(pair);
    return names.includes(name);
  };
  const isForm = form.length > 0;
  const text = request.text
    .split('&')
    .filter((pair) => !isForm || !isOf(form, pair))
    .join('&');
  const left = comparable(request, [...headers, ...(isForm ? ['content-length', 'content-type'] : []), 'cookie']) as Record<
    string,
    unknown
  >;
  const ownCookies = (request.headers['cookie'] ?? '').split('; ').filter((pair) => !cookies.includes(pair.split('=')[0] ?? ''));
  return {
    ...left,
    query: request.query
      .split('&')
      .filter((pair) => !isOf(query, pair))
      .join('&'),
    text,
    cookies: ownCookies.filter(Boolean),
    body: undefined,
  };
}
