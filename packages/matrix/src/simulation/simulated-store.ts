import type { TokenLock, TokenLockOptions, TokenSet, TokenStore, TokenStoreError } from '@authseam/core';
import { type Life, pause, type World } from './world.ts';

type Operation = TokenStoreError['operation'];

/** One entry that several processes share, over a network that delays, and loses, questions and answers. */
export interface SimulatedStore {
  readonly entry: TokenSet | undefined;
  /** Who has the lock. */
  readonly lockedBy: string | undefined;
  /** The store as one process sees it. */
  openedBy(life: Life): Required<TokenStore>;
}

export function simulatedStore(world: World): SimulatedStore {
  const { now, random, story } = world;
  let stored: { readonly entry: TokenSet; readonly version: string } | undefined;
  let locked: { readonly by: Life; readonly untilMs: number } | undefined;
  let writes = 0;

  const isHeld = (): boolean => locked !== undefined && now() < locked.untilMs;

  function get(): typeof stored {
    return stored;
  }

  function set(entry: TokenSet, ifVersion: string | null | undefined): string | false {
    if (ifVersion !== undefined && ifVersion !== (stored?.version ?? null)) return false;
    writes += 1;
    stored = { entry: structuredClone(entry), version: `v${writes}` };
    return stored.version;
  }

  function remove(ifVersion: string | undefined): boolean {
    if (!stored || (ifVersion !== undefined && ifVersion !== stored.version)) return false;
    stored = undefined;
    return true;
  }

  async function lock(life: Life, { ttlMs, waitMs, signal }: TokenLockOptions): Promise<TokenLock> {
    const untilMs = now() + waitMs;
    while (now() < untilMs && !signal?.aborted) {
      const mine = { by: life, untilMs: now() + ttlMs };
      const take = (): boolean => {
        if (isHeld() && !world.faults.isLockShared) return false;
        mine.untilMs = now() + ttlMs;
        locked = mine;
        return true;
      };
      const free = (): void => {
        if (locked === mine) locked = undefined;
      };
      if (await operate(world, life, 'lock', take)) return { release: () => operate(world, life, 'release', free) };
      await pause(life, 20 + random() * 100);
    }
    throw new Error('The lock was not free.');
  }

  return {
    get entry() {
      return stored?.entry;
    },
    get lockedBy() {
      return isHeld() ? locked?.by.name : undefined;
    },
    openedBy: (life) => ({
      get: () => operate(world, life, 'get', get),
      set: (_, entry, { ifVersion } = {}) => {
        story.tell(life.name, `  writes ${entry.accessToken}${ifVersion === undefined ? '' : ` over ${ifVersion}`}`);
        return operate(world, life, 'set', () => set(entry, ifVersion));
      },
      delete: (_, { ifVersion } = {}) => operate(world, life, 'delete', () => remove(ifVersion)),
      lock: (_, options) => lock(life, options),
    }),
  };
}

/** The way there, the work, the way back. */
async function operate<T>(world: World, life: Life, operation: Operation, work: () => T): Promise<T> {
  const { faults, random, story } = world;
  const tell = (what: string): void => story.tell(life.name, `  ${operation}${what}`);
  const failing = (share = 0): void => {
    if (random() >= share) return;
    tell(' fails');
    throw new Error(`${operation}: connection lost`);
  };
  const ms = random() < (faults.slow ?? 0) ? 2_500 + random() * 6_000 : random() * faults.longestOperationMs;
  const there = random();
  await pause(life, ms * there);
  failing(faults.before?.[operation]);
  const result = work();
  tell(`: ${shown(result)}`);
  await pause(life, ms * (1 - there));
  failing(faults.after?.[operation]);
  return result;
}

function shown(result: unknown): string {
  const { entry, version } = (result ?? {}) as { readonly entry?: TokenSet; readonly version?: string };
  return entry ? `${entry.accessToken} (${version})` : String(result ?? 'done, nothing there');
}
