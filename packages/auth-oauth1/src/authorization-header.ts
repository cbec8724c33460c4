// RFC 5849 §3.5.1: authorization header.
import type { EncodedParameter } from './request-parameters.ts';

/**
 * The value of the `Authorization` header.
 *
 * @param parameters The protocol parameters, `oauth_signature` among them, encoded.
 * @param realm Stands first, as a quoted string; it is never part of a signature.
 * @see RFC 5849 §3.5.1, RFC 9110 §5.6.4
 */
export function authorizationHeader(parameters: readonly EncodedParameter[], realm?: string): string {
  let header = realm === undefined ? 'OAuth ' : `OAuth realm="${realm.replace(/["\\]/g, '\\$&')}", `;
  let separator = '';
  for (const [name, value] of parameters) {
    header += `${separator}${name}="${value}"`;
    separator = ', ';
  }
  return header;
}
