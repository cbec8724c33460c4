import { holdShared, putOut, type WebLocks } from './web-locks.ts';

/** For how long a write is announced: far longer than any browser takes to carry it to its other processes. Milliseconds. */
const ANNOUNCED_MS = 3_000;
/** For how long an announced write is waited for. Milliseconds. */
const ARRIVAL_MS = 1_000;
const LOOK_AGAIN_MS = 5;

/** What stands for no entry at all. */
export const NOTHING = 'nothing';

/** Writes that pages have announced under one `id`. */
interface Announced {
  readonly names: readonly string[];
  readonly order: number;
  /** Of the last one; `undefined` where there is none. */
  readonly version: string | undefined;
}

/**
 * Waits until the last write under `id` has arrived in this page. Browsers hold localStorage in every process and carry changes over at their leisure:
 * a lock can arrive before what its last holder wrote (Chromium 156: with 4 tabs that count under a lock a quarter of the counts were lost). The lock
 * manager is one for all, so a writer announces its version there, as the name of a lock.
 *
 * Call it under a lock that all writers take.
 */
export async function lastWriteArrived(locks: WebLocks, id: string, version: () => string): Promise<void> {
  const last = await announced(locks, id);
  const untilMs = Date.now() + ARRIVAL_MS;
  while (last.version !== undefined && last.version !== version() && Date.now() < untilMs) await pause(LOOK_AGAIN_MS);
}

/** Announces that `version` was written under `id`, in place of what was announced before. */
export async function announceWrite(locks: WebLocks, id: string, version: string): Promise<void> {
  const before = await announced(locks, id);
  await holdShared(locks, `authseam write ${before.order + 1} ${version} ${id}`, pause(ANNOUNCED_MS));
  for (const name of before.names) putOut(locks, name).catch(() => {}); // the higher order counts, it only saves the others a comparison
}

async function announced(locks: WebLocks, id: string): Promise<Announced> {
  const { held = [] } = await locks.query();
  let last: Announced = { names: [], order: 0, version: undefined };
  for (const { name = '' } of held) {
    const [, order = '', version, of] = /^authseam write (\d+) (\S+) (.*)$/s.exec(name) ?? [];
    if (of !== id) continue;
    const isLater = Number(order) > last.order;
    last = {
      names: [...last.names, name],
      ...(isLater ? { order: Number(order), version } : { order: last.order, version: last.version }),
    };
  }
  return last;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms) as unknown as { unref?: () => void };
    timer.unref?.();
  });
}
