import { AuthError, type Awaitable, ConfigurationError, isAuthError, redactedCause, type SecretUse } from '@authseam/core';

/**
 * What `read` yields, a function that was given as an option. What it throws names that option: it is no failure of the token endpoint, and nothing to
 * try again.
 *
 * @throws {AuthError} with code `STRATEGY_FAILED` and a redacted `cause`. An `AuthError` passes through, with the strategy filled in.
 */
export async function ownFunction<T>(read: () => Awaitable<T>, { option, strategy }: SecretUse): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isAuthError(error, 'CONFIGURATION_ERROR') && error.strategy === undefined)
      throw new ConfigurationError(`${strategy}: ${error.message}`, { option, strategy });
    if (isAuthError(error)) throw error;
    const message = `${strategy}: the function given as \`${option}\` failed.`;
    throw new AuthError(message, { code: 'STRATEGY_FAILED', strategy, cause: redactedCause(error) });
  }
}
