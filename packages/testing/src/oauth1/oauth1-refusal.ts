// The OAuth Problem Reporting extension: the words under which a server says what is wrong.

/** What is wrong with a signed request, in the words of OAuth Problem Reporting. */
export type OAuth1Problem =
  | 'consumer_key_unknown'
  | 'nonce_used'
  | 'parameter_absent'
  | 'parameter_rejected'
  | 'permission_unknown'
  | 'signature_invalid'
  | 'signature_method_rejected'
  | 'timestamp_refused'
  | 'token_expired'
  | 'token_rejected'
  | 'token_revoked'
  | 'token_used'
  | 'version_rejected';

/** Why a request is refused. */
export interface OAuth1Refusal {
  readonly problem: OAuth1Problem;
  /** For a person. Secrets and signatures do not show. */
  readonly detail: string;
  /** Further fields of a problem report: `oauth_parameters_absent`, `oauth_acceptable_timestamps`, … */
  readonly report: Readonly<Record<string, string>>;
}

/** An {@link OAuth1Refusal}. */
export function refusal(problem: OAuth1Problem, detail: string, report: OAuth1Refusal['report'] = {}): OAuth1Refusal {
  return { problem, detail, report };
}

/** The status that RFC 5849 §3.2 has for a refusal: 400 for what is malformed or not supported, 401 for what does not prove anything. */
export function statusOf({ problem }: OAuth1Refusal): 400 | 401 {
  return MALFORMED.has(problem) ? 400 : 401;
}

const MALFORMED: ReadonlySet<OAuth1Problem> = new Set([
  'parameter_absent',
  'parameter_rejected',
  'signature_method_rejected',
  'version_rejected',
]);
