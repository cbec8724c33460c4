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
  | TokenFetchedEvent
  | TokenAdoptedEvent
  | TokenRequestRetryEvent
  | TokenRequestFailedEvent
  | ScopeChangedEvent
  | TokenStoreFailedEvent;

interface EventOf<Type extends string> {
  readonly type: Type;
  /** `name` of the strategy. */
  readonly strategy: string;
}

/** A request went out without credentials because they may not go there. */
export interface RequestBareEvent extends EventOf<'request-bare'> {
  readonly origin: string;
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
  readonly reason: 'body-not-replayable' | 'max-attempts';
}

/** A token request succeeded. */
export interface TokenFetchedEvent extends EventOf<'token-fetched'> {
  readonly generation: number;
  readonly reason: 'missing' | 'expiring' | 'rejected' | 'forced';
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number | undefined;
}

/** A token came from the store, where this or another process had put it. */
export interface TokenAdoptedEvent extends EventOf<'token-adopted'> {
  readonly generation: number;
  readonly expiresAtMs: number | undefined;
}

/** A token request failed and is tried again. */
export interface TokenRequestRetryEvent extends EventOf<'token-request-retry'> {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** Milliseconds until the next one. */
  readonly delayMs: number;
  /** `code` of the error. */
  readonly code: string;
}

/** No token could be obtained. In the background the token at hand goes on serving. */
export interface TokenRequestFailedEvent extends EventOf<'token-request-failed'> {
  /** `code` of the error. */
  readonly code: string;
  readonly background: boolean;
}

/** The server granted another scope than was asked for (RFC 6749 §3.3). */
export interface ScopeChangedEvent extends EventOf<'scope-changed'> {
  readonly requested: string;
  readonly granted: string;
}

/** The store failed; the token in memory goes on serving this process. */
export interface TokenStoreFailedEvent extends EventOf<'token-store-failed'> {
  readonly operation: 'get' | 'set' | 'delete' | 'lock' | 'release';
}
