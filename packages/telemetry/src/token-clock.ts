import type { TokenAdoptedEvent, TokenFetchedEvent } from '@authseam/core';
import type { Instruments } from './instruments.ts';
import type { MetricAttributes, ObservationResult } from './meter.ts';

/** Watches the tokens that strategies hold: how old, and how long they last. */
export interface TokenClock {
  /** From now on this is the token of that strategy. */
  set(event: TokenFetchedEvent | TokenAdoptedEvent, attributes: MetricAttributes): void;
  /** Takes the gauges off the meter. */
  stop(): void;
}

interface Held {
  readonly attributes: MetricAttributes;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** Observes both gauges. Holds two times per name of a strategy, and nothing per client. */
export function tokenClock({ age, expiresIn }: Pick<Instruments, 'age' | 'expiresIn'>, now: () => number): TokenClock {
  const tokens = new Map<string, Held>();

  function observeAge(result: ObservationResult): void {
    for (const { attributes, sinceMs } of tokens.values()) observeSeconds(result, now() - (sinceMs ?? NaN), attributes);
  }

  function observeExpiry(result: ObservationResult): void {
    for (const { attributes, untilMs } of tokens.values()) observeSeconds(result, (untilMs ?? NaN) - now(), attributes);
  }

  age.addCallback(observeAge);
  expiresIn.addCallback(observeExpiry);
  return Object.freeze({
    set({ strategy, receivedAtMs, expiresAtMs }: TokenFetchedEvent | TokenAdoptedEvent, attributes: MetricAttributes) {
      tokens.set(strategy, { attributes, sinceMs: receivedAtMs, untilMs: expiresAtMs });
    },
    stop() {
      age.removeCallback(observeAge);
      expiresIn.removeCallback(observeExpiry);
    },
  });
}

/** A time that nobody knows, or that never comes, is not observed. */
function observeSeconds(result: ObservationResult, ms: number, attributes: MetricAttributes): void {
  if (Number.isFinite(ms)) result.observe(ms / 1000, attributes);
}
