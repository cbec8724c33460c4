import { ConfigurationError } from './auth-error.ts';
import type { AuthPatch, AuthStrategy } from './auth-strategy.ts';
import { checkStrategy } from './check-strategy.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { type OriginBound, parseOrigin, strategyOrigins } from './origin-policy.ts';

/** Which strategy sent a request, and what it wants to see again. */
interface Routed {
  readonly origin: string;
  readonly receipt: unknown;
}

/**
 * One strategy per origin. The origins act as the adapter's `origins`: nothing goes anywhere else, and a redirect from one of them to another is
 * authorized by the other's strategy.
 *
 * @param strategies By origin: `{ 'https://api.a.example': strategyA }`.
 * @throws {ConfigurationError} for a key that is no origin.
 * @example
 * ```ts
 * import { byOrigin } from '@authseam/core';
 * import { apiKey } from '@authseam/auth-api-key';
 *
 * export const auth = byOrigin({
 *   'https://api.a.example': apiKey({ key: 'key-a' }),
 *   'https://api.b.example': apiKey({ key: 'key-b', name: 'Api-Key' }),
 * });
 * ```
 */
export function byOrigin(strategies: Readonly<Record<string, AuthStrategy>>): AuthStrategy<unknown> {
  const routes = new Map(Object.entries(strategies ?? {}).map(([key, strategy]) => [parseOrigin(key, 'byOrigin', true), strategy]));
  if (routes.size < Object.keys(strategies ?? {}).length) {
    throw new ConfigurationError('byOrigin: two keys name the same origin. Compose their strategies, or leave one out.', {
      option: 'byOrigin',
    });
  }
  if (routes.size === 0) throw new ConfigurationError('byOrigin: name at least one origin.', { option: 'byOrigin' });
  const all = [...routes.values()];
  for (const strategy of all) checkStrategy(strategy, 'byOrigin');

  /** The child that `sent` belongs to, with its own receipt. */
  function routed(receipt: unknown): [AuthStrategy | undefined, unknown] {
    const { origin, receipt: own } = (receipt ?? {}) as Partial<Routed>;
    return [origin === undefined ? undefined : routes.get(origin), own];
  }

  return Object.freeze({
    name: 'byOrigin',
    specVersion: 1,
    readsBody: widestBody(all),
    ...sensitiveOf(all),
    [strategyOrigins]: [...routes.keys()],
    authorize(request, context) {
      const { origin } = new URL(request.url);
      const strategy = routes.get(origin);
      if (!strategy) return {};
      const wrap = (patch: AuthPatch): AuthPatch => ({ ...patch, receipt: { origin, receipt: patch.receipt } satisfies Routed });
      const patch = strategy.authorize(request, context);
      return isPromiseLike(patch) ? patch.then(wrap) : wrap(patch);
    },
    isRejected(response, sent) {
      const [strategy, receipt] = routed(sent.receipt);
      return strategy?.isRejected?.(response, { request: sent.request, receipt }) ?? false;
    },
    recover(response, sent, context) {
      const [strategy, receipt] = routed(sent.receipt);
      return strategy?.recover?.(response, { request: sent.request, receipt }, context) ?? false;
    },
    observe(response, sent) {
      const [strategy, receipt] = routed(sent.receipt);
      strategy?.observe?.(response, { request: sent.request, receipt });
    },
  } satisfies AuthStrategy & OriginBound);
}

/** The most that any of `strategies` reads of a body. */
export function widestBody(strategies: readonly AuthStrategy[]): 'none' | 'form' | 'bytes' {
  const needs = strategies.map((strategy) => strategy.readsBody);
  return needs.includes('bytes') ? 'bytes' : needs.includes('form') ? 'form' : 'none';
}

/** What is secret in the patches of `strategies` together; nothing said by one of them means that everything is. */
export function sensitiveOf(strategies: readonly AuthStrategy[]): Pick<AuthStrategy, 'sensitive'> {
  if (strategies.some(({ sensitive }) => sensitive === undefined)) return {};
  const names = (place: 'headers' | 'query' | 'cookies'): string[] => strategies.flatMap(({ sensitive }) => sensitive?.[place] ?? []);
  return { sensitive: { headers: names('headers'), query: names('query'), cookies: names('cookies') } };
}
