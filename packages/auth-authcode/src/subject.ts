import { type Awaitable, type TokenSet, waitFor } from '@authseam/core';
import { misuse } from './misuse.ts';

/** Who signed in: your own name for them, or what tells it from their tokens. */
export type SubjectChoice = string | ((tokens: TokenSet) => Awaitable<string>);

/**
 * Any text that is not empty will do: an e-mail address, a number as text, a name in any script. Store keys hold it as JSON, so that no two are alike.
 *
 * @param advice What to know beside that, for the error. Default: nothing.
 * @throws {ConfigurationError} for anything else: `undefined` and `''` are users that nobody looked up, and would share their tokens.
 */
export function checkSubject(subject: unknown, strategy: string, advice = ''): void {
  if (typeof subject === 'string' && subject !== '') return;
  throw misuse('subject', `must be text, your own name for the user, and not empty${advice && `. ${advice}`}`, strategy);
}

/** {@link checkSubject} for options, where leaving it out is one thing, and `undefined` another: a lookup that found nobody. */
export function checkSubjectOption(options: { readonly subject?: unknown }, strategy: string): void {
  if ('subject' in options) checkSubject(options.subject, strategy, 'Left out it is the default subject');
}

/**
 * Whose tokens these are; `undefined`: the default subject's.
 *
 * @throws {ConfigurationError} when a function tells none: after the code was spent. What the function throws. The reason of `signal`.
 */
export async function subjectOf(
  subject: SubjectChoice | undefined,
  tokens: TokenSet,
  strategy: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (typeof subject !== 'function') return subject;
  const owner = await waitFor(subject(tokens), { signal });
  checkSubject(owner, strategy, SPENT);
  return owner;
}

const SPENT =
  'The function given for it told none. The tokens were thrown away, and revoked where the server can; the person has to sign in again';
