import type { StoreOperation } from './store-entry.ts';
import type { StoredToken } from './stored-token.ts';
import type { TokenSet } from './token-set.ts';

/** What a token manager does in a refresh, and is told of it. */
export interface RefreshSteps {
  readonly now: () => number;
  readonly strategy: string;
  /** Whether the token was not invalidated meanwhile: then nothing is sent or written any more, and there is no result. */
  readonly isWanted: () => boolean;
  /** Whether a token from the store can serve in place of `replaced`. */
  readonly isUsable: (set: TokenSet, replaced: TokenSet | undefined) => boolean;
  /** Whether a valid token will not do either. */
  readonly isForced: boolean;
  /** What an empty entry begins with. */
  readonly initial: TokenSet | undefined;
  /** Whether nothing can be fetched without a refresh token. */
  readonly needsRefreshToken: boolean;
  readonly request: (current: TokenSet | undefined, limits: RequestLimits) => Promise<TokenSet>;
  /** @param waitedMs How long the lock was waited for. */
  readonly onLocked: (waitedMs: number) => void;
  /** @param error Why; `undefined`: what was read is no token set, or what was to be written came second. */
  readonly onStoreFailed: (operation: StoreOperation, error: unknown) => void;
  /** What could not be written at first stands in the store now, or something newer does. */
  readonly onSaved: (token: StoredToken, version: string) => void;
}

/** What a token request has to keep to. */
export interface RequestLimits {
  /** For how long the lock is ours for certain, in milliseconds: nothing is sent after that. */
  readonly timeoutMs: number;
  /** Whether the lock lives for so many milliseconds, and for another request after them. */
  readonly hasTimeFor: (pauseMs: number) => boolean;
  /** Asks the store for what another process has put there since. */
  readonly reread: () => Promise<TokenSet | undefined>;
}

/** A new token; `isAdopted`: of another process. */
export type RefreshResult = StoredToken & { readonly isAdopted?: true };
