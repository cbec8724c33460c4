import type { TokenStoreError } from '@authseam/core';

type Operation = TokenStoreError['operation'];

/** What goes wrong, and how often. Shares are in [0, 1], default 0. */
export interface FaultPlan {
  /** Of an operation of the store, there and back, in milliseconds. */
  readonly longestOperationMs: number;
  /** Share of operations that take longer than anybody waits for them. */
  readonly slow?: number;
  /** Share of operations that fail, and were not done. */
  readonly before?: Partial<Record<Operation, number>>;
  /** Share of operations that were done, and are said to have failed. */
  readonly after?: Partial<Record<Operation, number>>;
  /** Everybody gets the lock, whoever has it. */
  readonly isLockShared?: true;
  /** Of a token request, in milliseconds. Default 300. */
  readonly longestAnswerMs?: number;
  /** Share of token requests that break off, half of them after the refresh token was spent. */
  readonly lostAnswers?: number;
}

/** Nothing goes wrong, and nothing takes long. */
export const CALM: FaultPlan = { longestOperationMs: 50 };

/** By name, each a test. */
export const faultPlans: Readonly<Record<string, FaultPlan>> = {
  'a store that takes its time': { longestOperationMs: 300 },
  'a store that now and then takes longer than it may': { longestOperationMs: 300, slow: 0.04 },
  'reads that fail': { longestOperationMs: 100, before: { get: 0.1 } },
  'writes that fail': { longestOperationMs: 100, before: { set: 0.15 } },
  'writes and deletions that are done, and said to have failed': { longestOperationMs: 100, after: { set: 0.15, delete: 0.1 } },
  'deletions that fail': { longestOperationMs: 100, before: { delete: 0.2 } },
  'locks that fail': { longestOperationMs: 100, before: { lock: 0.1, release: 0.1 }, after: { lock: 0.05, release: 0.1 } },
  'a server that is slow, and answers that get lost': { longestOperationMs: 100, longestAnswerMs: 12_000, lostAnswers: 0.1 },
  'all of it': {
    longestOperationMs: 300,
    slow: 0.01,
    before: { get: 0.05, set: 0.05, delete: 0.05, lock: 0.05, release: 0.05 },
    after: { get: 0.05, set: 0.05, delete: 0.05, release: 0.05 },
    lostAnswers: 0.05,
  },
};
