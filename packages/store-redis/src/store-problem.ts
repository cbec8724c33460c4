import { isAuthError, redactedCause, TokenStoreError } from '@authseam/core';

/** What is wrong, in words of this package: they hold nothing that was read or written, and reach the caller whole. */
export class StoreProblem extends Error {}

/** The error that callers see. What clients throw has the command with its arguments hung on it: only name, words and code of it are kept. */
export function typedError(error: unknown, operation: TokenStoreError['operation']): Error {
  if (isAuthError(error)) return error;
  const isOurs = error instanceof StoreProblem;
  const cause = redactedCause(isOurs ? error.cause : error);
  const what = isOurs ? error.message : (cause?.message ?? 'the client failed');
  return new TokenStoreError(`redisStore: ${operation} failed: ${what}.`, { operation, cause });
}
