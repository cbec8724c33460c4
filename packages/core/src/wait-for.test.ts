import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from './wait-for.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const late = new Error('late');
const timeoutError = () => late;

/** Lets promises settle. */
const settle = () => vi.advanceTimersByTimeAsync(0);

/** Counts the abort listeners of a signal. */
function listened() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  return { controller, signal, listeners: () => listeners };
}

describe('waitFor', () => {
  it.each([
    ['no limit', () => ({})],
    ['a signal', () => ({ signal: new AbortController().signal })],
    ['a time limit', () => ({ timeoutMs: 10, timeoutError })],
  ])('settles as the work does, with %s', async (_name, limits) => {
    const broken = new Error('broken');
    await expect(waitFor(Promise.resolve(7), limits())).resolves.toBe(7);
    await expect(waitFor(Promise.reject(broken), limits())).rejects.toBe(broken);
  });

  it('throws the reason of a signal at once, the work going on', async () => {
    const { controller, signal } = listened();
    const reason = { why: 'left' };
    const waiting = waitFor(new Promise(() => {}), { signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('throws the reason of a signal that had aborted before, whatever the work is', async () => {
    const signal = AbortSignal.abort('gone');
    await expect(waitFor(Promise.resolve(7), { signal })).rejects.toBe('gone');
    await expect(waitFor(new Promise(() => {}), { signal, timeoutMs: 10, timeoutError })).rejects.toBe('gone');
  });

  it('ends at the time limit, not before', async () => {
    const outcome = vi.fn();
    waitFor(new Promise(() => {}), { timeoutMs: 100, timeoutError }).catch(outcome);
    await vi.advanceTimersByTimeAsync(99);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome).toHaveBeenCalledExactlyOnceWith(late);
  });

  it('leaves no timer and no listener behind once the work is done', async () => {
    const { signal, listeners } = listened();
    await waitFor(Promise.resolve(7), { signal, timeoutMs: 1_000, timeoutError });
    await expect(waitFor(Promise.reject(late), { signal, timeoutMs: 1_000, timeoutError })).rejects.toBe(late);
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    expect(listeners()).toBe(0);
  });

  it('has nothing unhandled in work that fails after the wait has ended', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const work = Promise.withResolvers<never>();
      await expect(waitFor(work.promise, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
      work.reject(new Error('nobody listens'));
      vi.useRealTimers();
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });

  it.each([2 ** 31, 1e15, Infinity])('does not end at once for a limit of %d ms, which setTimeout cannot count', async (timeoutMs) => {
    const delays: unknown[] = [];
    const set = globalThis.setTimeout;
    vi.stubGlobal('setTimeout', (fire: () => void, ms: number) => {
      delays.push(ms);
      return set(fire, ms);
    });
    try {
      const work = Promise.withResolvers<number>();
      const waiting = waitFor(work.promise, { timeoutMs, timeoutError });
      work.resolve(7);
      await expect(waiting).resolves.toBe(7);
      expect(delays).toEqual([2 ** 31 - 1]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('does not keep a process alive', () => {
    vi.useRealTimers();
    const unref = vi.fn();
    vi.stubGlobal('setTimeout', () => ({ unref }));
    try {
      waitFor(new Promise(() => {}), { timeoutMs: 10, timeoutError });
      expect(unref).toHaveBeenCalledOnce();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
