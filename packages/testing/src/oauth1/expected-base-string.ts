// RFC 5849 §3.4.1, read as the server: from what arrived, whatever the client meant to send.
import type { ReceivedRequest } from '../received-request.ts';
import { percentEncoded, percentEncodedText } from './octets.ts';
import type { SignedParameter } from './signed-parameters.ts';

/** The signature base string of a request that arrived. */
export function expectedBaseString(request: ReceivedRequest, parameters: readonly SignedParameter[]): string {
  const signed = parameters.filter(({ name }) => name.toString('latin1') !== 'oauth_signature');
  // NUL never stands in an encoded text and sorts before all that does: sorting whole lines sorts by name, then by value (§3.4.1.3.2).
  const lines = signed.map(({ name, value }) => `${percentEncoded(name)}\0${percentEncoded(value)}`).sort();
  const normalized = lines.map((line) => line.replace('\0', '=')).join('&');
  return [request.method.toUpperCase(), uriOf(request), normalized].map(percentEncodedText).join('&');
}

/** §3.4.1.2: scheme and host in lower case, the port unless it is the scheme's own, the path as it stood in the request line. */
function uriOf({ url, path, headers }: ReceivedRequest): string {
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase();
  const ownPort = scheme === 'https' ? /:443$/ : /:80$/;
  const authority = (headers['host'] ?? '').toLowerCase().replace(ownPort, '');
  const absolute = /^[a-z]+:\/\/[^/]*/i.exec(path); // a target in absolute form, as for a proxy
  return `${scheme}://${authority}${absolute === null ? path : path.slice(absolute[0].length) || '/'}`;
}
