/**
 * Starts now.
 *
 * @returns Tells the milliseconds since, by the clock or by the machine's own time, whichever says more: clocks are set back, and machines sleep.
 */
export function stopwatch(now: () => number): () => number {
  const startMs = now();
  const startedAtMs = performance.now();
  return () => Math.max(now() - startMs, performance.now() - startedAtMs);
}
