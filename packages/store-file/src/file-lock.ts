import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenLock, TokenLockOptions } from '@authseam/core';
import { hasCode } from './has-code.ts';
import { createRegister, readRegister, removeRegister, swapRegister } from './register.ts';
import { StoreProblem } from './store-problem.ts';

// A lock is a register: `free`, or `held.<owner>.<time of the last heartbeat>.<time until which it may be silent>.<time at which it ends>.<process>`. Each
// change is one rename from the word that was read, so of two who find a lock run out one takes it, and a heartbeat or a release that comes too late finds
// nothing to rename. Its times are those of a clock that all processes share and nobody sets: whose clock is ahead would take every lock from its holder.

/** How long, by which clock, and what is left of it. */
interface LockTiming {
  readonly heartbeatMs: number;
  /** The clock of the lock: {@link sinceBootMs}. */
  readonly sinceBootMs: () => number;
  /** Milliseconds since the epoch: in the name of what was damaged, nothing else. */
  readonly now: () => number;
  /** Asked when the lock is released: whether its folder stays, for the next time. */
  readonly isKept: () => Promise<boolean>;
}

const FREE = 'free';
const WORD = /^(?:free|held\.[0-9a-f-]{36}\.(\d+)\.(\d+)\.(\d+)\.(\d+))$/;
/** Heartbeats that may be missed. */
const HEARTBEATS = 4;
/** Pauses between two looks at a lock that is held, in milliseconds: they double. */
const SHORTEST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 64;
/** A timer fires at once past this many milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds since the machine started: on Node one clock for all its processes. (Bun and Deno begin it anew with each process.) */
export function sinceBootMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/**
 * Waits for the lock and takes it.
 *
 * @throws {StoreProblem} after `waitMs`. The reason of the signal when it aborts.
 */
export async function acquireLock(folder: string, options: TokenLockOptions & LockTiming): Promise<TokenLock> {
  const { waitMs, signal } = options;
  const deadlineMs = performance.now() + waitMs;
  for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const lock = await tryLock(folder, options);
    if (signal?.aborted) await lock?.release();
    signal?.throwIfAborted();
    if (lock) return lock;
    const leftMs = deadlineMs - performance.now();
    if (!(leftMs > 0)) throw new StoreProblem(`the lock was not free within ${waitMs} ms`);
    // Spread, so that those who wait do not look all at once.
    await sleep(Math.min(leftMs, pauseMs * (0.5 + Math.random())), undefined, signal && { signal }).catch(() => {});
  }
}

async function tryLock(folder: string, options: TokenLockOptions & LockTiming): Promise<TokenLock | undefined> {
  const { sinceBootMs, ttlMs } = options;
  for (;;) {
    const content = await readRegister(folder, WORD, options.now);
    if (!content) {
      await createRegister(folder, FREE);
      continue;
    }
    if (!isFree(content.word, sinceBootMs())) return undefined;
    const owner = randomUUID();
    const expiresAtMs = sinceBootMs() + ttlMs;
    const word = heldWord(owner, expiresAtMs, options);
    return (await swapRegister(folder, content.word, word)) ? holdLock(folder, owner, word, expiresAtMs, options) : undefined;
  }
}

/** Whether nobody holds the lock: it was released, or ran out. A heartbeat from the future was given before the machine started anew. */
function isFree(word: string, nowMs: number): boolean {
  if (word === FREE) return true;
  const [, beatAtMs, silentUntilMs, endsAtMs, processId] = (WORD.exec(word) ?? []).map(Number) as [number, number, number, number, number];
  if (nowMs >= endsAtMs || beatAtMs - nowMs > silentUntilMs - beatAtMs) return true;
  return nowMs >= silentUntilMs && !isAlive(processId);
}

/**
 * Whether that process runs, or stands still: it goes on some time, and counts on its lock. One that is not found may be in another container, so it is
 * given the time of its heartbeats as well; and a number may have come to another process, which makes the wait longer, never the lock free.
 */
function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function heldWord(owner: string, expiresAtMs: number, { heartbeatMs, sinceBootMs }: LockTiming): string {
  const beatAtMs = Math.floor(sinceBootMs());
  const endsAtMs = Math.floor(expiresAtMs);
  return `held.${owner}.${beatAtMs}.${Math.floor(Math.min(beatAtMs + heartbeatMs * HEARTBEATS, endsAtMs))}.${endsAtMs}.${process.pid}`;
}

/** A lock that was taken, with its heartbeat. Its timer keeps no process alive. */
function holdLock(folder: string, owner: string, taken: string, expiresAtMs: number, timing: LockTiming): TokenLock {
  let word = taken;
  let isHeld = true;
  let beating: Promise<void> = Promise.resolve();
  let released: Promise<void> | undefined;
  const timer = setInterval(
    () => {
      beating = beating.then(beat).catch(() => {}); // the next one may get through
    },
    Math.min(timing.heartbeatMs, LONGEST_TIMER_MS),
  );
  timer.unref();

  async function beat(): Promise<void> {
    if (timing.sinceBootMs() >= expiresAtMs) return clearInterval(timer);
    const next = heldWord(owner, expiresAtMs, timing);
    isHeld = await swapRegister(folder, word, next);
    if (isHeld) word = next;
    else clearInterval(timer);
  }

  return {
    release() {
      released ??= (async () => {
        clearInterval(timer);
        await beating;
        if (!isHeld) return;
        const isGone = !(await timing.isKept()) && (await removeRegister(folder, word));
        if (!isGone) await swapRegister(folder, word, FREE);
      })();
      return released;
    },
  };
}
