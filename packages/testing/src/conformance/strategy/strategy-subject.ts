import type { AuthStrategy, Awaitable } from '../auth-strategy.ts';
import type { TokenStore } from '../token-store.ts';

/** A strategy to be judged. */
export interface StrategySubject {
  readonly name: string;
  /** Whether it gets its credential from somewhere, a function or a token endpoint, and another one when that is rejected. Default `false`. */
  readonly renews?: boolean;
  /** Where the API asks for a stronger sign-in or more scope it throws an `InteractionRequiredError`, which says what was asked for. */
  readonly stepsUp?: boolean;
  /** Whether all its callers share one credential, and one request for it. Default `false`. */
  readonly shares?: boolean;
  /** Whether it keeps its credential in a store that it is given. Default `false`. */
  readonly takesStore?: boolean;
  /** A new strategy with secrets of its own, alike in everything else. */
  create(settings?: StrategySettings): StrategyUnderTest;
}

/** What a case asks of a strategy that renews. */
export interface StrategySettings {
  /** Called, and waited for, each time before a credential is obtained. When it throws, obtaining fails. */
  readonly onObtain?: () => Awaitable<void>;
  /** For a strategy that takes a store. */
  readonly store?: TokenStore;
}

/** One strategy, and what a case has to know about it. */
export interface StrategyUnderTest {
  readonly strategy: AuthStrategy;
  /**
   * Every secret that may stand on a request, and every other that the strategy holds: a live list, to which a strategy that renews adds each credential
   * that it obtains.
   */
  readonly secrets: readonly string[];
  /** What tells its credential on a request: it stands there once, plain or encoded. The id of a key that only signs, say. Default: the last secret. */
  readonly mark?: string;
  /** From now on another credential is obtained than before. Left out where each one that is obtained is new anyway. */
  rotate?(): void;
}

/** What shows of it on a request. */
export function marksOf({ secrets, mark }: StrategyUnderTest): readonly string[] {
  return mark === undefined ? secrets.slice(-1) : [mark];
}

/** Everything of it that has no place where its credential must not go. */
export function tracesOf({ secrets, mark }: StrategyUnderTest): readonly string[] {
  return mark === undefined ? secrets : [...secrets, mark];
}

/** Why a case says nothing about a strategy that does not renew. */
export function skipUnlessRenews({ renews }: StrategySubject): string | undefined {
  return renews ? undefined : 'its credential does not change';
}

/** Why a case says nothing about a strategy whose callers do not share. */
export function skipUnlessShares({ shares }: StrategySubject): string | undefined {
  return shares ? undefined : 'its callers share no credential that is obtained';
}
