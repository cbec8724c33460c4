import { expect } from 'vitest';

/** What `read` answers before long, on a machine that is busy too. Timers that a clock has taken do not hold it up. */
export function soon<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: 10_000 });
}
