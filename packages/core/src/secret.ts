import { ConfigurationError } from './auth-error.ts';
import type { Awaitable } from './auth-strategy.ts';
import { isPromiseLike } from './is-promise-like.ts';

/** A secret, or a function that yields it. A function is asked at each use, so that rotation and vaults need no other API. */
export type Secret = string | (() => Awaitable<string>);

/** What a secret is for: names it in errors, which never show its value. */
export interface SecretUse {
  /** Name of the option. */
  readonly option: string;
  /** `name` of the strategy. */
  readonly strategy: string;
  /** Whether the empty string is legal. Default `false`. */
  readonly allowEmpty?: boolean;
}

/**
 * Checks a secret at construction, as far as it is known then.
 *
 * @throws {ConfigurationError} when it is missing, empty, of another type, or holds CR, LF, NUL or another control character.
 */
export function checkSecret(secret: unknown, use: SecretUse): void {
  if (typeof secret === 'string') checkSecretValue(secret, use);
  else if (typeof secret !== 'function') {
    throw new ConfigurationError(`${use.strategy}: \`${use.option}\` must be a string or a function that returns one.`, use);
  }
}

/**
 * The secret's value now; synchronous when it is a string or its function is.
 *
 * @throws {ConfigurationError} as {@link checkSecret}; what the function itself throws passes through.
 */
export function resolveSecret(secret: Secret, use: SecretUse): Awaitable<string> {
  if (typeof secret === 'string') return secret;
  const value = secret();
  return isPromiseLike(value) ? value.then((resolved) => checkSecretValue(resolved, use)) : checkSecretValue(value, use);
}

function checkSecretValue(value: unknown, use: SecretUse): string {
  const problem =
    typeof value !== 'string'
      ? 'is not a string'
      : value === '' && !use.allowEmpty
        ? 'is empty'
        : CONTROL_CHARACTER.test(value)
          ? 'holds a line break or another control character (a file read with its trailing newline, perhaps: trim it)'
          : undefined;
  if (problem) throw new ConfigurationError(`${use.strategy}: \`${use.option}\` ${problem}.`, use);
  return value as string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;
