import type { AuthEvent } from '@authseam/core';
import type { Instruments } from './instruments.ts';
import type { Meter, MetricAttributes } from './meter.ts';

/** One more of something. */
export interface Count {
  readonly counter: ReturnType<Meter['createCounter']>;
  readonly attributes?: MetricAttributes;
}

/** How long something took. */
export interface Duration {
  readonly histogram: ReturnType<Meter['createHistogram']>;
  readonly ms: number;
  readonly attributes?: MetricAttributes;
}

/** What an event adds to a counter. One of a newer core, which is not known here, adds nothing. */
export function countOf(event: AuthEvent, to: Instruments): Count | undefined {
  switch (event.type) {
    case 'token-fetched':
      return { counter: to.refreshes, attributes: { 'authseam.outcome': 'fetched', 'authseam.reason': event.reason } };
    case 'token-adopted':
      return { counter: to.refreshes, attributes: { 'authseam.outcome': 'adopted' } };
    case 'token-discarded':
      return { counter: to.refreshes, attributes: { 'authseam.outcome': 'discarded' } };
    case 'token-request-failed': {
      const failure = { 'error.type': event.code, 'authseam.background': event.background };
      return { counter: to.refreshes, attributes: { 'authseam.outcome': 'failed', ...failure } };
    }
    case 'token-request-retry':
      return { counter: to.retries, attributes: { 'error.type': event.code } };
    case 'token-store-failed':
      return { counter: to.storeFailures, attributes: { 'authseam.operation': event.operation, ...errorType(event.code) } };
    case 'scope-changed':
      return { counter: to.scopeChanges };
    case 'rejected':
      return { counter: to.rejected, attributes: { 'http.response.status_code': event.status, 'authseam.attempt': event.attempt } };
    case 'rejection-check-failed':
      return { counter: to.rejectionChecksFailed, attributes: { 'http.response.status_code': event.status } };
    case 'replay-skipped':
      return { counter: to.notReplayed, attributes: { 'authseam.reason': event.reason } };
    case 'request-bare':
      return { counter: to.bare, attributes: { 'authseam.reason': event.reason } };
    case 'credential-conflict':
      return { counter: to.conflicts, attributes: { 'authseam.place': event.place } };
    case 'token-awaited':
    case 'token-locked':
      return undefined; // their histograms count them
    default:
      event satisfies never;
      return undefined;
  }
}

/** A code of the system or of a database, `ECONNREFUSED` or `57P01`. What a store of the caller's own makes up stays out: every value is a time series. */
function errorType(code: string | undefined): MetricAttributes {
  return code !== undefined && /^[A-Z0-9_]{2,40}$/.test(code) ? { 'error.type': code } : {};
}

/** What an event adds to a histogram. */
export function durationOf(event: AuthEvent, to: Instruments): Duration | undefined {
  switch (event.type) {
    case 'token-fetched':
      return { histogram: to.refreshDuration, ms: event.tookMs, attributes: { 'authseam.outcome': 'fetched' } };
    case 'token-adopted':
      return { histogram: to.refreshDuration, ms: event.tookMs, attributes: { 'authseam.outcome': 'adopted' } };
    case 'token-discarded':
      return { histogram: to.refreshDuration, ms: event.tookMs, attributes: { 'authseam.outcome': 'discarded' } };
    case 'token-request-failed':
      return { histogram: to.refreshDuration, ms: event.tookMs, attributes: { 'authseam.outcome': 'failed' } };
    case 'token-awaited':
      return { histogram: to.waitDuration, ms: event.waitedMs };
    case 'token-locked':
      return { histogram: to.lockWaitDuration, ms: event.waitedMs };
    default:
      return undefined;
  }
}
