import { ConfigurationError } from './auth-error.ts';
import type { AuthPatch, AuthResponse, AuthStrategy, SentAttempt } from './auth-strategy.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { checkKnownKeys } from './check-known-keys.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { isTokenSet, type TokenSet } from './token-set.ts';
import type { TokenSource } from './token-source.ts';

/** Options of {@link fromTokenSource}. */
export interface FromTokenSourceOptions {
  /** `name` of the strategy. */
  readonly name: string;
  /** Word before the token in the Authorization header. Default `'Bearer'` (RFC 6750 §2.1). */
  readonly scheme?: string;
  /** Whether a response other than 401 means that the token was rejected. With it, a 401 counts whatever its challenge says. */
  readonly isRejected?: NonNullable<AuthStrategy<TokenSet>['isRejected']>;
}

/**
 * A strategy that sends the token of `source` in the Authorization header. A 401 makes the source refresh, if the token that was sent is still its
 * current one; a Bearer token's 401 that challenges for another scheme only, `insufficient_scope` (RFC 6750 §3.1) and `insufficient_user_authentication` (RFC 9470 §3) do not:
 * no refresh would help.
 *
 * @throws {ConfigurationError} without a `name`, for a misspelt option, and when `scheme` is no token (RFC 9110 §11.1).
 * @example
 * ```ts
 * import { createTokenManager, fromTokenSource } from '@authseam/core';
 *
 * const source = createTokenManager({ key: 'partner', fetchToken: async () => ({ accessToken: 'example', tokenType: 'Bearer' }) });
 * export const auth = fromTokenSource(source, { name: 'partner' });
 * ```
 */
export function fromTokenSource(source: TokenSource, options: FromTokenSourceOptions): AuthStrategy<TokenSet> {
  checkKnownKeys(options, OPTIONS, { strategy: 'fromTokenSource' });
  const { name, scheme = 'Bearer', isRejected } = options;
  if (typeof name !== 'string' || !name) {
    throw new ConfigurationError('fromTokenSource: give a `name`, for errors and events.', { option: 'name' });
  }
  if (typeof source?.getToken !== 'function')
    throw new ConfigurationError(`${name}: expected a token source.`, { option: 'source', strategy: name });
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(scheme)) {
    throw new ConfigurationError(`${name}: \`scheme\` is the one word before the token, such as 'Bearer'.`, {
      option: 'scheme',
      strategy: name,
    });
  }
  let patch: AuthPatch<TokenSet> = {};

  function patchOf(token: TokenSet): AuthPatch<TokenSet> {
    if (!isTokenSet(token)) {
      const message = `${name}: the token source did not answer with a token set whose \`accessToken\` a header can hold.`;
      throw new ConfigurationError(message, { option: 'source', strategy: name });
    }
    if (token !== patch.receipt) patch = { headers: { Authorization: `${scheme} ${token.accessToken}` }, receipt: token };
    return patch;
  }

  return Object.freeze({
    name,
    specVersion: 1,
    sensitive: { headers: ['authorization'] },
    authorize(_request, context) {
      const token = source.getToken(context);
      if (token === patch.receipt) return patch; // one patch per token, not per request: this is the hot path
      return isPromiseLike(token) ? token.then(patchOf) : patchOf(token);
    },
    recover(response, { receipt }, context) {
      return isRejected || !isBeyondRefresh(response, scheme) ? source.rejected(receipt, context) : false;
    },
    ...(isRejected && { isRejected }),
    ...(source.accepted && {
      observe(response: AuthResponse, { receipt }: SentAttempt<TokenSet>) {
        if (response.status < 400) source.accepted?.(receipt);
      },
    }),
  } satisfies AuthStrategy<TokenSet>);
}

const OPTIONS: readonly string[] = ['name', 'scheme', 'isRejected'] satisfies (keyof FromTokenSourceOptions)[];

/** Whether the challenges of a 401 say that another token of this kind would be rejected as well. No challenge says nothing. */
function isBeyondRefresh(response: AuthResponse, scheme: string): boolean {
  const challenges = parseChallenges(response.headers.get('www-authenticate'));
  if (challenges.length === 0) return false;
  const isOurs = (challenge: Challenge): boolean => ['bearer', scheme.toLowerCase()].includes(challenge.scheme.toLowerCase());
  const ours = challenges.filter(isOurs);
  // A server with a scheme word of its own may put any other in its challenge (Django REST framework names its first authenticator).
  if (ours.length === 0) return scheme.toLowerCase() === 'bearer';
  return ours.every(({ parameters }) => /^insufficient_(?:scope|user_authentication)$/.test(parameters['error'] ?? ''));
}
