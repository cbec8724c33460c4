import { ConfigurationError, checkKnownKeys } from '@authseam/core';

/**
 * How a token endpoint answers, where it departs from RFC 6749 §5.1. Paths are member names joined by dots, such as `'data.token'`; a name that
 * itself holds a dot cannot be reached.
 */
export interface TokenResponseOptions {
  /** `'json'` (default), or `'form'`: `application/x-www-form-urlencoded`. */
  readonly format?: 'json' | 'form';
  /** Path of the access token. Default `'access_token'`. */
  readonly accessToken?: string;
  /** Path of the lifetime in seconds. Default `'expires_in'`. */
  readonly expiresIn?: string;
  /** Path of the refresh token. Default `'refresh_token'`. */
  readonly refreshToken?: string;
  /** Path of the granted scope. Default `'scope'`. */
  readonly scope?: string;
  /** Lifetime in seconds of tokens whose answer tells none. Default: from the token's own `exp` if it is a JWT, else 300. */
  readonly lifetimeSeconds?: number;
}

/** @throws {ConfigurationError} for what no answer could be read by. */
export function checkTokenResponse(options: TokenResponseOptions, strategy: string): void {
  checkKnownKeys(options, KEYS, { option: 'tokenResponse', strategy });
  const { format = 'json', lifetimeSeconds = 0, ...paths } = options;
  const problem =
    format !== 'json' && format !== 'form'
      ? "`tokenResponse.format` is 'json' or 'form'"
      : typeof lifetimeSeconds !== 'number' || !(lifetimeSeconds >= 0 && lifetimeSeconds < Infinity)
        ? '`tokenResponse.lifetimeSeconds` is a number of seconds'
        : Object.values(paths).some((path) => typeof path !== 'string' || !/^[^.]+(?:\.[^.]+)*$/.test(path))
          ? "`tokenResponse` takes paths such as 'data.token'"
          : undefined;
  if (problem) throw new ConfigurationError(`${strategy}: ${problem}.`, { option: 'tokenResponse', strategy });
}

const KEYS = ['format', 'accessToken', 'expiresIn', 'refreshToken', 'scope', 'lifetimeSeconds'];
