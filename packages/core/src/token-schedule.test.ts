// RELIABILITY.md, "Refreshing" and faults 14, 15, 17.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenSchedule } from './token-schedule.ts';

const T0 = Date.UTC(2026, 0, 1);
const S = 1_000;

/** Milliseconds before the expiry at which things happen, for a token that lives `lifetimeMs`. */
function before(lifetimeMs: number, random: number) {
  const set = { accessToken: 'a', tokenType: 'Bearer', receivedAtMs: T0, expiresAtMs: T0 + lifetimeMs };
  const { refreshAtMs, blockAtMs, expiresAtMs } = tokenSchedule(set, T0 + 7, () => random);
  return { refreshMs: expiresAtMs - refreshAtMs, blockMs: expiresAtMs - blockAtMs, lifetimeMs: expiresAtMs - T0 };
}

describe('tokenSchedule', () => {
  it.each([
    // lifetime, min(5 min, 20 %), min(10 s, 10 %)
    [5 * S, 1 * S, 0.5 * S],
    [60 * S, 12 * S, 6 * S],
    [100 * S, 20 * S, 10 * S],
    [300 * S, 60 * S, 10 * S],
    [1_500 * S, 300 * S, 10 * S],
    [3_600 * S, 300 * S, 10 * S],
    [86_400 * S, 300 * S, 10 * S],
  ])('refreshes a token of %i ms early by %i ms, and blocks in the last %i ms', (lifetimeMs, refreshMs, blockMs) => {
    expect(before(lifetimeMs, 0.5)).toEqual({ refreshMs, blockMs, lifetimeMs });
  });

  it.each([
    [0, 270 * S],
    [0.25, 285 * S],
    [0.75, 315 * S],
    [1, 330 * S],
  ])('spreads the early refresh by 10 %% either way: %d gives %i ms', (random, refreshMs) => {
    expect(before(3_600 * S, random).refreshMs).toBeCloseTo(refreshMs, 2);
    expect(before(3_600 * S, random).blockMs).toBe(10 * S);
  });

  it('lets a token without expiry serve for good', () => {
    expect(tokenSchedule({ accessToken: 'a', tokenType: 'Bearer' }, T0, () => 0.5)).toEqual({
      refreshAtMs: Infinity,
      blockAtMs: Infinity,
      expiresAtMs: Infinity,
    });
  });

  it('counts from now where the time of receipt is missing', () => {
    const set = { accessToken: 'a', tokenType: 'Bearer', expiresAtMs: T0 + 100 * S };
    expect(tokenSchedule(set, T0, () => 0.5)).toEqual({ refreshAtMs: T0 + 80 * S, blockAtMs: T0 + 90 * S, expiresAtMs: T0 + 100 * S });
  });

  it.each([
    ['no lifetime: good for one use', 0],
    ['a lifetime below nothing', -60 * S],
    ['an expiry before the epoch', -1e15],
  ])('blocks at once for %s', (_name, lifetimeMs) => {
    const set = { accessToken: 'a', tokenType: 'Bearer', receivedAtMs: T0, expiresAtMs: T0 + lifetimeMs };
    expect(tokenSchedule(set, T0 + 7, () => 0.5)).toEqual({ refreshAtMs: T0, blockAtMs: T0, expiresAtMs: T0 });
  });

  it.each([2 ** 31 * S, 1e300, Infinity, Number.MAX_VALUE])('clamps a lifetime of %d ms to something it can count with', (lifetimeMs) => {
    const { refreshMs, blockMs, lifetimeMs: clamped } = before(lifetimeMs, 0.5);
    expect([refreshMs, blockMs]).toEqual([300 * S, 10 * S]);
    expect(clamped).toBeGreaterThan(365 * 86_400 * S);
    expect(Number.isSafeInteger(T0 + clamped)).toBe(true);
  });

  it('refreshes before it blocks and blocks before the token expires, for every lifetime', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), fc.double({ min: 0, max: 1, noNaN: true }), (lifetimeMs, random) => {
        const { refreshMs, blockMs } = before(lifetimeMs, random);
        expect(refreshMs).toBeGreaterThanOrEqual(blockMs);
        expect(blockMs).toBeGreaterThanOrEqual(0);
        expect(refreshMs).toBeLessThanOrEqual(lifetimeMs * 0.22 + 0.01);
      }),
    );
  });
});
