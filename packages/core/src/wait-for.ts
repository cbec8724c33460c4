import { AuthError } from './auth-error.ts';

/** What ends a wait early. */
export interface WaitLimits {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; `undefined`: none. */
  readonly timeoutMs?: number | undefined;
  /** The error that `timeoutMs` ends in. */
  readonly timeoutError?: () => Error;
}

/**
 * Waits for `work` until the caller's signal aborts (its reason is thrown) or `timeoutMs` runs out. The work itself goes on: others may share it.
 * A rejection that nobody waits for any more is not unhandled.
 */
export function waitFor<T>(work: PromiseLike<T>, { signal, timeoutMs, timeoutError }: WaitLimits): Promise<T> {
  if (!signal && timeoutMs === undefined) return Promise.resolve(work);
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const timer = timeoutMs === undefined ? undefined : startTimer(timeoutMs, () => settle(() => reject(timeoutError?.())));
    const settle = (finish: () => void): void => {
      timer?.stop();
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    work.then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The error of `timeoutMs`: the caller's own wait ended, a refresh that it waited for goes on. */
export function authTimeout(strategy: string, timeoutMs: number): AuthError {
  return new AuthError(`${strategy}: no credentials within ${timeoutMs} ms (\`timeoutMs\`). What was under way goes on for later calls.`, {
    code: 'AUTH_TIMEOUT',
    strategy,
  });
}

/** `setTimeout` fires at once past this many milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A timer that does not keep a process alive, and never fires early for being long. */
export function startTimer(ms: number, fire: () => void): { stop(): void } {
  const timer: unknown = setTimeout(fire, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
  (timer as { unref?: () => void }).unref?.();
  return { stop: () => clearTimeout(timer as number) };
}
