import type { ConformanceCase } from '../conformance-case.ts';
import { redacting } from '../secret-sightings.ts';
import { contractCases } from './contract-cases.ts';
import { recoveryCases } from './recovery-cases.ts';
import { secrecyCases } from './secrecy-cases.ts';
import type { StrategySubject, StrategyUnderTest } from './strategy-subject.ts';
import { waitingCases } from './waiting-cases.ts';

/**
 * What every strategy has to do, without any HTTP client. These cases use nothing of Node: they run in browsers, Bun, Deno and workerd.
 *
 * @example
 * ```ts
 * import { strategyCases, type StrategySubject } from '@authseam/testing/conformance';
 *
 * const subject: StrategySubject = {
 *   name: 'partnerKey',
 *   create: () => ({ strategy: { name: 'partnerKey', specVersion: 1, authorize: () => ({ headers: { 'X-Key': 'a-key' } }) }, secrets: ['a-key'] }),
 * };
 * for (const { name, run, skip } of strategyCases) if (!skip?.(subject)) await run(subject).catch((error) => console.error(name, error));
 * ```
 */
export const strategyCases: readonly ConformanceCase<StrategySubject>[] = Object.freeze(
  [...contractCases, ...recoveryCases, ...waitingCases, ...secrecyCases].map(withoutSecrets),
);

function withoutSecrets({ run, ...rest }: ConformanceCase<StrategySubject>): ConformanceCase<StrategySubject> {
  return Object.freeze({
    ...rest,
    run(subject: StrategySubject) {
      const created: StrategyUnderTest[] = [];
      const create: StrategySubject['create'] = (settings) => {
        const made = subject.create(settings);
        created.push(made);
        return made;
      };
      return redacting(
        () => created.flatMap(({ secrets }) => secrets),
        () => run({ ...subject, create }),
      );
    },
  });
}
