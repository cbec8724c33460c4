import { ConfigurationError } from '@authseam/core';

/** The error of an option, or an argument, that does not fit. @param problem Its sentence goes on after the name, without a full stop. */
export function misuse(option: string, problem: string, strategy: string): ConfigurationError {
  return new ConfigurationError(`${strategy}: \`${option}\` ${problem}.`, { option, strategy });
}
