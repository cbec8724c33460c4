import {
  type AuthPatch,
  type AuthStrategy,
  ConfigurationError,
  checkKnownKeys,
  checkSecret,
  isPromiseLike,
  resolveSecret,
  type Secret,
} from '@authseam/core';
import { checkPatch } from '@authseam/core/adapter';

/** Options of {@link apiKey}. */
export interface ApiKeyOptions {
  /** The key, or a function that yields it; a function is asked for every request. */
  readonly key: Secret;
  /** Where the key goes. Default `'header'`. A query ends up in logs and histories: choose it only where the server knows nothing else. */
  readonly in?: 'header' | 'query' | 'cookie';
  /** Name of the header, query parameter or cookie. Default `'X-API-Key'`. */
  readonly name?: string;
  /** Stands before the key, its own space included: `'ApiKey '`. Default none. */
  readonly prefix?: string;
}

/**
 * Sends an API key with every request. A query key is percent-encoded, a cookie joins the caller's own. Nothing is tried again after a 401.
 *
 * @throws {ConfigurationError} for a misspelt option, a key with a line break, a name or prefix that cannot stand there; the key is never shown.
 * @see OpenAPI 3.1 §4.8.27, Security Scheme Object `apiKey`; RFC 6265 §4.2.1 for cookies
 * @example
 * ```ts
 * import { fromEnv } from '@authseam/core';
 * import { apiKey } from '@authseam/auth-api-key';
 *
 * export const auth = apiKey({ key: fromEnv('YOUR_API_KEY'), name: 'Api-Key' });
 * ```
 */
export function apiKey(options: ApiKeyOptions): AuthStrategy<never> {
  const strategy = 'apiKey';
  checkKnownKeys(options, OPTIONS, { strategy });
  const { key, in: place = 'header', name = 'X-API-Key', prefix = '' } = options;
  checkSecret(key, { option: 'key', strategy });
  if (!PLACES.includes(place)) throw new ConfigurationError(`apiKey: \`in\` is 'header', 'query' or 'cookie'.`, { option: 'in', strategy });
  if (name === '') throw new ConfigurationError('apiKey: `name` is empty.', { option: 'name', strategy });

  const patchOf = (value: string, before = prefix): AuthPatch<never> => {
    const credential = `${before}${value}`;
    if (place === 'query') return { query: [[name, credential]] };
    return place === 'cookie' ? { cookies: { [name]: credential } } : { headers: { [name]: credential } };
  };
  const fixed = typeof key === 'string' ? patchOf(key) : undefined;
  checkPatch(patchOf('key', ''), strategy, 'name');
  checkPatch(patchOf('key'), strategy, 'prefix');
  if (fixed) checkPatch(fixed, strategy, 'key');

  return Object.freeze({
    name: strategy,
    specVersion: 1,
    sensitive: { [SENSITIVE[place]]: [name] },
    authorize() {
      if (fixed) return fixed;
      const value = resolveSecret(key, { option: 'key', strategy });
      return isPromiseLike(value) ? value.then((late) => patchOf(late)) : patchOf(value);
    },
  } satisfies AuthStrategy<never>);
}

const OPTIONS: readonly string[] = ['key', 'in', 'name', 'prefix'] satisfies (keyof ApiKeyOptions)[];
const PLACES: readonly unknown[] = ['header', 'query', 'cookie'];
const SENSITIVE = { header: 'headers', query: 'query', cookie: 'cookies' } as const;
