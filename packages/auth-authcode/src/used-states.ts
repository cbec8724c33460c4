/** Remembers which callbacks were handled. */
export interface UsedStates {
  /** Marks `state` as used. @returns Whether this was the first time. */
  use(state: string): boolean;
}

/** For how long, in milliseconds: by then the server's code has long run out, which it takes once only in any case. */
const REMEMBERED_MS = 600_000;

/** The states of one strategy object. Across processes the server's single-use code is the guard. */
export function usedStates(now: () => number): UsedStates {
  const usedAtMs = new Map<string, number>();
  return {
    use(state) {
      const nowMs = now();
      for (const [old, atMs] of usedAtMs) {
        if (nowMs - atMs < REMEMBERED_MS) break; // in the order in which they were used
        usedAtMs.delete(old);
      }
      if (usedAtMs.has(state)) return false;
      usedAtMs.set(state, nowMs);
      return true;
    },
  };
}
