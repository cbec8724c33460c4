import { promisify } from 'node:util';

/** Options of {@link virtualClock}. */
export interface VirtualClockOptions {
  /** What it shows at first, in milliseconds since the epoch. Default: the machine's time. */
  readonly startMs?: number;
}

/** A clock that stands still until a test moves it. */
export interface VirtualClock {
  /** Milliseconds since the epoch. Needs no `this`: it is what strategies, stores and servers take as `now`. */
  readonly now: () => number;
  /**
   * Time passes. Timers of {@link VirtualClock.takeTimers} that come due fire in their order, each at its own time, and what they lead to goes on before
   * the next one; what waits for a socket may need longer than this call.
   *
   * @param ms Milliseconds, 0 or more.
   */
  advance(ms: number): Promise<void>;
  /**
   * The clock is set, forwards or, with a negative number, back: no time passes and no timer fires. So wakes a machine that slept, and so does a
   * clock that was wrong.
   *
   * @param ms Milliseconds.
   */
  jump(ms: number): void;
  /**
   * From now on the global `setTimeout` and `clearTimeout` go by this clock, until the handle is disposed of: a timer that is left then never fires.
   * So does `util.promisify(setTimeout)`, where it is made after this call.
   * `setInterval`, `AbortSignal.timeout` and `node:timers/promises` go on in real time, the servers of this package too.
   *
   * @throws {Error} when the timers are taken already, by this clock or another.
   */
  takeTimers(): Disposable;
}

/**
 * A clock for tests that move it, so that none of them sleeps.
 *
 * @example
 * ```ts
 * import { huvrServer, virtualClock } from '@authseam/testing';
 *
 * const clock = virtualClock({ startMs: 0 });
 * await using server = await huvrServer({ lifetimeSeconds: 60, now: clock.now });
 * await clock.advance(60_000); // every token of the server has run out
 * clock.jump(-300_000); // its clock was five minutes fast, and is set right
 * using timers = clock.takeTimers();
 * const slow = new Promise((resolve) => setTimeout(resolve, 10_000));
 * await Promise.all([slow, clock.advance(10_000)]);
 * ```
 */
export function virtualClock({ startMs = Date.now() }: VirtualClockOptions = {}): VirtualClock {
  const timers = new Set<Timer>();
  let passedMs = 0;
  let setByMs = 0;

  function start(callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): Timer {
    if (typeof callback !== 'function') throw new TypeError('The callback of a timer must be a function.');
    // As the real ones do: nothing fires in less than a millisecond, and what is too long for a timer fires at once.
    const lengthMs = delayMs >= 1 && delayMs < 2 ** 31 ? Math.trunc(delayMs) : 1;
    const id = ++lastId;
    const timer: Timer = {
      id,
      dueMs: passedMs + lengthMs,
      fire: () => callback(...args),
      ref: () => timer,
      unref: () => timer,
      hasRef: () => true,
      refresh() {
        timer.dueMs = passedMs + lengthMs;
        timers.add(timer);
        return timer;
      },
      close: () => stop(timer),
      [Symbol.dispose]: () => stop(timer),
      [Symbol.toPrimitive]: () => id,
    };
    return timer.refresh();
  }

  function stop(timer: Timer): void {
    timers.delete(timer);
  }

  return Object.freeze({
    now: () => startMs + passedMs + setByMs,
    async advance(ms: number) {
      if (!(ms >= 0)) throw new RangeError('Time does not run backwards: `jump` sets a clock back.');
      const untilMs = passedMs + ms;
      for (;;) {
        await othersGoOn();
        const next = [...timers].reduce<Timer | undefined>(
          (first, timer) => (first && first.dueMs <= timer.dueMs ? first : timer),
          undefined,
        );
        if (!next || next.dueMs > untilMs) break;
        passedMs = Math.max(passedMs, next.dueMs);
        stop(next);
        next.fire();
      }
      passedMs = Math.max(passedMs, untilMs);
    },
    jump(ms: number) {
      setByMs += ms;
    },
    takeTimers: () => takeTimers(timers, start, stop),
  });
}

/** What `setTimeout` returns while a clock has the timers: as much of Node's `Timeout` as anybody calls. */
interface Timer extends Disposable {
  readonly id: number;
  dueMs: number;
  fire(): void;
  ref(): Timer;
  unref(): Timer;
  hasRef(): boolean;
  refresh(): Timer;
  close(): void;
  /** By which it can be cleared. */
  [Symbol.toPrimitive](): number;
}

type Start = (callback: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]) => Timer;

function takeTimers(timers: Set<Timer>, start: Start, stop: (timer: Timer) => void): Disposable {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  if (taken.has(set)) throw new Error('The timers are taken: dispose of the handle of the `takeTimers` before.');
  // A timer that was started before is a real one.
  const clearEither = (timer: unknown): void => {
    const isId = typeof timer === 'number' || typeof timer === 'string';
    const found = isId ? [...timers].find(({ id }) => id === Number(timer)) : (timer as Timer);
    if (found && timers.has(found)) stop(found);
    else clear(timer as number);
  };
  taken.add(start);
  Object.assign(start, { [promisify.custom]: sleepBy(start) });
  Object.assign(globalThis, { setTimeout: start, clearTimeout: clearEither });
  return {
    [Symbol.dispose]() {
      if (globalThis.setTimeout !== (start as unknown)) return;
      Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
      timers.clear();
    },
  };
}

/** Every `setTimeout` that is a clock's. */
const taken = new WeakSet<object>();
/** Far from the ids of real timers. */
let lastId = 2 ** 32;

/** What `util.promisify(setTimeout)` is: the value comes last, not the callback. */
function sleepBy(start: Start): <T>(delayMs?: number, value?: T, options?: { readonly signal?: AbortSignal }) => Promise<T> {
  return (delayMs, value, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        timer?.close();
        reject(Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), { name: 'AbortError', code: 'ABORT_ERR' }));
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve(value as never);
      };
      const timer = signal?.aborted ? undefined : start(wake, delayMs);
      if (timer) signal?.addEventListener('abort', leave, { once: true });
      else leave();
    });
}

/** Promises settle, and what sockets have by now is read. */
function othersGoOn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
