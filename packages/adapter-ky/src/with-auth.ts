import { type AuthStrategy, ConfigurationError, type WithAuthOptions } from '@authseam/core';
import { authorizedFetch, bareFetch } from '@authseam/core/fetch';
import type { KyInstance, Options } from 'ky';
import { calledByKy } from './called-by-ky.ts';
import { withKnownBodies } from './with-known-bodies.ts';

declare module 'ky' {
  interface Options {
    /**
     * Of one request of an instance from `withAuth`: another strategy, or `false` to send without credentials. Default: that of `withAuth`. In the
     * defaults of an instance it is a `ConfigurationError`; elsewhere it has no effect.
     */
    authStrategy?: AuthStrategy | false | undefined;
  }
}

/**
 * A ky instance like `ky` that authorizes every request, and every retry anew; per request `authStrategy`: `false` sends without, another strategy with
 * that one. It is ky's `fetch` option: around the one that `ky` had, inside its retry, timeout and hooks.
 *
 * A rejected request (401, or what the strategy says) is recovered from once and sent once more before ky sees it; a second rejection is the
 * `HTTPError` that it would be. What `extend` makes of the instance is authorized too, what `create` makes is not, and a `fetch` that is set later
 * takes the place of ours. Attaching again replaces the strategy. `prefix` and `baseUrl` do not limit where credentials go: that is for `origins`.
 *
 * @param ky `ky` itself or an instance, version 2; it is not changed.
 * @param options See `WithAuthOptions`.
 * @returns A new instance.
 * @throws {ConfigurationError} at once for bad arguments. Requests reject with an `AuthError` when no credential can be had, which ky does not retry,
 * and otherwise as ky does.
 * @example
 * ```ts
 * import { withAuth } from '@authseam/adapter-ky';
 * import { apiKey } from '@authseam/auth-api-key';
 * import ky from 'ky';
 *
 * const api = withAuth(ky, apiKey({ key: 'example' }));
 * const items = await api('https://api.example.com/items').json();
 * ```
 */
export function withAuth(ky: KyInstance, strategy: AuthStrategy, options?: WithAuthOptions): KyInstance {
  if (!isKy2(ky)) {
    const message =
      'This adapter takes an instance of ky 2: withAuth(ky, strategy). For fetch and axios see @authseam/adapter-fetch and -axios.';
    throw new ConfigurationError(message, { option: 'ky' });
  }
  return guarded(
    ky.extend(({ fetch }) => {
      const own = bareFetch(fetch ?? latestFetch);
      return withKnownBodies(authorizedFetch(own === latestFetch ? own : calledByKy(own), strategy, options));
    }),
  );
}

/** ky 1 would retry our errors. It has no `init` hooks, and merged defaults name every kind of hook. */
function isKy2(ky: KyInstance): boolean {
  if (typeof ky?.retry !== 'function') return false;
  let hooks: Options['hooks'];
  ky.extend({ hooks: {} }).extend((defaults) => {
    ({ hooks } = defaults);
    return {};
  });
  return Object.hasOwn(hooks ?? {}, 'init');
}

/** ky merges a strategy of the request into one of the defaults, into one that is neither: so there must be none in the defaults, now or later. */
function guarded(instance: KyInstance): KyInstance {
  const { extend } = instance;
  extend((defaults) => {
    if (!Object.hasOwn(defaults, 'authStrategy')) return {};
    const message = '`authStrategy` is for single requests. For all requests of an instance: withAuth(instance, strategy).';
    throw new ConfigurationError(message, { option: 'authStrategy' });
  });
  return Object.assign(instance, { extend: (defaults: Parameters<typeof extend>[0]) => guarded(extend(defaults)) });
}

/** Like ky's own default, whatever stands there when a request is sent. */
function latestFetch(...request: Parameters<typeof fetch>): Promise<Response> {
  return fetch(...request);
}
