import type { AuthEvent } from './auth-event.ts';

/** A callback of the user's as nothing that can fail. */
export function withoutErrors<T>(callback: (value: T) => void): (value: T) => void {
  return (value) => {
    try {
      callback(value);
    } catch (error) {
      report(error);
    }
  };
}

/** Who only looks on cannot break what it looks at: what it throws is reported, and nothing else. */
export function report(error: unknown): void {
  const { reportError, process } = globalThis as {
    reportError?: (error: unknown) => void;
    process?: { emitWarning?: (warning: string | Error) => void };
  };
  if (reportError) reportError(error);
  else process?.emitWarning?.(error instanceof Error ? error : String(error));
}

/** What tells the observer of one call, where it has one. */
export function emitterOf(call: { emit?(event: AuthEvent): void } | undefined): (event: AuthEvent) => void {
  return call?.emit ? withoutErrors((event) => call.emit?.(event)) : () => {};
}
