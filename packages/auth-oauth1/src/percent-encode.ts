// RFC 5849 §3.6: percent encoding.
import { percentEncode as encodeReserved } from '@authseam/core/adapter';

/**
 * `text` with all but RFC 3986's unreserved characters percent-encoded, over UTF-8, in upper-case hexadecimal.
 *
 * @see RFC 5849 §3.6
 */
export function percentEncode(text: string): string {
  return UNRESERVED.test(text) ? text : encodeReserved(text);
}

/** RFC 3986 §2.3. */
const UNRESERVED = /^[\w.~-]*$/;
