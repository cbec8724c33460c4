// RFC 6750 §2.1: the Authorization request header field.
import {
  type AuthStrategy,
  ConfigurationError,
  checkKnownKeys,
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
  /** The token without its scheme; a function that yields it, asked for every request and once more after a 401; or a token source. */
  readonly token: Secret | TokenSource;
  /** Word before the token. Default `'Bearer'`; any other that a server wants, such as `'Token'`. */
  readonly scheme?: string;
}

/**
 * Sends a token that comes from elsewhere in the Authorization header. After a 401 a function is asked again and the request sent once more; a string
 * cannot change, so the 401 is the answer; a token source refreshes as it promises.
 *
 * @throws {ConfigurationError} for a misspelt option, a token that is empty, begins with the scheme or holds what no header can, a scheme that is not one
 * word; the token is never shown. For what a function answers it is thrown when a request is sent.
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
  checkKnownKeys(options, OPTIONS, { strategy: name });
  const { token, scheme = 'Bearer' } = options;
  if (typeof token === 'object' && token !== null) {
    if (typeof token.getToken !== 'function') {
      const problem = isPromiseLike(token) ? 'a promise: pass a function that returns it, or await it' : 'no token source';
      throw new ConfigurationError(`bearerToken: \`token\` is ${problem}.`, { option: 'token', strategy: name });
    }
    return fromTokenSource(token, { name, scheme });
  }
  checkSecret(token, { option: 'token', strategy: name });
  const source = secretSource(token, name, scheme);
  const { recover: _, ...strategy } = fromTokenSource(source, { name, scheme });
  if (typeof token === 'string') source.getToken(); // fails now, or never
  // A function is asked again whatever the challenge says: that costs nobody a token request.
  return Object.freeze(typeof token === 'string' ? strategy : { ...strategy, recover: () => true });
}

const OPTIONS: readonly string[] = ['token', 'scheme'] satisfies (keyof BearerTokenOptions)[];

/** A secret as a token source. A string is one token for good, a function is asked each time; what it answers is checked when it changes. */
function secretSource(secret: Secret, strategy: string, scheme: string): TokenSource {
  const use = { option: 'token', strategy };
  let last: TokenSet | undefined;
  const tokenOf = (accessToken: string): TokenSet => {
    if (accessToken === last?.accessToken) return last;
    if (accessToken.toLowerCase().startsWith(`${scheme} `.toLowerCase())) {
      throw new ConfigurationError(`${strategy}: leave out \`${scheme}\` in \`token\`, it is added.`, use);
    }
    checkPatch({ headers: { Authorization: `${scheme} ${accessToken}` } }, strategy, 'token');
    last = Object.freeze({ accessToken, tokenType: 'Bearer' });
    return last;
  };
  return {
    getToken() {
      const value = resolveSecret(secret, use);
      return isPromiseLike(value) ? value.then(tokenOf) : tokenOf(value);
    },
    rejected: () => true,
    invalidate: async () => {},
  };
}
