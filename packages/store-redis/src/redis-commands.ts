import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@authseam/core';
import type { RedisConnection } from './redis-client.ts';
import { describeReply, isPassing, replyCode } from './redis-reply.ts';
import type { RedisScript } from './redis-script.ts';
import { StoreProblem } from './store-problem.ts';

/** Sends commands while there is time. */
export interface RedisCommands {
  /** @param limitMs For how long it is tried, in milliseconds. @throws {StoreProblem} */
  send(limitMs: number, command: string, ...args: string[]): Promise<unknown>;
  /** Runs a script, which gives a number. @throws {StoreProblem} */
  run(limitMs: number, script: RedisScript, keys: readonly string[], args?: readonly string[]): Promise<number>;
}

/** For how long a command is tried. */
interface Limit {
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

/** Redis does not know the script. */
const NOSCRIPT: unique symbol = Symbol('NOSCRIPT');
/** Between two looks at a connection that is not there, and before a command is sent again the first time, in milliseconds. */
const LOOK_AGAIN_MS = 20;
/** Pauses between two attempts grow up to this, in milliseconds: thousands may be waiting. */
const LONGEST_PAUSE_MS = 160;

/**
 * Commands over a connection that comes and goes. Nothing is given to a client that is not connected: its queue would send it whenever that is, however
 * long ago all have left. What broke off is sent again: whoever calls this sends only what may be carried out twice.
 */
export function redisCommands(connection: RedisConnection): RedisCommands {
  let looking: Promise<void> | undefined;
  /** How many wait for it. */
  let waiting = 0;

  /** Looks for all who wait, until the connection is there or nobody waits any more. */
  async function look(): Promise<void> {
    try {
      do await sleep(LOOK_AGAIN_MS);
      while (waiting > 0 && !connection.isReady());
    } finally {
      looking = undefined;
    }
  }

  async function becomesReady(signal: AbortSignal): Promise<void> {
    waiting += 1;
    looking ??= look();
    await waitFor(looking, { signal }).finally(() => {
      waiting -= 1;
    });
  }

  async function deliver({ signal, limitMs }: Limit, command: string, args: readonly string[]): Promise<unknown> {
    let cause: unknown;
    for (let pauseMs = LOOK_AGAIN_MS; !signal.aborted; ) {
      try {
        if (!connection.isReady()) {
          await becomesReady(signal);
          continue;
        }
        return await waitFor(connection.send(command, args, signal), { signal });
      } catch (error) {
        if (error instanceof StoreProblem) throw error;
        const code = replyCode(error);
        if (code === 'NOSCRIPT') return NOSCRIPT;
        if (code !== undefined && !isPassing(code)) throw new StoreProblem(describeReply(error as Error, code));
        if (signal.aborted) break;
        cause = error;
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
    const problem = connection.isReady() ? 'Redis did not answer' : 'the client had no connection to Redis (its `error` event says why)';
    throw new StoreProblem(`${problem} within ${limitMs} ms`, { cause });
  }

  async function limited<T>(limitMs: number, work: (limit: Limit) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), limitMs).unref();
    return work({ signal: controller.signal, limitMs }).finally(() => clearTimeout(timer));
  }

  return {
    send: (limitMs, command, ...args) => limited(limitMs, (limit) => deliver(limit, command, args)),
    run: (limitMs, { sha1, source }, keys, args = []) =>
      limited(limitMs, async (limit) => {
        const rest = [String(keys.length), ...keys, ...args];
        const reply = await deliver(limit, 'EVALSHA', [sha1, ...rest]);
        // Scripts are forgotten when Redis restarts, and unknown to a replica that has taken over.
        return Number(reply === NOSCRIPT ? await deliver(limit, 'EVAL', [source, ...rest]) : reply);
      }),
  };
}
