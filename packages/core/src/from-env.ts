import { ConfigurationError } from './auth-error.ts';

/**
 * A `Secret` that is read from an environment variable at each use, never before and never under another name.
 *
 * @param name Name of the variable: `'API_OAUTH_TOKEN'`.
 * @throws {ConfigurationError} from the returned function, naming the variable, when it is unset or empty.
 * @example
 * ```ts
 * import { fromEnv } from '@authseam/core';
 * import { apiKey } from '@authseam/auth-api-key';
 *
 * export const auth = apiKey({ key: fromEnv('YOUR_API_KEY') });
 * ```
 */
export function fromEnv(name: string): () => string {
  if (typeof name !== 'string' || name === '') {
    throw new ConfigurationError('fromEnv: give the name of an environment variable.', { option: 'name' });
  }
  return () => {
    const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
    const value = process?.env?.[name];
    if (typeof value !== 'string' || value === '') {
      const problem = value === '' ? 'is empty' : 'is not set';
      throw new ConfigurationError(`The environment variable ${name} ${problem}. Set it, or pass the value itself.`, { option: name });
    }
    return value;
  };
}
