import { type AuthStrategy, ConfigurationError, type WithAuthOptions } from '@authseam/core';
import { type AuthorizedRequestInit, authorizedFetch, type FetchLike } from '@authseam/core/fetch';

/** A ky instance can be called like fetch, but has both of these, whose requests would go out bare. */
type NoKy = { readonly extend?: never } | { readonly create?: never };

/**
 * `fetch` that authorizes every request. Takes and answers exactly what the wrapped function does, and per request `authStrategy`: `false` sends
 * without, another strategy with that one.
 *
 * A rejected request (401, or what the strategy says) is recovered from once and sent once more; a second rejection is the answer. Redirects are
 * followed hop by hop outside browsers and authorized anew; credentials stay with the origin that the caller addressed, or with `origins`. Nothing of
 * the caller's is changed. Bodies that are streams go out once: the recovery still runs, so that the next call works. It does not retry anything else.
 *
 * @param fetch The platform's `fetch` or one like it; ky has an adapter of its own.
 * @param options See `WithAuthOptions`.
 * @returns A function of the same type, to be used wherever `fetch` is.
 * @throws {ConfigurationError} at once for bad arguments. The returned function rejects with an `AuthError` when no credential can be had, with the
 * abort reason when the caller aborts, and otherwise as `fetch` does.
 * @example
 * ```ts
 * import { withAuth } from '@authseam/adapter-fetch';
 * import { apiKey } from '@authseam/auth-api-key';
 *
 * const api = withAuth(fetch, apiKey({ key: 'example' }));
 * const response = await api('https://api.example.com/items');
 * ```
 */
export function withAuth<F extends FetchLike & NoKy>(
  fetch: F,
  strategy: AuthStrategy,
  options?: WithAuthOptions,
): F & ((input: string | URL | Request, init?: AuthorizedRequestInit) => Promise<Response>) {
  const { extend, create } = (fetch ?? {}) as { readonly extend?: unknown; readonly create?: unknown };
  if (typeof extend === 'function' && typeof create === 'function') {
    throw new ConfigurationError('This is ky: use `withAuth` of @authseam/adapter-ky.', { option: 'fetch' });
  }
  // What a runtime hangs on its fetch (Bun: `preconnect`) stays there: the type says so.
  return Object.assign(authorizedFetch(fetch, strategy, options), fetch) as ReturnType<typeof withAuth<F>>;
}
