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
      // openapi-fetch for one puts the options that it does not know onto the Request.
      const inInit = chosenIn(init);
      const chosen = inInit === undefined ? chosenIn(input) : inInit;
      if (chosen === undefined) return lane(input, init);
      const { authStrategy: _, ...rest } = init ?? {};
      return chosen === false ? fetch(input, rest) : otherLane(chosen)(input, rest);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return markAsWrapper(authorized, fetch);
}

function chosenIn(holder: unknown): AuthStrategy | false | undefined {
  const isOwn = typeof holder === 'object' && holder !== null && Object.hasOwn(holder, 'authStrategy');
  return isOwn ? (holder as AuthorizedRequestInit).authStrategy : undefined;
}
