import { readBounded } from '@authseam/core';
import { bareFetch, type FetchLike } from '@authseam/core/fetch';

/** An answer, whole. */
export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** Whether there was more than is read. */
  readonly isTooLong: boolean;
  /** Whether it leads elsewhere: a redirect that was not followed, one that a browser hides, or one that a fetch has followed all the same. */
  readonly isRedirect: boolean;
}

/** Sends one request, bare where the fetch at hand is one that Authseam authorizes; follows no redirect and reads 64 KiB at most. */
export async function receiveAnswer(
  fetch: ((url: string, init: RequestInit) => Promise<Response>) | undefined,
  url: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<ReceivedAnswer> {
  const send = bareFetch((fetch ?? globalThis.fetch) as FetchLike);
  const response = await send(url, { ...init, redirect: 'manual' });
  const { status, headers, redirected } = response;
  const { bytes, truncated } = await readBounded(response.body, LIMIT, init.signal);
  init.signal.throwIfAborted();
  return { status, headers, bytes, isTooLong: truncated, isRedirect: redirected || status === 0 || (status >= 300 && status < 400) };
}

/** Bytes after decompression. */
const LIMIT = 65_536;
