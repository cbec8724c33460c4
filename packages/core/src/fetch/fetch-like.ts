/** The function that sends: the platform's `fetch`, or one that takes and answers the same. */
export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Key under which an authorizing fetch keeps the one that it wraps. */
const wrapped: unique symbol = Symbol.for('authseam.fetch') as never;

/** Marks `authorized` as a wrapper of `fetch`. */
export function markAsWrapper<F extends FetchLike>(authorized: F, fetch: FetchLike): F {
  return Object.defineProperty(authorized, wrapped, { value: fetch });
}

/**
 * `fetch` without what Authseam wrapped around it: token requests must not go through a client that waits for their token.
 *
 * @example
 * ```ts
 * import { bareFetch } from '@authseam/core/fetch';
 *
 * const response = await bareFetch(fetch)('https://login.example.com/token', { method: 'POST' });
 * ```
 */
export function bareFetch<F extends FetchLike>(fetch: F): F {
  const inner = (fetch as { [wrapped]?: F })[wrapped];
  return inner ? bareFetch(inner) : fetch;
}
