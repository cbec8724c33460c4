import type { AdapterSubject } from '../adapter/adapter-subject.ts';
import type { AuthPatch } from '../auth-strategy.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { redacting } from '../secret-sightings.ts';
import { contextOf, requestOf } from '../strategy/exchange.ts';
import type { StrategySubject, StrategyUnderTest } from '../strategy/strategy-subject.ts';

/** One strategy on one client. */
export interface PairingSubject {
  readonly adapter: AdapterSubject;
  readonly strategy: StrategySubject;
}

/** The names under which a strategy puts something on a request. */
export interface Placement {
  readonly headers: readonly string[];
  readonly query: readonly string[];
  readonly cookies: readonly string[];
  readonly form: readonly string[];
}

/** Where a strategy puts something, asked of a strategy of its own: for a GET, a form, or JSON. */
export async function placementOf({ create }: StrategySubject, kind: keyof typeof SHOWN): Promise<Placement> {
  const patch: AuthPatch = await create().strategy.authorize(requestOf(SHOWN[kind]), contextOf());
  const { headers = {}, query = [], cookies = {}, form = [] } = patch;
  const names = (pairs: NonNullable<AuthPatch['query']>): string[] => pairs.map(([name]) => name);
  return { headers: Object.keys(headers), query: names(query), cookies: Object.keys(cookies), form: names(form) };
}

const SHOWN = {
  GET: {},
  form: { method: 'POST', sent: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
  JSON: { method: 'PUT', sent: { 'content-type': 'application/json' } },
} as const;

/** A case whose failures show no secret of the strategies that it creates. */
export function withoutSecrets<Subject extends PairingSubject>({ run, ...rest }: ConformanceCase<Subject>): ConformanceCase<Subject> {
  return Object.freeze({
    ...rest,
    run(subject: Subject) {
      const created: StrategyUnderTest[] = [];
      const create: StrategySubject['create'] = (settings) => {
        const made = subject.strategy.create(settings);
        created.push(made);
        return made;
      };
      const secretsOf = (): string[] => created.flatMap(({ secrets }) => [...secrets]);
      return redacting(secretsOf, () => run({ ...subject, strategy: { ...subject.strategy, create } }));
    },
  });
}
