import { type AuthError, ConfigurationError, isAuthError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import type { Awaitable } from './auth-strategy.ts';
import { completeTokenSet } from './complete-token-set.ts';
import { type StoredToken, sharedTokens } from './shared-tokens.ts';
import { refusedForMs, requestToken } from './token-request.ts';
import { type TokenSchedule, tokenSchedule } from './token-schedule.ts';
import type { TokenSet } from './token-set.ts';
import type { GetTokenOptions, TokenSource } from './token-source.ts';
import type { TokenStore } from './token-store.ts';
import { waitFor } from './wait-for.ts';

/** What `fetchToken` is given. */
export interface FetchTokenRequest {
  /** The token set that this one replaces, with its refresh token, where there is one. */
  readonly current: TokenSet | undefined;
  /** Aborts when this attempt takes too long. */
  readonly signal: AbortSignal;
  /** Reports to whoever caused the request. */
  emit(event: AuthEvent): void;
}

/** Options of {@link createTokenManager}. */
export interface TokenManagerOptions {
  /** Under which the token is shared in `store`. Holds everything that makes two tokens different: issuer, client, subject, scope, audience. */
  readonly key: string;
  /** Fetches a token: one request, no retry. */
  readonly fetchToken: (request: FetchTokenRequest) => Awaitable<TokenSet>;
  /** Where other strategies, and other processes, find the token. Default: this manager's memory only. */
  readonly store?: TokenStore | undefined;
  /** `name` of the strategy, for errors and events. Default `'tokenManager'`. */
  readonly name?: string | undefined;
  /** Token requests per refresh, while they fail in a way that trying again can mend. Default 3; with a refresh token at hand never more than 2. */
  readonly maxAttempts?: number | undefined;
  /** Limit of one token request, its body included. Milliseconds, default 10 000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Limit of one refresh, with all its attempts and pauses. Milliseconds, default 30 000. */
  readonly totalTimeoutMs?: number | undefined;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** In [0, 1): spreads refreshes and retries. Default `Math.random`. */
  readonly random?: () => number;
}

/** A token source that can be given a token. */
export interface TokenManager extends Required<TokenSource> {
  /**
   * Takes over a token set that was obtained elsewhere, by signing in say. What was on its way is thrown away; the store has the new one before this
   * resolves. An `invalidate` meanwhile wins: then the set is answered, and not kept.
   *
   * @throws {TokenStoreError} when the store cannot be written: then nothing has changed. {ConfigurationError} for what is no token set.
   */
  adopt(set: TokenSet): Promise<TokenSet>;
  /** The token set in memory, valid or not. Nothing is fetched or read for it. */
  peek(): TokenSet | undefined;
  /** Whether a refresh is under way, awaited or not: a second manager of the same key would send the same refresh token. */
  isRefreshing(): boolean;
}

/** A token and what is known of it. */
interface Held extends TokenSchedule, StoredToken {
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
}

/** What one refresh is told of its surroundings. */
interface Flight {
  emit(event: AuthEvent): void;
  /** Whether the token was not invalidated since the refresh began. */
  isWanted(): boolean;
}

type Reason = Extract<AuthEvent, { type: 'token-fetched' }>['reason'];

/** For how long a replacement that no server accepted is not replaced in turn, and a failed early refresh not repeated. */
const COOL_DOWN_MS = 30_000;
/** A clock that is set back further than this makes the expiry at hand worthless. */
const CLOCK_TOLERANCE_MS = 60_000;

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
  const {
    key,
    fetchToken,
    store,
    name: strategy = 'tokenManager',
    maxAttempts = 3,
    now = () => Date.now(),
    random = Math.random,
  } = options;
  const { attemptTimeoutMs = 10_000, totalTimeoutMs = 30_000 } = options;
  for (const [option, value] of Object.entries({ maxAttempts, attemptTimeoutMs, totalTimeoutMs })) {
    if (!(value > 0)) throw new ConfigurationError(`\`${option}\` must be a number above 0.`, { option, strategy });
  }
  if (typeof key !== 'string' || key === '')
    throw new ConfigurationError('`key` must say which token this is.', { option: 'key', strategy });
  if (typeof fetchToken !== 'function')
    throw new ConfigurationError('`fetchToken` must be a function.', { option: 'fetchToken', strategy });

  const shared = store && sharedTokens(store, key, strategy);
  let held: Held | undefined;
  let flight: Promise<Held | undefined> | undefined;
  let refusal: { readonly error: AuthError; readonly atMs: number; readonly forMs: number } | undefined;
  /** A token that still works is not refreshed before. */
  let nextRefreshMs = 0;
  let generations = 0;
  /** Callers that wait for the refresh under way. */
  let waiters = 0;
  /** Counts invalidations and adoptions: what was on its way at one is thrown away. */
  let epoch = 0;
  let invalidations = 0;

  function getToken(request?: GetTokenOptions): Awaitable<TokenSet> {
    if (!held || held.isRejected || request?.forceRefresh) return obtain(request?.forceRefresh ? 'forced' : 'missing', request);
    const nowMs = now();
    const mayRefresh = flight !== undefined || nowMs >= nextRefreshMs;
    if (nowMs >= held.expiresAtMs || (nowMs >= held.blockAtMs && mayRefresh)) return obtain('expiring', request);
    const isEarly = nowMs >= held.refreshAtMs || nowMs < held.heldSinceMs - CLOCK_TOLERANCE_MS;
    if (isEarly && mayRefresh) refresh('expiring', request, true).catch(() => {}); // an event has reported it
    return held.set;
  }

  async function obtain(reason: Reason, request: GetTokenOptions | undefined): Promise<TokenSet> {
    request?.signal?.throwIfAborted();
    const before = held;
    for (;;) {
      try {
        waiters += 1;
        const fresh = await waitFor(refresh(reason, request), { signal: request?.signal });
        if (fresh) return fresh.set;
        // Thrown away for a token that was adopted meanwhile: that one will do.
        if (held && held !== before && !held.isRejected) return held.set;
      } catch (error) {
        // A failed refresh costs nobody a token that still works.
        if (reason === 'expiring' && before && before === held && !before.isRejected && now() < before.expiresAtMs && isAuthError(error))
          return before.set;
        throw error;
      } finally {
        waiters -= 1;
      }
    }
  }

  /** Joins the refresh that is under way, or starts one. `undefined`: its result was thrown away. */
  function refresh(reason: Reason, request: GetTokenOptions | undefined, background = false): Promise<Held | undefined> {
    if (flight) return flight;
    // A clock that is set back does not make it longer.
    const refusedMs = refusal ? now() - refusal.atMs : -1;
    if (refusal && refusedMs >= 0 && refusedMs < refusal.forMs) return Promise.reject(refusal.error);
    const emit = (event: AuthEvent): void => request?.emit?.(event);
    const replaced = held;
    const startedIn = epoch;
    const isWanted = (): boolean => startedIn === epoch;
    const current = replace(reason, replaced, { emit, isWanted }).then(
      (fresh) => {
        if (!fresh || !isWanted()) return undefined;
        refusal = undefined;
        nextRefreshMs = 0;
        held = fresh;
        return fresh;
      },
      (error: AuthError) => {
        if (!isWanted()) return undefined;
        // Who signs in elsewhere puts a token into the store: that is looked at again, however final the refusal was.
        const forMs = shared && isAuthError(error, 'INTERACTION_REQUIRED') ? 0 : refusedForMs(error);
        if (forMs > 0) refusal = { error, atMs: now(), forMs };
        nextRefreshMs = now() + COOL_DOWN_MS;
        if (replaced?.isRejected) replaced.failure = error;
        emit({ type: 'token-request-failed', strategy, code: error.code, background });
        throw error;
      },
    );
    flight = current.finally(() => {
      if (isWanted()) flight = undefined;
    });
    flight.catch(() => {}); // whoever waits sees the failure; if nobody does, it is no unhandled rejection
    return flight;
  }

  async function replace(reason: Reason, replaced: Held | undefined, { emit, isWanted }: Flight): Promise<Held | undefined> {
    const isUsable = (set: TokenSet): boolean => {
      const nowMs = now();
      return set.accessToken !== replaced?.set.accessToken && nowMs < tokenSchedule(set, nowMs, random).blockAtMs;
    };
    const request = (current: TokenSet | undefined): Promise<TokenSet> =>
      requestToken(async (signal) => completeTokenSet(await fetchToken({ current, signal, emit }), current, now(), strategy), {
        maxAttempts: current?.refreshToken === undefined ? maxAttempts : Math.min(maxAttempts, 2),
        attemptTimeoutMs,
        totalTimeoutMs,
        now,
        random,
        strategy,
        isAwaited: () => waiters > 0,
        onRetry: (retry) => emit({ type: 'token-request-retry', strategy, ...retry }),
      });
    const result = shared ? await shared.replace(replaced, { isUsable, isWanted, request, emit }) : { set: await request(replaced?.set) };
    if (!result || !isWanted()) return undefined;
    const fresh = hold(result, reason === 'rejected' || (replaced?.isRejected ?? false));
    const { expiresAtMs } = fresh.set;
    if ('isAdopted' in result) emit({ type: 'token-adopted', strategy, generation: fresh.generation, expiresAtMs });
    else emit({ type: 'token-fetched', strategy, generation: fresh.generation, reason, expiresAtMs });
    return fresh;
  }

  function hold(stored: StoredToken, isReplacement: boolean): Held {
    const heldSinceMs = now();
    const schedule = tokenSchedule(stored.set, heldSinceMs, random);
    generations += 1;
    return {
      ...stored,
      ...schedule,
      generation: generations,
      heldSinceMs,
      isReplacement,
      isAccepted: false,
      isRejected: false,
      failure: undefined,
    };
  }

  /** Forgets the token, and what is on its way. */
  function reset(): void {
    epoch += 1;
    held = undefined;
    flight = undefined;
    refusal = undefined;
    nextRefreshMs = 0;
  }

  async function rejected(receipt: unknown, context?: GetTokenOptions): Promise<boolean> {
    const current = held;
    // An older token was rejected: a newer one is at hand, or will be asked for.
    if (!current || (receipt as TokenSet | undefined)?.accessToken !== current.set.accessToken) return true;
    if (current.isReplacement && !current.isAccepted && now() < current.heldSinceMs + COOL_DOWN_MS) return false;
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
      const version = await shared?.put(set, isWanted);
      if (!isWanted()) return set;
      reset();
      held = hold({ set, version }, false);
      return set;
    },
    peek: () => held?.set,
    isRefreshing: () => flight !== undefined,
    async invalidate() {
      invalidations += 1;
      reset();
      await shared?.forget();
    },
  });
}
