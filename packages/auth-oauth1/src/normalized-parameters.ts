// RFC 5849 §3.4.1.3.2: parameters normalization.
import type { EncodedParameter } from './request-parameters.ts';

/**
 * `parameters` in the one order that both sides agree on: sorted by encoded name, then by encoded value, byte by byte; joined as in a query. Repeated
 * names are all kept. Encoded first and sorted then, as the RFC wants it: the other way round the order is another.
 *
 * @param parameters Encoded, in any order; not mutated.
 * @see RFC 5849 §3.4.1.3.2
 */
export function normalizedParameters(parameters: readonly EncodedParameter[]): string {
  let normalized = '';
  for (const [name, value] of parameters.toSorted(byNameThenValue)) normalized += `&${name}=${value}`;
  return normalized.slice(1);
}

/** Encoded text is ASCII, so that comparing characters compares bytes. */
function byNameThenValue([a, first]: EncodedParameter, [b, second]: EncodedParameter): number {
  if (a !== b) return a < b ? -1 : 1;
  return first < second ? -1 : first > second ? 1 : 0;
}
