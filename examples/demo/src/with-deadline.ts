import { setTimeout } from 'node:timers/promises';

/** What `work` yields, or an error where it takes longer than `deadlineMs`: a server that falls silent must not hold up the rest. */
export async function withDeadline<T>(work: () => Promise<T>, deadlineMs = 30_000): Promise<T> {
  const timer = new AbortController();
  const late = setTimeout(deadlineMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${deadlineMs / 1000} seconds`);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    timer.abort();
  }
}
