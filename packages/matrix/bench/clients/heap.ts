import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Bytes of live objects on the heap: collects until nothing more goes away, since weak references and finalizers (fetch has some for each Request)
 * let go in a later turn than the collection that finds them. Needs `--expose-gc`.
 */
export async function liveBytes(): Promise<number> {
  const { gc } = globalThis;
  if (!gc) throw new Error('Memory is measured under `node --expose-gc`.');
  let least = Number.POSITIVE_INFINITY;
  for (let unchanged = 0; unchanged < 5; unchanged += 1) {
    await pause(20);
    gc();
    const { heapUsed } = process.memoryUsage();
    if (heapUsed < least - 1_024) unchanged = 0;
    least = Math.min(least, heapUsed);
  }
  return least;
}
