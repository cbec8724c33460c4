import { AuthError, waitFor } from '@authseam/core';

/** What ends a wait for the authorization server. */
export interface TimeLimit {
  /** The caller's: its reason is thrown. */
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly strategy: string;
  /** What follows from a timeout, for its message. Default: nothing. */
  readonly advice?: string;
  /** What is thrown then. Default: that the authorization server did not answer. */
  readonly timeoutError?: () => AuthError;
}

/**
 * `work`, aborted and no longer waited for when the time is up or the caller leaves.
 *
 * @throws {AuthError} with code `TOKEN_REQUEST_TIMEOUT`, or what `timeoutError` answers.
 */
export async function withinTime<T>(
  { signal, timeoutMs, strategy, advice = '', timeoutError = () => noAnswer(timeoutMs, strategy, advice) }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const end = (): AuthError => {
    const error = timeoutError();
    controller.abort(error);
    return error;
  };
  const limited = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
  return waitFor(work(limited), { signal, timeoutMs, timeoutError: end });
}

function noAnswer(timeoutMs: number, strategy: string, advice: string): AuthError {
  const message = `${strategy}: the authorization server did not answer within ${timeoutMs / 1000} s. ${advice}`;
  return new AuthError(message, { code: 'TOKEN_REQUEST_TIMEOUT', strategy });
}
