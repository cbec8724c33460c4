import type { AuthError } from './auth-error.ts';
import type { StoredToken } from './stored-token.ts';
import { type TokenSchedule, tokenSchedule } from './token-schedule.ts';

/** The token that a manager has in memory, and what is known of it. */
export interface HeldToken extends TokenSchedule, StoredToken {
  readonly generation: number;
  readonly heldSinceMs: number;
  /** Fetched because its predecessor was rejected. */
  readonly isReplacement: boolean;
  /** A server accepted it. */
  isAccepted: boolean;
  /** A server rejected it: not handed out again. */
  isRejected: boolean;
  /** Why no replacement could be had; what all who sent it are told. */
  failure: AuthError | undefined;
  isRefused: boolean;
  version: string | undefined;
  outlived: string | null | undefined;
  /** When writing it was tried last. */
  writtenAtMs: number;
}

/** `random` spreads the early refresh. */
export function heldToken(
  { set, version, outlived, predecessors }: StoredToken,
  facts: { readonly generation: number; readonly isReplacement: boolean; readonly nowMs: number; readonly random: () => number },
): HeldToken {
  const { generation, isReplacement, nowMs, random } = facts;
  const schedule = tokenSchedule(set, nowMs, random);
  const state = { isAccepted: false, isRejected: false, isRefused: false, failure: undefined };
  return { set, version, outlived, predecessors, ...schedule, generation, isReplacement, heldSinceMs: nowMs, writtenAtMs: nowMs, ...state };
}

/** The store has it, or something newer: it need not be written again. */
export function markSaved(token: HeldToken, version: string): void {
  token.version = version;
  token.outlived = undefined;
}
