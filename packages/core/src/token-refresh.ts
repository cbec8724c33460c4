import { completeTokenSet } from './complete-token-set.ts';
import type { RefreshReport } from './refresh-report.ts';
import type { RequestLimits } from './refresh-steps.ts';
import type { SharedTokens } from './shared-tokens.ts';
import type { StoredToken } from './stored-token.ts';
import type { TokenManagerSettings } from './token-manager-options.ts';
import { type PauseTimer, requestToken } from './token-request.ts';
import { isDoubtful, tokenSchedule } from './token-schedule.ts';
import type { TokenSet } from './token-set.ts';

/** One refresh of a token manager. */
export interface TokenRefresh {
  readonly settings: TokenManagerSettings;
  readonly shared: SharedTokens | undefined;
  readonly reason: 'missing' | 'expiring' | 'rejected' | 'forced';
  readonly replaced: StoredToken | undefined;
  /** What there is to begin with: it is not asked for. */
  readonly seed: TokenSet | undefined;
  readonly report: RefreshReport;
  readonly isWanted: () => boolean;
  readonly onPause: (timer: PauseTimer) => void;
  readonly onSaved: (token: StoredToken, version: string) => void;
}

/** What came of a {@link TokenRefresh}. */
export interface Refreshed {
  /** `undefined`: nobody wants it any more. */
  readonly result: StoredToken | undefined;
  /** Whether it was there already: in the store, or to begin with. */
  readonly isAdopted: boolean;
  /** What a token request brought and nobody wants any more. */
  readonly dropped: TokenSet | undefined;
}

/** With a refresh token at stake, a process that was stopped for longer between two attempts does not send another: others may have refreshed. */
const LONGEST_STOP_MS = 2_500;

/** Obtains another token: from the store, by a token request, or the one that there is to begin with. */
export async function tokenRefresh(refresh: TokenRefresh): Promise<Refreshed> {
  const { settings, shared, reason, replaced, seed, report, isWanted, onSaved } = refresh;
  const { fetchToken, now, random, strategy, needsRefreshToken, maxAttempts, attemptTimeoutMs, totalTimeoutMs } = settings;
  let isSeeded = false;
  let brought: TokenSet | undefined;

  function isUsable(set: TokenSet, than: TokenSet | undefined): boolean {
    const nowMs = now();
    if (reason === 'rejected' && isDoubtful(set, nowMs)) return false; // there is one replay only
    return set.accessToken !== than?.accessToken && nowMs < tokenSchedule(set, nowMs, random).blockAtMs;
  }

  async function request(given: TokenSet | undefined, limits?: RequestLimits): Promise<TokenSet> {
    if (given && given === seed && reason !== 'forced' && isUsable(given, replaced?.set)) {
      isSeeded = true;
      return completeTokenSet(given, undefined, now(), strategy);
    }
    const isRotating = given?.refreshToken !== undefined;
    let current = given;
    async function send(signal: AbortSignal, attempt: number): Promise<TokenSet> {
      const newer = attempt > 1 && isRotating ? await limits?.reread() : undefined;
      signal.throwIfAborted();
      if (newer && isUsable(newer, given)) return newer;
      current = newer ?? current;
      brought = completeTokenSet(await fetchToken({ current, signal, emit: report.emit }), current, now(), strategy);
      return brought;
    }
    return requestToken(send, {
      maxAttempts: isRotating ? Math.min(maxAttempts, 2) : maxAttempts,
      attemptTimeoutMs,
      totalTimeoutMs: Math.min(totalTimeoutMs, limits?.timeoutMs ?? Infinity),
      longestStopMs: isRotating && limits ? LONGEST_STOP_MS : Infinity,
      hasTimeFor: limits?.hasTimeFor ?? (() => true),
      now,
      random,
      strategy,
      isWanted,
      onRetry: report.retried,
      onPause: refresh.onPause,
    });
  }

  const result = shared
    ? await shared.replace(replaced && { ...replaced }, {
        now,
        strategy,
        isUsable,
        isWanted,
        isForced: reason === 'forced',
        initial: seed,
        needsRefreshToken,
        request,
        onLocked: report.locked,
        onStoreFailed: report.storeFailed,
        onSaved,
      })
    : { set: await request(replaced?.isRefused ? undefined : (replaced?.set ?? seed)) };
  if (!result || !isWanted()) return { result: undefined, isAdopted: false, dropped: brought };
  return { result, isAdopted: isSeeded || 'isAdopted' in result, dropped: undefined };
}
