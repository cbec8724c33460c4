import { type AuthError, isAuthError, TokenStoreError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import type { Awaitable } from './auth-strategy.ts';
import { completeTokenSet } from './complete-token-set.ts';
import { type HeldToken, heldToken, markSaved } from './held-token.ts';
import { type RefreshReport, refreshReport } from './refresh-report.ts';
import { isRefused } from './refresh-transaction.ts';
import { sharedTokens } from './shared-tokens.ts';
import type { StoredToken } from './stored-token.ts';
import { checkTokenManagerOptions, type TokenManagerOptions } from './token-manager-options.ts';
import { tokenRefresh } from './token-refresh.ts';
import { type PauseTimer, refusedForMs } from './token-request.ts';
import { CLOCK_TOLERANCE_MS, isInTime } from './token-schedule.ts';
import type { TokenSet } from './token-set.ts';
import type { GetTokenOptions, TokenManager } from './token-source.ts';
import { waitFor } from './wait-for.ts';
import { emitterOf } from './without-errors.ts';

type Reason = Extract<AuthEvent, { type: 'token-fetched' }>['reason'];

/** For how long a replacement that no server accepted is not replaced in turn, and a failed early refresh not repeated. */
const COOL_DOWN_MS = 30_000;
/** A caller whose token is thrown away waits for the next one, so often. */
const MOST_TURNS = 10;
/** For how long a write that failed is not tried again. */
const WRITE_COOL_DOWN_MS = 5_000;

/**
 * A token source with one token, fetched when it is missing, refreshed early in the background, and refreshed at once when a server rejects it.
 *
 * Concurrency: callers share one request. A caller's abort ends its own wait only; the request goes on even if all leave. A rejection names the token
 * that was sent, and only if that is still the current one is it refreshed: 200 late rejections cost one token request. A token that was fetched
 * because of a rejection, that no server ever accepted and that is under 30 s old is not refreshed again. After `invalid_grant`, `invalid_client`,
 * `unauthorized_client` no request goes out for 30 s, after a `Retry-After` of up to 60 s none before it. A valid token serves through all of this.
 *
 * @returns A frozen `TokenSource`. `getToken` is synchronous while the token at hand is valid.
 * @throws {ConfigurationError} for a missing `key` or `fetchToken`. Its methods throw {@link AuthError}s only.
 * @see RFC 6749 §6: a new refresh token replaces the old one, a missing one keeps it.
 * @example
 * ```ts
 * import { createTokenManager } from '@authseam/core';
 *
 * const tokens = createTokenManager({
 *   key: 'https://login.example.com my-client',
 *   fetchToken: async ({ signal }) => {
 *     const response = await fetch('https://login.example.com/token', { method: 'POST', signal });
 *     const { token, seconds } = await response.json();
 *     return { accessToken: token, tokenType: 'Bearer', expiresAtMs: Date.now() + seconds * 1000 };
 *   },
 * });
 * ```
 */
export function createTokenManager(options: TokenManagerOptions): TokenManager {
  const settings = checkTokenManagerOptions(options);
  const { key, store, initial, strategy, needsRefreshToken, now, random } = settings;

  const shared = store && sharedTokens(store, key, strategy);
  let held: HeldToken | undefined;
  /** Who was signed out, or has signed in, does not come back with it. */
  let seed = initial;
  /** The refresh under way. Ends early, with `undefined`, when the token is invalidated or another one adopted. */
  let flight: Promise<HeldToken | undefined> | undefined;
  let refusal: { readonly error: AuthError; readonly atMs: number; readonly forMs: number } | undefined;
  /** When a refresh failed last: a token that still works is not refreshed again at once. */
  let failedAtMs = -Infinity;
  let generations = 0;
  /** Callers that wait for the refresh under way. */
  let waiters = 0;
  /** Between two attempts: does not keep a process alive while nobody waits. */
  let pause: PauseTimer | undefined;
  /** Counts invalidations and adoptions: what was on its way at one is thrown away. */
  let epoch = 0;
  /** Ends the waits for the refresh under way: its result is thrown away. */
  let supersede: (() => void) | undefined;
  let invalidations = 0;
  /** Somebody is leaving: what the store still holds is not to be read. */
  let leaving: Promise<unknown> | undefined;

  const isWithin = (sinceMs: number, forMs: number): boolean => isInTime(now() - sinceMs, forMs);

  function hold(stored: StoredToken, isReplacement: boolean): HeldToken {
    generations += 1;
    return heldToken(stored, { generation: generations, isReplacement, nowMs: now(), random });
  }

  function getToken(request?: GetTokenOptions): Awaitable<TokenSet> {
    if (!held || held.isRejected || request?.forceRefresh) return obtain(request?.forceRefresh ? 'forced' : 'missing', request);
    const nowMs = now();
    if (nowMs >= held.expiresAtMs) return obtain('expiring', request);
    if (held.outlived !== undefined) void save(held);
    const isEarly = nowMs >= held.refreshAtMs || nowMs < held.heldSinceMs - CLOCK_TOLERANCE_MS;
    if (isEarly && (flight || !isWithin(failedAtMs, COOL_DOWN_MS))) {
      if (nowMs >= held.blockAtMs) return obtain('expiring', request);
      refresh('expiring', request, true).catch(() => {}); // an event has reported it
    }
    return held.set;
  }

  async function obtain(reason: Reason, request: GetTokenOptions | undefined): Promise<TokenSet> {
    request?.signal?.throwIfAborted();
    const sinceMs = now();
    try {
      waiters += 1;
      pause?.ref?.();
      return await fresh(reason, request);
    } finally {
      waiters -= 1;
      if (waiters === 0) pause?.unref?.();
      emitterOf(request)({ type: 'token-awaited', strategy, generation: held?.generation ?? 0, waitedMs: Math.max(0, now() - sinceMs) });
    }
  }

  async function fresh(reason: Reason, request: GetTokenOptions | undefined): Promise<TokenSet> {
    const before = held;
    for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
      try {
        const after = await waitFor(refresh(reason, request), { signal: request?.signal });
        if (after) return after.set;
        // Thrown away for a token that was adopted meanwhile: that one will do.
        if (held && held !== before && !held.isRejected) return held.set;
      } catch (error) {
        // A failed refresh costs nobody a token that still works.
        if (reason === 'expiring' && before && before === held && !before.isRejected && now() < before.expiresAtMs && isAuthError(error))
          return before.set;
        throw error;
      }
    }
    const message = `${strategy}: the token is invalidated again and again, or the store does not answer with what was written to it.`;
    throw new TokenStoreError(message, { operation: 'get', strategy });
  }

  /** In the background, now and then, while the store lacks the token: other processes would send a refresh token that is spent. */
  async function save(token: HeldToken): Promise<void> {
    if (isWithin(token.writtenAtMs, WRITE_COOL_DOWN_MS)) return;
    token.writtenAtMs = now();
    const startedIn = epoch;
    const version = await shared?.save({ ...token }, () => startedIn === epoch);
    if (version !== undefined) markSaved(token, version);
  }

  /** Joins the refresh that is under way, or starts one. `undefined`: its result was thrown away. */
  function refresh(reason: Reason, request: GetTokenOptions | undefined, background = false): Promise<HeldToken | undefined> {
    if (flight) return flight;
    if (refusal && isWithin(refusal.atMs, refusal.forMs)) return Promise.reject(refusal.error);
    const startedIn = epoch;
    /** Whether the token was not invalidated since the refresh began. */
    const isWanted = (): boolean => startedIn === epoch;
    const report = refreshReport(request, { strategy, generation: generations + 1, now });
    const replaced = held;
    const current = replace(reason, replaced, report, isWanted).then(
      (fresh) => {
        if (!fresh || !isWanted()) {
          report.discarded();
          return undefined;
        }
        refusal = undefined;
        failedAtMs = -Infinity;
        held = fresh;
        return fresh;
      },
      (error: AuthError) => {
        if (!isWanted()) return undefined;
        if (isRefused(error)) seed = undefined;
        if (replaced) replaced.isRefused ||= isRefused(error);
        // Who signs in elsewhere puts a token into the store: that is looked at again, however final the refusal was.
        const isLookedAt = shared && isRefused(error) && (needsRefreshToken || isAuthError(error, 'INTERACTION_REQUIRED'));
        if (!isLookedAt) refusal = { error, atMs: now(), forMs: refusedForMs(error) };
        failedAtMs = now();
        if (replaced?.isRejected) replaced.failure = error;
        report.failed(error.code, background);
        throw error;
      },
    );
    const superseded = new Promise<undefined>((resolve) => {
      supersede = () => resolve(undefined);
    });
    flight = Promise.race([current, superseded]).finally(() => {
      if (isWanted()) flight = supersede = undefined;
    });
    flight.catch(() => {}); // whoever waits sees the failure; if nobody does, it is no unhandled rejection
    return flight;
  }

  async function replace(
    reason: Reason,
    replaced: HeldToken | undefined,
    report: RefreshReport,
    isWanted: () => boolean,
  ): Promise<HeldToken | undefined> {
    await leaving;
    const { result, isAdopted, dropped } = await tokenRefresh({
      settings,
      shared,
      reason,
      replaced,
      seed,
      report,
      isWanted,
      onPause(timer) {
        pause = timer;
        if (waiters === 0) timer.unref?.();
      },
      onSaved: ({ set }, version) => held?.set === set && markSaved(held, version),
    });
    if (dropped) settings.onDiscarded(dropped);
    if (!result) return undefined;
    const isForRejection = reason === 'rejected' || (replaced?.isRejected ?? false);
    // A fleet, too, replaces a token for a rejection once: what another process has just fetched counts like one's own.
    const isFresh = !isAdopted || isWithin(result.set.receivedAtMs ?? -Infinity, COOL_DOWN_MS);
    const fresh = hold(result, isForRejection && isFresh);
    if (isAdopted) report.adopted(fresh.set);
    else report.fetched(fresh.set, reason);
    return fresh;
  }

  /** Forgets the token, and what is on its way. */
  function reset(): void {
    epoch += 1;
    supersede?.();
    held = undefined;
    flight = supersede = undefined;
    refusal = undefined;
    seed = undefined;
    failedAtMs = -Infinity;
  }

  async function forget(): ReturnType<TokenManager['forget']> {
    invalidations += 1;
    const before = held ?? (seed && { set: seed });
    reset();
    if (!shared) return { tokens: before ? [before.set] : [], failure: undefined };
    const forgetting = shared.forget(before);
    leaving = Promise.all([leaving, forgetting]).then(() => {});
    const { set, failure } = await forgetting;
    const tokens = [set, before?.set].filter((known) => known !== undefined);
    return { tokens: tokens.filter(({ accessToken }, at) => at === 0 || accessToken !== set?.accessToken), failure };
  }

  async function rejected(receipt: unknown, context?: GetTokenOptions): Promise<boolean> {
    const current = held;
    // An older token was rejected: a newer one is at hand, or will be asked for.
    if (!current || (receipt as TokenSet | undefined)?.accessToken !== current.set.accessToken) return true;
    if (current.isReplacement && !current.isAccepted && isWithin(current.heldSinceMs, COOL_DOWN_MS)) return false;
    // Rejected tokens are not handed out again, so this one was sent before the refresh failed: it belongs to the same wave.
    if (current.failure && !flight) throw current.failure;
    current.isRejected = true;
    await obtain('rejected', context);
    return true;
  }

  return Object.freeze({
    getToken,
    rejected,
    accepted(receipt: unknown) {
      if (held && receipt === held.set) held.isAccepted = true;
    },
    async adopt(given: TokenSet) {
      const set = completeTokenSet(given, undefined, now(), strategy);
      const startedAfter = invalidations;
      const isWanted = (): boolean => startedAfter === invalidations;
      await leaving;
      const version = await shared?.put(set, isWanted);
      if (isWanted()) {
        reset();
        held = hold({ set, version }, false);
      } else settings.onDiscarded(set);
      return set;
    },
    peek: () => held?.set,
    isSettled: () => flight === undefined && (held === undefined || held.version !== undefined),
    forget,
    async invalidate() {
      const { failure } = await forget();
      if (failure) throw failure;
    },
  });
}
