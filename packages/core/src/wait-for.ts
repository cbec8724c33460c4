import type { Awaitable } from './auth-strategy.ts';

/** What ends a wait early. */
export interface WaitLimits {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; `undefined`: none. */
  readonly timeoutMs?: number | undefined;
  /** The error that `timeoutMs` ends in. */
  readonly timeoutError?: () => Error;
}

/** `setTimeout` fires at once past this many milliseconds. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/**
 * Waits for `work` until the caller's signal aborts (its reason is thrown) or `timeoutMs` runs out. The work itself goes on: others may share it.
 * A rejection that nobody waits for any more is not unhandled. The timer does not keep a process alive.
 *
 * @example
 * ```ts
 * import { waitFor } from '@authseam/core';
 *
 * const answer = await waitFor(Promise.resolve('vault'), { signal: AbortSignal.timeout(1_000) });
 * ```
 */
export function waitFor<T>(work: Awaitable<T>, { signal, timeoutMs, timeoutError }: WaitLimits): Promise<T> {
  const working = Promise.resolve(work);
  if (!signal && timeoutMs === undefined) return working;
  return new Promise<T>((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer as number);
      signal?.removeEventListener('abort', leave);
      settle();
    };
    const leave = (): void => end(() => reject(signal?.reason));
    const timer: unknown =
      timeoutMs === undefined ? undefined : setTimeout(() => end(() => reject(timeoutError?.())), Math.min(timeoutMs, LONGEST_TIMER_MS));
    (timer as { unref?: () => void } | undefined)?.unref?.();
    signal?.addEventListener('abort', leave);
    working.then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
    if (signal?.aborted) leave();
  });
}

/** Resolves after `ms`. Does not keep a process alive. */
export function pauseFor(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer: unknown = setTimeout(resolve, ms);
    (timer as { unref?: () => void }).unref?.();
  });
}
