import { readBounded } from '@authseam/core';
import { edgeFailure } from './failure.ts';

/** A `fetch` as token requests use it: a URL as a string, and an init. The platform's own fits. */
export type TokenFetch = (url: string, init: RequestInit) => Promise<Response>;

/** What an edge is told. */
export interface EdgeFetchOptions {
  readonly fetch: TokenFetch | undefined;
  readonly strategy: string;
  /** What is asked for, in messages: `'token endpoint'`. */
  readonly what: string;
  /** What must not show in an error. Read when one is made. */
  readonly secrets: Iterable<string>;
}

/** Longest answer that is read, in bytes after decompression. */
const LIMIT = 1_048_576;

/**
 * The only way out of this package: one request, no redirect followed, at most 1 MiB read. The answer is whole when it comes back, so that nobody
 * after this waits for a stalled body.
 *
 * @returns A function that rejects with a `TokenEndpointError` for a redirect and for an answer that is too long, and with an `AuthError` with code
 * `TOKEN_REQUEST_FAILED` when the connection fails.
 */
export function edgeFetch(options: EdgeFetchOptions): (url: string, init: object) => Promise<Response> {
  return async (url, init) => {
    let response: Response | undefined;
    let failure: unknown;
    try {
      response = await (options.fetch ?? globalThis.fetch)(url, { ...init, redirect: 'manual' });
      const { status, headers, redirected } = response;
      const { bytes, truncated } = await readBounded(response.body, LIMIT);
      // A hidden redirect has status 0; a fetch that ignores `redirect` has sent the request on already.
      const isRedirect = redirected || (status >= 300 && status < 400);
      if (status && !isRedirect && !truncated) return new Response(bytes.length ? bytes : null, { status, headers });
    } catch (error) {
      failure = error;
    }
    throw edgeFailure(failure, response?.status, url, options);
  };
}
