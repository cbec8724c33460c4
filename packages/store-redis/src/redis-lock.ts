import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TokenLockOptions, waitFor } from '@authseam/core';
import { wholeMs } from './entry-value.ts';
import type { RedisCommands } from './redis-commands.ts';
import { ACQUIRE_LOCK, RELEASE_LOCK } from './redis-script.ts';
import { StoreProblem } from './store-problem.ts';

/** Between two attempts, in milliseconds: it grows, and is spread out, so that a fleet does not ask in step. */
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 200;

/** Options of {@link acquireLock}: `commandTimeoutMs` bounds each command. */
export interface RedisLockOptions extends TokenLockOptions {
  readonly commandTimeoutMs: number;
}

/**
 * Takes the lock `key` for `ttlMs`, by Redis's clock. Asks at least once, and last when `waitMs` is over.
 *
 * @returns What gives it back, if it is still its holder's.
 * @throws {StoreProblem} when it was not free in time or Redis failed, or the reason of the signal.
 */
export async function acquireLock(commands: RedisCommands, key: string, options: RedisLockOptions): Promise<() => Promise<unknown>> {
  const { ttlMs, waitMs, signal, commandTimeoutMs } = options;
  const owner = randomUUID();
  const release = (limitMs = commandTimeoutMs) => commands.run(limitMs, RELEASE_LOCK, [key], [owner]);
  const deadlineMs = performance.now() + waitMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    const asking = commands.run(commandTimeoutMs, ACQUIRE_LOCK, [key], [owner, String(wholeMs(ttlMs))]);
    try {
      if ((await waitFor(asking, { signal })) === 1) return () => release();
    } catch (error) {
      // It may be granted for all that, when Redis is back say, with nobody there to use it.
      const giveBack = () => release(ttlMs);
      asking.then(giveBack, giveBack).catch(() => {});
      throw error;
    }
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) throw new StoreProblem(`the lock was not free within ${waitMs} ms`);
    await sleep(Math.min(leftMs, pauseMs * (0.5 + Math.random())), undefined, { ...(signal && { signal }) }).catch(() => {});
  }
}
