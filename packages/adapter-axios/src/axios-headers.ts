import type { AxiosHeaders, InternalAxiosRequestConfig } from 'axios';

type Headers = InternalAxiosRequestConfig['headers'];

/** The value of `name` as it goes on the wire; several are joined. `false` says that none is to be sent, which is a word of the caller's as well. */
export function headerOf(headers: { get(name: string): unknown }, name: string): string | null {
  const value = headers.get(name);
  if (value === undefined || value === null) return null;
  if (value === false) return '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** A copy of `headers` with `added`: axios's adapters write into what they get. */
export function withHeaders(headers: Headers, added?: Record<string, string>): Headers {
  // Of the caller's own class, since two copies of axios can be installed; assigned, since its methods normalize each name again.
  const copy = new (headers.constructor as typeof AxiosHeaders)();
  return Object.assign(copy, headers, added) as Headers;
}

/** A copy of `headers` without `names`. */
export function withoutHeaders(headers: Headers, names: readonly string[]): Headers {
  const copy = withHeaders(headers);
  copy.delete([...names]);
  return copy;
}
