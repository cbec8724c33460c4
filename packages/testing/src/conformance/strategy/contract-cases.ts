import type { AuthPatch, AuthRequest, AuthStrategy } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat } from '../expectation.ts';
import { sightings } from '../secret-sightings.ts';
import { contextOf, requestOf, responseOf, textOf, VARIED_REQUESTS } from './exchange.ts';
import { marksOf, type StrategySubject, tracesOf } from './strategy-subject.ts';

/** The shape of a strategy and of its patches. */
export const contractCases: readonly ConformanceCase<StrategySubject>[] = [
  {
    name: 'has a name, the version of the contract, and authorize; it is frozen',
    async run({ create }) {
      const { strategy } = create();
      expectThat(typeof strategy.name === 'string' && strategy.name !== '', 'a `name`, for errors and events');
      expectEqual(strategy.specVersion, 1, '`specVersion`');
      expectEqual(typeof strategy.authorize, 'function', 'the type of `authorize`');
      expectThat(['none', 'form', 'bytes', undefined].includes(strategy.readsBody), "`readsBody` to be 'none', 'form', 'bytes' or absent");
      for (const optional of ['isRejected', 'recover', 'observe'] as const)
        expectThat(['function', 'undefined'].includes(typeof strategy[optional]), `\`${optional}\` to be a function where there is one`);
      expectThat(Object.isFrozen(strategy), 'a frozen object: state lives in the closure');
    },
  },
  {
    name: 'works without `this`: adapters and compositions take its methods off it',
    async run({ create }) {
      const { authorize } = create().strategy;
      expectThat(Boolean(await authorize(requestOf(), contextOf())), 'a patch');
    },
  },
  ...Object.entries(VARIED_REQUESTS).map(([what, request]) => legalPatchCase(what, request)),
  {
    name: 'shows a credential, in names that it calls secret and nowhere else',
    async run({ create }) {
      const created = create();
      const { strategy, secrets } = created;
      const patch = await strategy.authorize(requestOf(), contextOf());
      expectThat(sightings(textOf(patch), marksOf(created)) > 0, 'its `mark`, or the newest of its `secrets`, in the patch');
      expectThat(
        sightings(textOf(withoutSensitive(patch, strategy)), secrets) === 0,
        'no secret under a name that `sensitive` does not list',
      );
    },
  },
  {
    name: 'reads a request and changes nothing of it',
    async run({ create }) {
      for (const request of Object.values(VARIED_REQUESTS)) {
        const given = request();
        const bytes = typeof given.body === 'object' ? given.body.slice() : given.body;
        Object.freeze(given.headers);
        await create().strategy.authorize(Object.freeze(given), contextOf());
        expectEqual(given.body, bytes, 'the body');
      }
    },
  },
  {
    name: 'needs nothing of a request but what the contract says: URL by getter, headers by `get`',
    async run({ create }) {
      const request = requestOf();
      const shown: AuthRequest = {
        get method() {
          return request.method;
        },
        get url() {
          return request.url;
        },
        headers: { get: () => null },
        replayable: true,
        attempt: 1,
      };
      expectThat(Boolean(await create().strategy.authorize(shown, contextOf())), 'a patch');
    },
  },
  {
    name: 'serves two strategies of one kind side by side: they share no state',
    async run({ create }) {
      const [one, other] = [create(), create()];
      await one.strategy.authorize(requestOf(), contextOf());
      const patch = await other.strategy.authorize(requestOf(), contextOf());
      expectThat(sightings(textOf(patch), tracesOf(one)) === 0, 'no credential of the other one');
    },
  },
  {
    name: '`observe` is synchronous and throws at nothing',
    skip: ({ create }) => (create().strategy.observe ? undefined : 'it observes nothing'),
    async run({ create }) {
      const { strategy } = create();
      const request = requestOf();
      const { receipt } = await strategy.authorize(request, contextOf());
      const odd = [
        responseOf(200),
        responseOf(204, { date: 'no date' }),
        responseOf(401, { 'www-authenticate': '=,"' }, '{'),
        responseOf(503),
      ];
      for (const response of odd) {
        expectEqual(strategy.observe?.(response, { request, receipt }), undefined, 'what `observe` returns');
        strategy.observe?.(response, { request, receipt: undefined });
      }
    },
  },
];

function legalPatchCase(what: string, request: () => AuthRequest): ConformanceCase<StrategySubject> {
  return {
    name: `answers ${what} with a patch that can be sent`,
    async run({ create }) {
      const { strategy } = create();
      const patch = await strategy.authorize(request(), contextOf());
      expectThat(typeof patch === 'object' && patch !== null, 'a patch, an object');
      const { headers = {}, query = [], cookies = {}, form = [] } = patch;
      for (const [name, value] of Object.entries(headers)) {
        expectThat(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name), 'header names as RFC 9110 §5.6.2 has them');
        expectThat(
          typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value) && value.trim() === value,
          `a legal value for the header ${name}`,
        );
      }
      const names = Object.keys(headers).map((name) => name.toLowerCase());
      expectEqual(new Set(names).size, names.length, 'headers named once each');
      expectThat(!names.includes('cookie'), 'cookies in `cookies`, not in `headers`');
      for (const value of Object.values(cookies))
        expectThat(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value), 'cookie octets (RFC 6265 §4.1.1)');
      for (const pair of [...query, ...form])
        expectThat(pair.length === 2 && pair.every((part) => typeof part === 'string'), '[name, value] pairs');
      expectThat(
        form.length === 0 || strategy.readsBody === 'form' || strategy.readsBody === 'bytes',
        "`readsBody: 'form'` beside form fields",
      );
    },
  };
}

/** What is left of a patch without the names that `sensitive` lists; nothing where it is absent. Form fields are part of the body, which counts as secret. */
function withoutSensitive({ headers = {}, query = [], cookies = {} }: AuthPatch, { sensitive }: AuthStrategy): AuthPatch {
  if (!sensitive) return {};
  const secretHeaders = (sensitive.headers ?? []).map((name) => name.toLowerCase());
  return {
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !secretHeaders.includes(name.toLowerCase()))),
    query: query.filter(([name]) => !sensitive.query?.includes(name)),
    cookies: Object.fromEntries(Object.entries(cookies).filter(([name]) => !sensitive.cookies?.includes(name))),
  };
}
