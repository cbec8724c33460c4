/**
 * What adapters, strategies and token managers report. A closed union: switch on `type`. Events name token generations (1 is the first token a
 * manager held), never tokens, and origins, never URLs.
 */
export type AuthEvent =
  | RequestBareEvent
  | CredentialConflictEvent
  | RejectedEvent
  | RejectionCheckFailedEvent
  | ReplaySkippedEvent
  | TokenLockedEvent
  | TokenFetchedEvent
  | TokenAdoptedEvent
  | TokenDiscardedEvent
  | TokenRequestRetryEvent
  | TokenRequestFailedEvent
  | TokenAwaitedEvent
  | ScopeChangedEvent
  | TokenStoreFailedEvent;

interface EventOf<Type extends string> {
  readonly type: Type;
  /** `name` of the strategy. */
  readonly strategy: string;
}

/** A request went out without credentials because they may not go there. */
export interface RequestBareEvent extends EventOf<'request-bare'> {
  /** Where it went: scheme, host and port. */
  readonly origin: string;
  /** The origin is not among `origins`; http beyond this machine; a redirect that left the allowed origins; a URL without an origin. */
  readonly reason: 'origin-not-allowed' | 'insecure-http' | 'redirect' | 'relative-url';
}

/** The caller had set the same header, query parameter, cookie or form field; the strategy's patch was dropped whole. */
export interface CredentialConflictEvent extends EventOf<'credential-conflict'> {
  readonly place: 'header' | 'query' | 'cookie' | 'form';
  readonly name: string;
}

/** The server rejected the credential. */
export interface RejectedEvent extends EventOf<'rejected'> {
  readonly status: number;
  readonly attempt: number;
}

/** `isRejected` threw; the response counts as not rejected. */
export interface RejectionCheckFailedEvent extends EventOf<'rejection-check-failed'> {
  readonly status: number;
}

/** The strategy recovered, but this request was not sent again: the caller gets the rejection, the next call works. */
export interface ReplaySkippedEvent extends EventOf<'replay-skipped'> {
  /** The body was a stream that can be read once; `maxAttempts` was reached. */
  readonly reason: 'body-not-replayable' | 'max-attempts';
}

/** One step of obtaining a token. */
interface TokenEventOf<Type extends string> extends EventOf<Type> {
  /** The generation that this refresh works towards, the same for all its steps; one that fails leaves its number to the next. */
  readonly generation: number;
}

/** The lock of the token's entry is held: no other process refreshes it now. */
export interface TokenLockedEvent extends TokenEventOf<'token-locked'> {
  /** Milliseconds that the lock was waited for. */
  readonly waitedMs: number;
}

/** A token request succeeded. The store has the token by now, or has failed, which an event of its own reported. */
export interface TokenFetchedEvent extends TokenEventOf<'token-fetched'> {
  /** There was no token; it ran out or soon would; a server rejected it; `forceRefresh`. */
  readonly reason: 'missing' | 'expiring' | 'rejected' | 'forced';
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number | undefined;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number | undefined;
  /** Milliseconds from the beginning of the refresh: lock, request and store included. */
  readonly tookMs: number;
}

/** A token came from the store, where this or another process had put it, or was there to begin with: no token request was needed. */
export interface TokenAdoptedEvent extends TokenEventOf<'token-adopted'> {
  readonly expiresAtMs: number | undefined;
  /** Milliseconds since the epoch, by the clock of who fetched it. */
  readonly receivedAtMs: number | undefined;
  readonly tookMs: number;
}

/** What a refresh brought was thrown away: the token was invalidated meanwhile, or the person signed out or in. */
export interface TokenDiscardedEvent extends TokenEventOf<'token-discarded'> {
  readonly tookMs: number;
}

/** A token request failed and is tried again. */
export interface TokenRequestRetryEvent extends TokenEventOf<'token-request-retry'> {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** Milliseconds until the next one. */
  readonly delayMs: number;
  /** `code` of the error. */
  readonly code: string;
}

/** No token could be obtained. In the background the token at hand goes on serving. */
export interface TokenRequestFailedEvent extends TokenEventOf<'token-request-failed'> {
  /** `code` of the error. */
  readonly code: string;
  readonly background: boolean;
  readonly tookMs: number;
}

/** A caller had to wait for a token: for its own refresh, or one that was under way. For 0 ms where a refusal is remembered. */
export interface TokenAwaitedEvent extends EventOf<'token-awaited'> {
  /** Of the token it was given; of the one at hand where it was given none; 0 where there is none. */
  readonly generation: number;
  readonly waitedMs: number;
}

/** The server granted another scope than was asked for (RFC 6749 §3.3). */
export interface ScopeChangedEvent extends EventOf<'scope-changed'> {
  readonly requested: string;
  readonly granted: string;
}

/** The store failed; the token in memory goes on serving this process. */
export interface TokenStoreFailedEvent extends TokenEventOf<'token-store-failed'> {
  readonly operation: 'get' | 'set' | 'delete' | 'lock' | 'release';
  /** What went wrong, in words of ours: it never holds a secret. */
  readonly message: string;
  /** Short code of the error behind it, where there is one: `EACCES`, `ECONNREFUSED`. */
  readonly code?: string;
}
