import { AuthError, isAuthError, type TokenEndpointError } from './auth-error.ts';
import { foreignCause } from './foreign-cause.ts';
import { stopwatch } from './stopwatch.ts';
import type { TokenSet } from './token-set.ts';
import { waitFor } from './wait-for.ts';

/** How one refresh is attempted. Durations in milliseconds. */
export interface TokenRequestPolicy {
  readonly maxAttempts: number;
  readonly attemptTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly strategy: string;
  /** Asked after each pause: whether anybody still wants a token. */
  readonly isWanted: () => boolean;
  /** Asked before each pause: whether there is time for it, and for another attempt. */
  readonly hasTimeFor: (pauseMs: number) => boolean;
  /** A process that was stopped for longer than this is not to try again: what it may send was known before that. */
  readonly longestStopMs: number;
  /** Is given the timer of each pause: whether it keeps the process alive is the caller's to say. */
  readonly onPause: (timer: PauseTimer) => void;
  readonly onRetry: (retry: { readonly attempt: number; readonly delayMs: number; readonly code: string }) => void;
}

/** A Node timer; in browsers a number, which has neither. */
export interface PauseTimer {
  ref?(): void;
  unref?(): void;
}

/** Longest `Retry-After` that is believed. */
const LONGEST_RETRY_AFTER_MS = 60_000;
/** For how long a refused client or grant is not asked for again. */
const REFUSED_FOR_MS = 30_000;

/**
 * Sends a token request until it succeeds, cannot succeed, or the limits are reached: network errors, 429 and 5xx are tried again with full jitter
 * (base 0.5 s, cap 8 s) or as `Retry-After` says.
 *
 * @throws {AuthError} always typed; foreign errors come redacted as its `cause`.
 */
export async function requestToken(
  send: (signal: AbortSignal, attempt: number) => Promise<TokenSet>,
  policy: TokenRequestPolicy,
): Promise<TokenSet> {
  const deadlineMs = policy.now() + policy.totalTimeoutMs;
  for (let attempt = 1; ; attempt++) {
    const timeoutMs = Math.min(policy.attemptTimeoutMs, deadlineMs - policy.now());
    const passedMs = stopwatch(policy.now);
    try {
      return await attemptOnce((signal) => send(signal, attempt), timeoutMs, policy.strategy);
    } catch (thrown) {
      const error = toAuthError(thrown, policy.strategy);
      const delayMs = retryDelayMs(error, attempt, policy.random);
      const lateMs = passedMs() - timeoutMs;
      if (attempt >= policy.maxAttempts || !isTransient(error) || policy.now() + delayMs >= deadlineMs) throw error;
      if (lateMs > policy.longestStopMs || !policy.hasTimeFor(delayMs)) throw error;
      policy.onRetry({ attempt, delayMs, code: error.code });
      const pausedMs = stopwatch(policy.now);
      await new Promise((resolve) => {
        policy.onPause(setTimeout(resolve, delayMs) as unknown as PauseTimer);
      });
      if (!policy.isWanted() || pausedMs() - delayMs > policy.longestStopMs) throw error;
      // A machine that slept meanwhile has no time left: a refresh token that is sent and not waited for is lost.
      if (policy.now() >= deadlineMs) throw error;
    }
  }
}

/** For how many milliseconds no token request goes out after `error`: the server refused the client, or asked for time. */
export function refusedForMs(error: AuthError): number {
  const { retryAfterMs } = error as TokenEndpointError;
  if (isRefusal(error)) return REFUSED_FOR_MS;
  return isTransient(error) ? (believed(retryAfterMs) ?? 0) : 0;
}

/** A fetch that ignores its signal does not hold the waiters: the attempt is raced as well as aborted. */
async function attemptOnce(send: (signal: AbortSignal) => Promise<TokenSet>, timeoutMs: number, strategy: string): Promise<TokenSet> {
  const controller = new AbortController();
  const timeoutError = (): AuthError => {
    const error = new AuthError(`${strategy}: the token endpoint did not answer in time (${timeoutMs} ms for this attempt).`, {
      code: 'TOKEN_REQUEST_TIMEOUT',
      strategy,
    });
    controller.abort(error);
    return error;
  };
  return waitFor(send(controller.signal), { timeoutMs, timeoutError });
}

function retryDelayMs(error: AuthError, attempt: number, random: () => number): number {
  return believed((error as TokenEndpointError).retryAfterMs) ?? random() * Math.min(8_000, 500 * 2 ** (attempt - 1));
}

function believed(retryAfterMs: number | undefined): number | undefined {
  return retryAfterMs !== undefined && retryAfterMs >= 0 && retryAfterMs <= LONGEST_RETRY_AFTER_MS ? retryAfterMs : undefined;
}

/** The server does not know the client or the grant, and says so: with a code, or as some do with the status alone. */
function isRefusal(error: AuthError): boolean {
  const { error: code, status } = error as TokenEndpointError;
  return code === undefined ? status === 401 : /^(?:invalid_grant|invalid_client|unauthorized_client)$/.test(code);
}

function isTransient(error: AuthError): boolean {
  if (isRefusal(error)) return false;
  if (error.code === 'TOKEN_REQUEST_FAILED') return !isCertificateError(error.cause);
  return error.code === 'TOKEN_REQUEST_TIMEOUT' || [429, 500, 502, 503, 504].includes((error as TokenEndpointError).status);
}

/** Trying again does not mend a certificate, and asks an impostor twice. */
function isCertificateError(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code } = cause as { code?: unknown };
  return (typeof code === 'string' && /CERT|SIGNATURE|TLS|SSL/.test(code)) || isCertificateError(cause.cause);
}

function toAuthError(thrown: unknown, strategy: string): AuthError {
  if (isAuthError(thrown)) return thrown;
  const cause = foreignCause(thrown);
  if (cause?.name === 'TimeoutError') {
    return new AuthError(`${strategy}: the token endpoint did not answer in time.`, { code: 'TOKEN_REQUEST_TIMEOUT', strategy, cause });
  }
  return isNetworkError(thrown)
    ? new AuthError(`${strategy}: the token endpoint could not be reached, or broke off.`, {
        code: 'TOKEN_REQUEST_FAILED',
        strategy,
        cause,
      })
    : new AuthError(`${strategy}: fetching a token failed.${cause ? ' `cause` says why.' : ''}`, {
        code: 'STRATEGY_FAILED',
        strategy,
        cause,
      });
}

/** The Fetch standard makes every network error a TypeError, with the reason in its cause or its message only; other clients set `code`. */
function isNetworkError(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as { code?: unknown };
  if (typeof code === 'string' && NETWORK_ERROR_CODE.test(code)) return true;
  return thrown instanceof TypeError && (thrown.cause !== undefined || /fetch|network|load failed|connect/i.test(thrown.message));
}

const NETWORK_ERROR_CODE = /^(?:ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ERR_NETWORK|UND_ERR_\w+)$/;
