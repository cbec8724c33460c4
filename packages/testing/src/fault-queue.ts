import type { DelayFault, Fault } from './fault.ts';
import type { ReceivedRequest } from './received-request.ts';

/** What goes wrong for one request: how long its answer is held back, and at most one thing besides. */
export interface FaultPlan {
  readonly delayMs: number;
  readonly fault?: Exclude<Fault, DelayFault>;
}

/** The faults that a server has yet to commit. */
export interface FaultQueue {
  /** How many finite faults have not happened yet; `times: Infinity` counts for nothing. */
  readonly pending: number;
  add(faults: readonly Fault[]): void;
  clear(): void;
  /** Finds the faults of one request and uses each of them up by one. */
  take(request: ReceivedRequest): FaultPlan;
}

/** An empty {@link FaultQueue}. */
export function faultQueue(): FaultQueue {
  let entries: { readonly fault: Fault; left: number }[] = [];

  return Object.freeze({
    get pending() {
      return entries.reduce((sum, { left }) => sum + (Number.isFinite(left) ? left : 0), 0);
    },
    add(faults: readonly Fault[]) {
      entries.push(...faults.map((fault) => ({ fault, left: fault.times ?? 1 })));
    },
    clear() {
      entries = [];
    },
    take(request: ReceivedRequest) {
      let delayMs = 0;
      for (const entry of entries) {
        const { fault } = entry;
        if (entry.left <= 0 || !appliesTo(fault, request)) continue;
        entry.left -= 1;
        delayMs += typeof fault.delayMs === 'function' ? fault.delayMs(request) : (fault.delayMs ?? 0);
        if (!isOnlyDelay(fault)) return { delayMs, fault };
      }
      return { delayMs };
    },
  });
}

function appliesTo({ at, when }: Fault, request: ReceivedRequest): boolean {
  const isHere = at === undefined || at === (at.startsWith('/') ? request.path : request.route);
  return isHere && (when === undefined || when(request));
}

function isOnlyDelay(fault: Fault): fault is DelayFault {
  const { status, transform, reset, stall, gzipBomb, hugeBody } = fault;
  return [status, transform, reset, stall, gzipBomb, hugeBody].every((action) => action === undefined);
}
