import { type Awaitable, isPromiseLike } from '@authseam/core';

/** Goes on with `value`: at once where it is at hand, so that signing stays synchronous where it can be. */
export function whenReady<T, R>(value: Awaitable<T>, next: (ready: T) => Awaitable<R>): Awaitable<R> {
  return isPromiseLike(value) ? value.then(next) : next(value);
}
