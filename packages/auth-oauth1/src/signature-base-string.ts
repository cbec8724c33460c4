// RFC 5849 §3.4.1.1: string construction.
import { baseStringUri } from './base-string-uri.ts';
import { normalizedParameters } from './normalized-parameters.ts';
import { percentEncode } from './percent-encode.ts';
import type { EncodedParameter } from './request-parameters.ts';

/** What {@link signatureBaseString} takes. */
export interface SignatureBaseStringOptions {
  /** In any case. */
  readonly method: string;
  /** Absolute. Its query counts only as far as `parameters` hold it. */
  readonly url: string;
  /** Encoded: those of the query, of a form body, and the protocol parameters but for `oauth_signature` and `realm`. In any order. */
  readonly parameters: readonly EncodedParameter[];
}

/**
 * The text that a signature signs: method, base string URI and normalized parameters.
 *
 * @throws {TypeError} when `url` is not absolute.
 * @see RFC 5849 §3.4.1.1
 */
export function signatureBaseString({ method, url, parameters }: SignatureBaseStringOptions): string {
  // Normalized parameters hold unreserved characters, `%`, `=` and `&` only: for those the platform's encoding is the RFC's.
  return `${percentEncode(method.toUpperCase())}&${percentEncode(baseStringUri(url))}&${encodeURIComponent(normalizedParameters(parameters))}`;
}
