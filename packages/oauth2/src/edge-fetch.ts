import { readBounded, waitFor } from '@authseam/core';
import { bareFetch, type FetchLike } from '@authseam/core/fetch';
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
 * after this waits for a stalled body. It goes out bare where the fetch at hand, the platform's too, is one that Authseam authorizes.
 *
 * @returns A function that rejects with a `TokenEndpointError` for a redirect and for an answer that is too long, with an `AuthError` with code
 * `TOKEN_REQUEST_FAILED` when the connection fails, and with the signal's reason as soon as that aborts.
 */
export function edgeFetch(options: EdgeFetchOptions): (url: string, init: object) => Promise<Response> {
  return async (url, init) => {
    const { signal } = init as RequestInit;
    const limits = { signal: signal ?? undefined };
    let response: Response | undefined;
    let failure: unknown;
    let isTooLong = false;
    try {
      const send = bareFetch((options.fetch ?? globalThis.fetch) as FetchLike);
      response = await waitFor(send(url, { ...init, redirect: 'manual' }), limits);
      const { status, headers, redirected } = response;
      const { bytes, truncated } = await waitFor(readBounded(response.body, LIMIT, limits.signal), limits);
      // A hidden redirect has status 0; a fetch that ignores `redirect` has sent the request on already.
      const isRedirect = redirected || (status >= 300 && status < 400);
      isTooLong = truncated && !isRedirect;
      if (status && !isRedirect && !truncated) return new Response(bytes.length ? bytes : null, { status, headers });
    } catch (error) {
      signal?.throwIfAborted();
      failure = error;
    }
    throw edgeFailure({ failure, status: response?.status, isTooLong, url }, options);
  };
}
