// RFC 6750 §2.1: the Authorization request header field.
import {
  type AuthStrategy,
  ConfigurationError,
  checkSecret,
  fromTokenSource,
  isPromiseLike,
  resolveSecret,
  type Secret,
  type TokenSet,
  type TokenSource,
} from '@authseam/core';
import { checkPatch } from '@authseam/core/adapter';

/** Options of {@link bearerToken}. */
export interface BearerTokenOptions {
  /** The token; a function that yields it, asked for every request and once more after a 401; or a token source. */
  readonly token: Secret | TokenSource;
  /** Word before the token. Default `'Bearer'`; any other that a server wants, such as `'Token'`. */
  readonly scheme?: string;
}

/**
 * Sends a token that comes from elsewhere in the Authorization header. After a 401 a function is asked again and the request sent once more; a string
 * cannot change, so the 401 is the answer; a token source refreshes as it promises.
 *
 * @throws {ConfigurationError} for an empty token, a line break in it, or a scheme that is not one word; the token is never shown.
 * @see RFC 6750 §2.1, RFC 9110 §11.1
 * @example
 * ```ts
 * import { fromEnv } from '@authseam/core';
 * import { bearerToken } from '@authseam/auth-api-key';
 *
 * export const auth = bearerToken({ token: fromEnv('API_TOKEN') });
 * ```
 */
export function bearerToken(options: BearerTokenOptions): AuthStrategy<TokenSet> {
  const name = 'bearerToken';
  const { token, scheme = 'Bearer' } = options ?? {};
  if (typeof token === 'object' && token !== null) {
    if (typeof token.getToken !== 'function')
      throw new ConfigurationError('bearerToken: `token` is no token source.', { option: 'token', strategy: name });
    return fromTokenSource(token, { name, scheme });
  }
  checkSecret(token, { option: 'token', strategy: name });
  const { recover: _, ...strategy } = fromTokenSource(secretSource(token, name), { name, scheme });
  if (typeof token === 'string') checkPatch({ headers: { Authorization: `${scheme} ${token}` } }, name);
  // A function is asked again whatever the challenge says: that costs nobody a token request.
  return Object.freeze(typeof token === 'string' ? strategy : { ...strategy, recover: () => true });
}

/** A secret as a token source. A string is one token for good, a function is asked each time. */
function secretSource(secret: Secret, strategy: string): TokenSource {
  const tokenOf = (accessToken: string): TokenSet => Object.freeze({ accessToken, tokenType: 'Bearer' });
  const fixed = typeof secret === 'string' ? tokenOf(secret) : undefined;
  return {
    getToken() {
      if (fixed) return fixed;
      const value = resolveSecret(secret, { option: 'token', strategy });
      return isPromiseLike(value) ? value.then(tokenOf) : tokenOf(value);
    },
    rejected: () => true,
    invalidate: async () => {},
  };
}
