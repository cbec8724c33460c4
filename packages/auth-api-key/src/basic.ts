// RFC 7617: Basic authentication.
import {
  type AuthPatch,
  type AuthStrategy,
  type Awaitable,
  ConfigurationError,
  checkKnownKeys,
  checkSecret,
  isPromiseLike,
  resolveSecret,
  type Secret,
} from '@authseam/core';

/** Options of {@link basic}. */
export interface BasicOptions {
  /** May not hold a colon (RFC 7617 §2). */
  readonly username: Secret;
  /** May be empty: many services take a key as the user name alone. */
  readonly password: Secret;
}

/**
 * Sends user name and password as HTTP Basic authentication, in UTF-8 (RFC 7617 §2.1). Nothing is tried again after a 401.
 *
 * @throws {ConfigurationError} for a misspelt option, a user name with a colon, line breaks and other control characters; neither value is ever shown.
 * @see RFC 7617 §2
 * @example
 * ```ts
 * import { fromEnv } from '@authseam/core';
 * import { basic } from '@authseam/auth-api-key';
 *
 * export const auth = basic({ username: 'reports', password: fromEnv('REPORTS_PASSWORD') });
 * ```
 */
export function basic(options: BasicOptions): AuthStrategy<never> {
  const strategy = 'basic';
  checkKnownKeys(options, OPTIONS, { strategy });
  const { username, password } = options;
  const usernameUse = { option: 'username', strategy, allowEmpty: true };
  const passwordUse = { option: 'password', strategy, allowEmpty: true };
  checkSecret(username, usernameUse);
  checkSecret(password, passwordUse);

  function patchOf(user: string, secret: string): AuthPatch<never> {
    if (user.includes(':')) {
      throw new ConfigurationError('basic: `username` holds a colon, which would end it early (RFC 7617 §2).', {
        option: 'username',
        strategy,
      });
    }
    const bytes = new TextEncoder().encode(`${user}:${secret}`);
    return { headers: { Authorization: `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}` } };
  }
  function withPassword(user: string): Awaitable<AuthPatch<never>> {
    const secret = resolveSecret(password, passwordUse);
    return isPromiseLike(secret) ? secret.then((late) => patchOf(user, late)) : patchOf(user, secret);
  }
  const fixed = typeof username === 'string' && typeof password === 'string' ? patchOf(username, password) : undefined;

  return Object.freeze({
    name: strategy,
    specVersion: 1,
    sensitive: { headers: ['authorization'] },
    authorize() {
      if (fixed) return fixed;
      const user = resolveSecret(username, usernameUse);
      // One after the other: a password that fails must not leave a user name's rejection unhandled.
      return isPromiseLike(user) ? user.then(withPassword) : withPassword(user);
    },
  } satisfies AuthStrategy<never>);
}

const OPTIONS: readonly string[] = ['username', 'password'] satisfies (keyof BasicOptions)[];
