// RFC 5849 §3.4.1.3.1: parameter sources.
import { type AuthRequest, ConfigurationError } from '@authseam/core';
import { percentEncode } from './percent-encode.ts';

/** Name and value, both encoded as RFC 5849 §3.6 says. */
export type EncodedParameter = readonly [name: string, value: string];

/**
 * The parameters of a query or a form, in order, each decoded and encoded again the way signatures want it. `+` is a space, `;` an ordinary character;
 * a stray `%` stands for itself; bytes that are no UTF-8 stay the bytes they are; values may hold `=`, names and values may be empty, and names may
 * repeat.
 *
 * @param text What follows `?` in a URL, or a body of type `application/x-www-form-urlencoded`.
 * @see RFC 5849 §3.4.1.3.1, §3.6
 */
export function encodedParameters(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const piece of text.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    pairs.push(equals < 0 ? [reencode(piece), ''] : [reencode(piece.slice(0, equals)), reencode(piece.slice(equals + 1))]);
  }
  return pairs;
}

/**
 * The parameters of a request itself, in order: those of its query, and those of its body where that is a form.
 *
 * @param readsBytes Whether the adapter was asked for every body, and not for forms alone.
 * @throws {ConfigurationError} for a name that begins with `oauth_`: two of a kind make a signature ambiguous, and one that came in with the URL could
 * replace ours.
 * @see RFC 5849 §3.1, §3.4.1.3.1
 */
export function requestParameters(
  request: Pick<AuthRequest, 'url' | 'headers' | 'body'>,
  readsBytes: boolean,
): { readonly isForm: boolean; readonly parameters: EncodedParameter[] } {
  const parameters = encodedParameters(queryOf(request.url));
  refuseProtocolParameters(parameters, 'url');
  const { body } = request;
  const isForm = isFormBody(request, readsBytes);
  if (!isForm || body === undefined) return { isForm, parameters };
  const fields = encodedParameters(formText(body));
  refuseProtocolParameters(fields, 'body');
  return { isForm, parameters: parameters.length === 0 ? fields : parameters.concat(fields) };
}

/** What stands between `?` and `#` in `url`. */
export function queryOf(url: string): string {
  const start = url.indexOf('?') + 1;
  const hash = url.indexOf('#');
  if (start === 0 || (hash >= 0 && hash < start)) return '';
  return hash < 0 ? url.slice(start) : url.slice(start, hash);
}

/** A form body as text. Bytes that are no UTF-8 come out percent-encoded, since no text holds them. */
export function formText(body: string | Uint8Array): string {
  if (typeof body === 'string') return body;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return Array.from(body, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : escaped(byte))).join('');
  }
}

function isFormBody({ headers, body }: Pick<AuthRequest, 'headers' | 'body'>, readsBytes: boolean): boolean {
  const contentType = headers.get('content-type');
  if (contentType !== null) return contentType.split(';', 1)[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded';
  if (readsBytes && typeof body === 'string' && body !== '') {
    const message = 'oauth1: with `bodyHash` set Content-Type yourself: a form is signed field by field, any other text by its hash.';
    throw new ConfigurationError(message, { option: 'bodyHash', strategy: 'oauth1' });
  }
  // Asked for forms alone, an adapter gives us nothing else: the platform adds the type of a URLSearchParams.
  return !readsBytes && body !== undefined;
}

function refuseProtocolParameters(parameters: readonly EncodedParameter[], option: 'url' | 'body'): void {
  for (const [name] of parameters) {
    if (!name.startsWith('oauth_')) continue;
    const place = option === 'url' ? 'query' : 'form body';
    const message = `oauth1: the ${place} holds \`oauth_…\` already. Take it out: oauth1 adds these parameters; \`parameters\` takes others of your own.`;
    throw new ConfigurationError(message, { option, strategy: 'oauth1' });
  }
}

/** `text` decoded as a form and percent-encoded again, in one go: escapes of unreserved characters are resolved, all others kept as the bytes they are. */
function reencode(text: string): string {
  let encoded = '';
  let kept = 0; // where what is copied unchanged begins
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isUnreserved(code)) continue;
    encoded += text.slice(kept, at);
    if (code === PERCENT && HEX_PAIR.test(text.slice(at + 1, at + 3))) {
      encoded += escaped(Number.parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    } else if (code < 0x80) {
      encoded += code === PLUS ? '%20' : escaped(code);
    } else {
      const [characters = ''] = NOT_ASCII.exec(text.slice(at)) ?? [];
      encoded += percentEncode(characters);
      at += characters.length - 1;
    }
    kept = at + 1;
  }
  return kept === 0 ? text : encoded + text.slice(kept);
}

/** A byte as RFC 5849 §3.6 encodes it: itself where it is unreserved. */
function escaped(byte: number): string {
  if (isUnreserved(byte)) return String.fromCharCode(byte);
  return `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
}

/** RFC 3986 §2.3: letters, digits, `-`, `.`, `_`, `~`. */
function isUnreserved(code: number): boolean {
  if (code > 0x60) return code < 0x7b || code === 0x7e;
  if (code > 0x40) return code < 0x5b || code === 0x5f;
  return code > 0x2f ? code < 0x3a : code === 0x2d || code === 0x2e;
}

const PERCENT = 0x25;
const PLUS = 0x2b;
const HEX = '0123456789ABCDEF';
const HEX_PAIR = /^[\da-f]{2}$/i;
const NOT_ASCII = /^[^\0-\x7f]+/;
