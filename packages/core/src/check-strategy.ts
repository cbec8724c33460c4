import { ConfigurationError } from './auth-error.ts';
import type { AuthStrategy } from './auth-strategy.ts';

/** @throws {ConfigurationError} for what is no strategy of this contract. */
export function checkStrategy(strategy: unknown, option = 'strategy'): asserts strategy is AuthStrategy {
  const { authorize, specVersion } = (strategy ?? {}) as Partial<AuthStrategy>;
  if (typeof authorize === 'function' && specVersion === 1) return;
  throw new ConfigurationError(`\`${option}\` must be an AuthStrategy, such as apiKey({ key }).`, { option });
}
