import { checkPatch } from './apply-patch.ts';
import type { AuthPatch, AuthStrategy } from './auth-strategy.ts';
import { callersOwn } from './callers-own.ts';

/**
 * A strategy that sends the same headers with every request: a `User-Agent` that the server insists on, a tenant. A header that the caller set itself
 * is left alone, the others are still sent. They go where credentials may go, nowhere else, but
 * count as public: for a secret take `apiKey`.
 *
 * @throws {ConfigurationError} for a name or value that HTTP does not allow.
 * @example
 * ```ts
 * import { compose, staticHeaders } from '@authseam/core';
 * import { bearerToken } from '@authseam/auth-api-key';
 *
 * export const auth = compose(staticHeaders({ 'User-Agent': 'my-app/1.0' }), bearerToken({ token: 'example' }));
 * ```
 */
export function staticHeaders(headers: Readonly<Record<string, string>>): AuthStrategy<never> {
  const name = 'staticHeaders';
  const own = { ...headers };
  const all: AuthPatch<never> = { headers: own };
  checkPatch(all, name);
  return Object.freeze({
    name,
    specVersion: 1,
    sensitive: {},
    authorize(request, context) {
      const taken = Object.keys(own).filter((header) => callersOwn(request).headers.get(header) !== null);
      if (taken.length === 0) return all;
      for (const header of taken) context.emit({ type: 'credential-conflict', strategy: name, place: 'header', name: header });
      return { headers: Object.fromEntries(Object.entries(own).filter(([header]) => !taken.includes(header))) };
    },
  } satisfies AuthStrategy<never>);
}
