import { putOut, type WebLocks } from './web-locks.ts';

/** How often one who waits looks whether the holder still moves. Milliseconds. */
const CHECK_MS = 500;
/** A page that was given a lock and did nothing with it for so long stands still. Milliseconds. */
const STANDSTILL_MS = 10_000;

/** How long to wait for a lock. */
export interface Patience {
  /** Milliseconds; 0: only if it is free. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does `work` while no other page does any under that name. A holder that is frozen, or otherwise stands still, is put out: its timers do not run, so
 * it would never let go by itself.
 *
 * @throws What the lock manager throws: the reason of `signal`, or a `TimeoutError`.
 */
export async function exclusively(
  locks: WebLocks,
  name: string,
  { waitMs, signal }: Patience,
  work: () => void | Promise<void>,
): Promise<void> {
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(waitMs);
  const limits = waitMs > 0 ? { signal: signal ? AbortSignal.any([signal, timeout]) : timeout } : { ifAvailable: true };
  const watch = setInterval(standstillWatch(locks, name), CHECK_MS);
  try {
    await locks.request(name, limits, (lock) => {
      clearInterval(watch);
      if (!lock) throw new Error('The lock is held.');
      return work();
    });
  } finally {
    clearInterval(watch);
  }
}

/** A lock that says until when its holder may hold the one of `name`. */
export function expiryName(name: string, untilMs: number): string {
  return `${untilMs} until ${name}`;
}

/** Looks at the holder, and puts it out when its time is over, or when it has none and is the same for too long. One page at a time does. */
function standstillWatch(locks: WebLocks, name: string): () => void {
  let seen: { readonly holder: string | undefined; readonly sinceMs: number } | undefined;

  async function check(guard: unknown): Promise<void> {
    if (!guard) return;
    const { held = [] } = await locks.query();
    const holder = held.find((lock) => lock.name === name)?.clientId;
    const expiries = held.flatMap((lock) => {
      const untilMs = Number.parseInt(lock.name ?? '', 10);
      return lock.clientId === holder && lock.name === expiryName(name, untilMs) ? [untilMs] : [];
    });
    const nowMs = Date.now();
    if (!seen || seen.holder !== holder || expiries.length > 0) seen = { holder, sinceMs: nowMs };
    const isOver = expiries.length > 0 ? expiries.every((untilMs) => untilMs < nowMs) : nowMs - seen.sinceMs > STANDSTILL_MS;
    if (holder !== undefined && isOver) await putOut(locks, name);
  }

  // A check that fails is made again.
  return () => void locks.request(`authseam check ${name}`, { ifAvailable: true }, check).catch(() => {});
}
