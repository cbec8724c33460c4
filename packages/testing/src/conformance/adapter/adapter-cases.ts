import type { ConformanceCase } from '../conformance-case.ts';
import { abortCases } from './abort-cases.ts';
import type { AdapterSubject } from './adapter-subject.ts';
import { callersOwnCases } from './callers-own-cases.ts';
import { concurrencyCases } from './concurrency-cases.ts';
import { placementCases } from './placement-cases.ts';
import { redirectCases } from './redirect-cases.ts';
import { rejectionCases } from './rejection-cases.ts';
import { retryCases } from './retry-cases.ts';
import { adapterSecrecyCases } from './secrecy-cases.ts';
import { signedIsSentCases } from './signed-is-sent-cases.ts';
import { streamCases } from './stream-cases.ts';

/**
 * What every adapter has to do, over loopback servers, with strategies made for the purpose. They run where Node's `http` does. With real strategies go
 * on to `pairingCases`.
 *
 * @example
 * ```ts
 * import { adapterCases, type AdapterSubject } from '@authseam/testing/conformance';
 *
 * export async function hold(subject: AdapterSubject) {
 *   for (const { run, skip } of adapterCases) if (!skip?.(subject)) await run(subject);
 * }
 * ```
 */
export const adapterCases: readonly ConformanceCase<AdapterSubject>[] = Object.freeze([
  ...placementCases,
  ...signedIsSentCases,
  ...rejectionCases,
  ...streamCases,
  ...concurrencyCases,
  ...abortCases,
  ...retryCases,
  ...redirectCases,
  ...callersOwnCases,
  ...adapterSecrecyCases,
]);
