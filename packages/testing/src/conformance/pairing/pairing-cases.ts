import type { ConformanceCase } from '../conformance-case.ts';
import { credentialCases } from './credential-cases.ts';
import { type PairingSubject, withoutSecrets } from './pairing-subject.ts';
import { recoveryPairingCases } from './recovery-pairing-cases.ts';
import { redirectCredentialCases } from './redirect-credential-cases.ts';
import { secrecyPairingCases } from './secrecy-pairing-cases.ts';

/**
 * What one strategy does on one client, over loopback servers. They run where Node's `http` does.
 *
 * @example
 * ```ts
 * import { type PairingSubject, pairingCases } from '@authseam/testing/conformance';
 *
 * export async function hold(subject: PairingSubject) {
 *   for (const { run, skip } of pairingCases) if (!skip?.(subject)) await run(subject);
 * }
 * ```
 */
export const pairingCases: readonly ConformanceCase<PairingSubject>[] = Object.freeze(
  [...credentialCases, ...redirectCredentialCases, ...recoveryPairingCases, ...secrecyPairingCases].map(withoutSecrets),
);
