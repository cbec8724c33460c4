import { ConfigurationError } from './auth-error.ts';
import type { AuthStrategy } from './auth-strategy.ts';
import { isPromiseLike } from './is-promise-like.ts';

/** @throws {ConfigurationError} for what is no strategy of this contract. */
export function checkStrategy(strategy: unknown, option = 'strategy'): asserts strategy is AuthStrategy {
  const { authorize, specVersion } = (strategy ?? {}) as Partial<AuthStrategy>;
  if (typeof authorize === 'function' && specVersion === 1) return;
  const hint =
    typeof strategy === 'function'
      ? ' It is a function: call it.'
      : Array.isArray(strategy)
        ? ' It is a list: use compose(a, b).'
        : isPromiseLike(strategy)
          ? ' It is a promise: await it.'
          : '';
  throw new ConfigurationError(`\`${option}\` must be an AuthStrategy, such as apiKey({ key }).${hint}`, { option });
}
