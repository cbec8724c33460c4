// RFC 5849 §2: temporary credentials, from their issue to the one time that they are exchanged.
import { randomBytes } from 'node:crypto';
import { type OAuth1Refusal, refusal } from './oauth1-refusal.ts';

/** A pair of temporary credentials that a server issued. */
interface TemporaryCredentials {
  readonly token: string;
  readonly tokenSecret: string;
  /** Where the resource owner goes afterwards: an absolute URL, or `'oob'`. */
  readonly callback: string;
  /** What proves that the resource owner consented; absent before. */
  readonly verifier?: string;
}

/** The temporary credentials of one server. */
export interface TemporaryLedger {
  issue(callback: string): TemporaryCredentials;
  /** Notes the consent of the resource owner; `undefined` where the token is unknown, used or too old. */
  consent(token: string): Required<TemporaryCredentials> | undefined;
  /** The credentials that a token request is signed with, or why they are refused. */
  find(token: string): TemporaryCredentials | OAuth1Refusal;
  /** Uses the credentials up, unless the verifier is wrong. */
  redeem(token: string, verifier: string | undefined): OAuth1Refusal | undefined;
}

/** An empty {@link TemporaryLedger}. Credentials are good for ten minutes. */
export function temporaryLedger(now: () => number): TemporaryLedger {
  const ledger = new Map<string, TemporaryCredentials & { readonly issuedAtMs: number }>();
  const used = new Set<string>();

  function find(token: string): TemporaryCredentials | OAuth1Refusal {
    const found = ledger.get(token);
    if (used.has(token)) return refusal('token_used', 'The temporary credentials were exchanged before.');
    if (found === undefined) return refusal('token_rejected', 'The temporary credentials are unknown.');
    return now() - found.issuedAtMs < LIFETIME_MS ? found : refusal('token_expired', 'The temporary credentials have expired.');
  }

  return Object.freeze({
    issue(callback: string) {
      const token = `temporary-${randomBytes(12).toString('hex')}`;
      const issued = { token, tokenSecret: randomBytes(20).toString('base64url'), callback, issuedAtMs: now() };
      ledger.set(token, issued);
      return issued;
    },
    consent(token: string) {
      const found = find(token);
      if ('problem' in found) return undefined;
      const consented = { ...found, verifier: randomBytes(8).toString('hex') };
      ledger.set(token, { ...consented, issuedAtMs: ledger.get(token)?.issuedAtMs ?? now() });
      return consented;
    },
    find,
    redeem(token: string, verifier: string | undefined) {
      const expected = ledger.get(token)?.verifier;
      if (expected === undefined) return refusal('permission_unknown', 'The resource owner has not consented.');
      if (verifier === undefined) return refusal('parameter_absent', 'Missing: oauth_verifier.', VERIFIER_ABSENT);
      if (verifier !== expected) return refusal('parameter_rejected', 'oauth_verifier is wrong.', VERIFIER_REJECTED);
      used.add(token);
      return undefined;
    },
  });
}

const LIFETIME_MS = 600_000;
const VERIFIER_ABSENT = { oauth_parameters_absent: 'oauth_verifier' };
const VERIFIER_REJECTED = { oauth_parameters_rejected: 'oauth_verifier' };
