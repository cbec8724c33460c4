// Fetch standard, "HTTP-redirect fetch"; RFC 9110 §15.4.
import { UnsafeDestinationError } from './auth-error.ts';

/** What a redirect makes of a request. */
export interface Redirection {
  readonly url: URL;
  readonly method: string;
  /** The request went from POST or the like to GET: its body and the headers that describe it are gone. */
  readonly dropsBody: boolean;
  /** The caller's own Authorization and Cookie stay behind. */
  readonly crossOrigin: boolean;
  /** From https to http. */
  readonly isDowngrade: boolean;
}

/** Headers that no client takes along to another origin. */
export const headersBoundToOrigin: readonly string[] = ['authorization', 'proxy-authorization', 'cookie', 'host'];
/** Headers that go when the body goes. */
export const headersOfBody: readonly string[] = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];

/**
 * `location` as a URL, if a request may go there. Bytes beyond ASCII are UTF-8, as browsers and undici read them.
 *
 * @throws {UnsafeDestinationError} for what is no http or https URL, and for one with a user name or password, which is not shown.
 */
function destination(location: string, source: URL, strategy: string): URL {
  const isUtf8 = /[\x80-\xff]/.test(location) && !/[^\0-\xff]/.test(location);
  const text = isUtf8 ? new TextDecoder().decode(Uint8Array.from(location, (char) => char.charCodeAt(0))) : location;
  const url = URL.canParse(text, source.href) ? new URL(text, source) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url;
  const message = `${strategy}: ${source.origin} redirects to a URL that is not http or https, or holds a user name. It was not followed.`;
  throw new UnsafeDestinationError(message, { origin: url?.origin ?? 'null', strategy });
}

/**
 * Where a response sends its request, by the rules of the Fetch standard that axios's follow-redirects shares; `undefined` when it does not redirect.
 *
 * @param from The URL that was sent, without the strategy's own query parameters, and the strategy's name.
 * @param ours The strategy's query parameters: taken out of `Location` when the server repeats them there.
 * @throws {UnsafeDestinationError} for a Location that no request may go to.
 */
export function redirection(
  response: { readonly status: number; readonly location: string | null },
  from: { readonly url: string; readonly method: string; readonly strategy: string },
  ours: readonly (readonly [string, string])[] | undefined,
): Redirection | undefined {
  const { status, location } = response;
  if (location === null || !isRedirectStatus(status)) return undefined;
  const source = new URL(from.url);
  const url = destination(location, source, from.strategy);
  if (!url.hash) url.hash = source.hash;
  if (ours?.length && url.search) url.search = withoutParameters(url.search, ours);
  const method = from.method.toUpperCase();
  const dropsBody = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  return {
    url,
    method: dropsBody ? 'GET' : from.method,
    dropsBody,
    crossOrigin: url.origin !== source.origin,
    isDowngrade: source.protocol === 'https:' && url.protocol === 'http:',
  };
}

/** Whether `status` redirects when a Location comes with it. */
export function isRedirectStatus(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** `search` without the pairs that repeat one of `pairs`, the others as they were written. */
function withoutParameters(search: string, pairs: readonly (readonly [string, string])[]): string {
  const repeats = (piece: string): boolean => {
    const [decoded] = new URLSearchParams(`&${piece}`); // without the & a question mark at its beginning would be lost
    return decoded !== undefined && pairs.some(([name, value]) => name === decoded[0] && value === decoded[1]);
  };
  const pieces = search.slice(1).split('&');
  const kept = pieces.filter((piece) => !repeats(piece)).join('&');
  return kept && `?${kept}`;
}
