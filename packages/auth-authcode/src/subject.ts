import { ConfigurationError } from '@authseam/core';

/**
 * Any text that is not empty will do: an e-mail address, a number as text, a name in any script. Store keys hold it as JSON, so that no two are alike.
 *
 * @throws {ConfigurationError} for anything else: `undefined` and `''` are users that nobody looked up, and would share their tokens.
 */
export function checkSubject(subject: unknown, strategy: string): void {
  if (typeof subject === 'string' && subject !== '') return;
  throw new ConfigurationError(`${strategy}: \`subject\` must be text, your own name for the user, and not empty.`, {
    option: 'subject',
    strategy,
  });
}
