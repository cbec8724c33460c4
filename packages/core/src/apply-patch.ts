import { ConfigurationError } from './auth-error.ts';
import type { CredentialConflictEvent } from './auth-event.ts';
import type { AuthPatch, AuthRequest } from './auth-strategy.ts';

/** A name that the caller's request holds already. */
export type Conflict = Pick<CredentialConflictEvent, 'place' | 'name'>;

/** The first name of `patch` that `request` already carries: header, query parameter, cookie or form field. */
export function findConflict(request: AuthRequest, patch: AuthPatch): Conflict | undefined {
  for (const name in patch.headers) if (request.headers.get(name) !== null) return { place: 'header', name };
  if (patch.query) for (const [name] of patch.query) if (hasParameter(queryOf(request.url), name)) return { place: 'query', name };
  for (const name in patch.cookies) if (hasCookie(request.headers.get('cookie'), name)) return { place: 'cookie', name };
  if (patch.form) for (const [name] of patch.form) if (hasParameter(formText(request.body), name)) return { place: 'form', name };
  return undefined;
}

/** Whether there is nothing to send. */
export function isEmptyPatch({ headers, query, cookies, form }: AuthPatch): boolean {
  for (const _ in headers) return false;
  for (const _ in cookies) return false;
  return !query?.length && !form?.length;
}

/** `url` with `pairs` appended to its query, percent-encoded, before a fragment. What stands in the query is not touched. */
export function appendQuery(url: string, pairs: readonly (readonly [string, string])[] | undefined): string {
  if (!pairs?.length) return url;
  const hash = url.indexOf('#');
  const end = hash < 0 ? url.length : hash;
  const base = url.slice(0, end);
  const start = base.indexOf('?');
  const separator = start < 0 ? '?' : start === base.length - 1 || base.endsWith('&') ? '' : '&';
  return `${base}${separator}${encodePairs(pairs)}${url.slice(end)}`;
}

/** `body` with `pairs` appended, as `application/x-www-form-urlencoded`. */
export function appendForm(
  body: Uint8Array | string | undefined,
  pairs: readonly (readonly [string, string])[],
): string | Uint8Array<ArrayBuffer> {
  if (!body?.length) return encodePairs(pairs);
  const added = `&${encodePairs(pairs)}`;
  if (typeof body === 'string') return body + added;
  // Bytes stay what they are, UTF-8 or not: they may have been signed.
  const bytes = new Uint8Array(body.length + added.length);
  bytes.set(body);
  bytes.set(new TextEncoder().encode(added), body.length);
  return bytes;
}

/** The `Cookie` header with `cookies` appended to the caller's own (RFC 6265 §4.2.1). */
export function appendCookies(header: string | null, cookies: Record<string, string>): string {
  const pairs = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
  return [...(header ? [header] : []), ...pairs].join('; ');
}

/**
 * Checks that every value can stand where the patch puts it, before a client does: clients quote what they refuse.
 *
 * @param option What the error names: where the value comes from.
 * @throws {ConfigurationError} that names the header or cookie, not its value.
 */
export function checkPatch(patch: AuthPatch, strategy: string, option = 'headers'): void {
  const { headers, cookies, query = [], form = [] } = checked(patch, strategy);
  checkValues(headers, HEADER, strategy, option);
  checkValues(cookies, COOKIE, strategy, option);
  const names = Object.keys(headers ?? {}).map((name) => name.toLowerCase());
  if (new Set(names).size < names.length || names.includes('cookie')) {
    const message = `${strategy}: \`headers\` of a patch name each header once, and leave cookies to \`cookies\`.`;
    throw new ConfigurationError(message, { option, strategy });
  }
  const isPair = (pair: unknown): boolean => Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string';
  if (![query, form].every((pairs) => Array.isArray(pairs) && pairs.every(isPair))) {
    throw new ConfigurationError(`${strategy}: \`query\` and \`form\` of a patch are lists of [name, value].`, { option, strategy });
  }
}

function checked(patch: AuthPatch | null | undefined, strategy: string): AuthPatch {
  if (typeof patch === 'object' && patch) return patch;
  throw new ConfigurationError(`${strategy}: \`authorize\` must answer with a patch, an object.`, { option: 'authorize', strategy });
}

/** @param kind What `values` are, the characters that a value may hold, and what else stands in one that is refused, often. */
function checkValues(
  values: Record<string, string> | undefined,
  [kind, legal, suspect]: readonly [kind: string, legal: RegExp, suspect: string],
  strategy: string,
  option: string,
): void {
  for (const name in values) {
    const value: unknown = values[name];
    const isName = HEADER_NAME.test(name);
    if (isName && typeof value === 'string' && legal.test(value)) continue;
    const problem = !isName
      ? `the name of a ${kind} is empty, or holds a character that HTTP does not allow in names`
      : typeof value !== 'string'
        ? `the value for \`${name}\` is not a string`
        : value.trim() !== value
          ? `the value for \`${name}\` begins or ends with a blank or a line break`
          : `the value for \`${name}\` holds a character that HTTP ${kind}s cannot carry (${suspect}, perhaps)`;
    throw new ConfigurationError(`${strategy}: ${problem}.`, { option, strategy });
  }
}

function encodePairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).join('&');
}

/** Percent-encoding of all but RFC 3986 §2.3's unreserved characters, over UTF-8: unambiguous in queries, forms and signatures alike. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function queryOf(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1).replace(/#.*$/s, '');
}

function hasParameter(query: string, name: string): boolean {
  return query !== '' && new URLSearchParams(query).has(name);
}

function hasCookie(header: string | null, name: string): boolean {
  return header?.split(';').some((pair) => pair.split('=', 1)[0]?.trim() === name) ?? false;
}

function formText(body: Uint8Array | string | undefined): string {
  return body === undefined || typeof body === 'string' ? (body ?? '') : new TextDecoder().decode(body);
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible characters and inner blanks (RFC 9110 §5.5); Latin-1 passes as clients let it pass. */
const HEADER = ['header', /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/, 'a typographic quote'] as const;
/** Cookie octets (RFC 6265 §4.1.1). */
const COOKIE = ['cookie', /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/, 'a blank, quote, comma or semicolon'] as const;
