import { setTimeout as sleep } from 'node:timers/promises';
import { atSite, KEY, type StoreName } from './fleet-site.ts';

/** What {@link pauseHolders} found. */
export interface PauseResult {
  readonly refusedWrites: number;
  /** What was not as it should be. */
  readonly problems: readonly string[];
}

/** Milliseconds. */
const LOCK_TTL_MS = 300;

/** Stops processes that hold the lock for longer than it lives, while another one refreshes, and lets them go on: their writes come too late. */
export function pauseHolders(store: StoreName, pauses: number): Promise<PauseResult> {
  return atSite(store, async (site) => {
    const problems: string[] = [];
    let refusedWrites = 0;
    for (let pause = 0; pause < pauses; pause++) {
      // Every other time there is nothing to begin with.
      if (pause % 2 === 0) await site.store.set(KEY, { accessToken: 'first', tokenType: 'Bearer' });
      else await site.store.delete(KEY);
      const holder = site.start(pause, { task: 'hold', name: `${pause}`, lockTtlMs: LOCK_TTL_MS });
      await holder.begun;
      holder.child.kill('SIGSTOP');
      await sleep(LOCK_TTL_MS + 50);
      const lock = await site.store.lock(KEY, { ttlMs: 60_000, waitMs: 5_000 });
      const found = await site.store.get(KEY);
      await site.store.set(KEY, { accessToken: 'second', tokenType: 'Bearer' }, { ifVersion: found?.version ?? null });
      holder.child.kill('SIGCONT');
      holder.finish();
      if ((await holder.result).written === false) refusedWrites += 1;
      if ((await site.store.get(KEY))?.entry.accessToken !== 'second') problems.push('the late write came through');
      const taken = await site.store.lock(KEY, { ttlMs: 1_000, waitMs: 50 }).catch(() => undefined);
      if (taken) problems.push('the late release took the lock of another');
      await taken?.release();
      await lock.release();
    }
    return { refusedWrites, problems: [...problems, ...site.problems()] };
  });
}
