import type { Awaitable } from './auth-strategy.ts';

/** Whether `value` has to be waited for. What does not is answered synchronously. */
export function isPromiseLike<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
