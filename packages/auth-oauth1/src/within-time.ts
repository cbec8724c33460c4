/** What ends a piece of work early. */
export interface TimeLimits {
  readonly timeoutMs: number;
  readonly timeoutError: () => Error;
  /** The caller's own. Its reason is thrown. */
  readonly signal: AbortSignal | undefined;
}

/** `work`, until time runs out or the caller leaves: then its signal aborts, and work that ignores that holds nobody. */
export function withinTime<T>(work: (signal: AbortSignal) => Promise<T>, { timeoutMs, timeoutError, signal }: TimeLimits): Promise<T> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
      settle();
    };
    const stop = (reason: unknown): void => {
      end(() => reject(reason));
      controller.abort(reason);
    };
    const leave = (): void => stop(signal?.reason);
    const timer = setTimeout(() => stop(timeoutError()), timeoutMs);
    signal?.addEventListener('abort', leave);
    if (signal?.aborted) return leave();
    work(controller.signal).then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
  });
}
