import { ConfigurationError } from '../auth-error.ts';
import type { AuthStrategy, WithAuthOptions } from '../auth-strategy.ts';
import { hidesRedirects } from '../hidden-redirects.ts';
import { createSendLoop } from '../send-loop.ts';
import { FetchCall, type FetchLane } from './fetch-call.ts';
import { type FetchLike, markAsWrapper } from './fetch-like.ts';
import { dictionaryOf } from './request-settings.ts';

/** fetch's own `init`, with another strategy, or none, for one request. */
export type AuthorizedRequestInit = RequestInit & { readonly authStrategy?: AuthStrategy | false | undefined };

/**
 * A fetch that authorizes every request with `strategy`: what the adapters for fetch and for clients built on fetch are made of.
 *
 * @throws {ConfigurationError} when `fetch` is no function, `strategy` none, or `options` contradict each other.
 */
export function authorizedFetch(
  fetch: FetchLike,
  strategy: AuthStrategy,
  options: WithAuthOptions = {},
): (input: string | URL | Request, init?: AuthorizedRequestInit) => Promise<Response> {
  if (typeof fetch !== 'function' || 'interceptors' in fetch) {
    const message = 'This adapter wraps fetch, or a function that takes and answers the same: withAuth(fetch, strategy).';
    throw new ConfigurationError(message, { option: 'fetch' });
  }
  const lane = laneOf(strategy);
  const others = new WeakMap<AuthStrategy, ReturnType<typeof laneOf>>();

  function laneOf(chosen: AuthStrategy) {
    const send = createSendLoop(chosen, options);
    const { unsafeAllowHiddenRedirects = false } = options;
    const shared: FetchLane = { fetch, strategy: chosen, hidesRedirects: hidesRedirects(), unsafeAllowHiddenRedirects };
    return (input: string | URL | Request, init: RequestInit | undefined): Promise<Response> => send(new FetchCall(shared, input, init));
  }

  function otherLane(chosen: AuthStrategy): ReturnType<typeof laneOf> {
    const known = others.get(chosen) ?? laneOf(chosen);
    others.set(chosen, known);
    return known;
  }

  function authorized(input: string | URL | Request, given?: AuthorizedRequestInit): Promise<Response> {
    try {
      const init = given && dictionaryOf(given);
      if (!init || !Object.hasOwn(init, 'authStrategy')) return lane(input, init);
      const { authStrategy: chosen, ...rest } = init;
      if (chosen === false) return fetch(input, rest);
      return (chosen === undefined ? lane : otherLane(chosen))(input, rest);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return markAsWrapper(authorized, fetch);
}
