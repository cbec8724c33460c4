// OpenTelemetry semantic conventions, "Metrics": names in namespaces, UCUM units, seconds as floating point numbers.
import type { Meter } from './meter.ts';

/** From a store in memory to a refresh that used up all its attempts after a long wait for the lock. Seconds. */
const BUCKETS_SECONDS: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60];

/** Everything that is measured. */
export interface Instruments {
  readonly refreshes: ReturnType<Meter['createCounter']>;
  readonly refreshDuration: ReturnType<Meter['createHistogram']>;
  readonly waitDuration: ReturnType<Meter['createHistogram']>;
  readonly lockWaitDuration: ReturnType<Meter['createHistogram']>;
  readonly retries: ReturnType<Meter['createCounter']>;
  readonly scopeChanges: ReturnType<Meter['createCounter']>;
  readonly storeFailures: ReturnType<Meter['createCounter']>;
  readonly rejected: ReturnType<Meter['createCounter']>;
  readonly rejectionChecksFailed: ReturnType<Meter['createCounter']>;
  readonly notReplayed: ReturnType<Meter['createCounter']>;
  readonly bare: ReturnType<Meter['createCounter']>;
  readonly conflicts: ReturnType<Meter['createCounter']>;
  readonly age: ReturnType<Meter['createObservableGauge']>;
  readonly expiresIn: ReturnType<Meter['createObservableGauge']>;
}

/** Makes them. A meter that is asked again for the same instrument counts into the same series. */
export function instrumentsOf(meter: Meter): Instruments {
  const counter = (name: string, unit: string, description: string): ReturnType<Meter['createCounter']> =>
    meter.createCounter(name, { unit, description });
  const histogram = (name: string, description: string): ReturnType<Meter['createHistogram']> =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: [...BUCKETS_SECONDS] } });
  const gauge = (name: string, description: string): ReturnType<Meter['createObservableGauge']> =>
    meter.createObservableGauge(name, { unit: 's', description });
  return {
    refreshes: counter('authseam.token.refreshes', '{refresh}', 'Refreshes of a token, by how they ended.'),
    refreshDuration: histogram('authseam.token.refresh.duration', 'Time a refresh took: lock, token request and store.'),
    waitDuration: histogram('authseam.token.wait.duration', 'Time a caller waited for a token.'),
    lockWaitDuration: histogram('authseam.token.lock.wait.duration', "Time a refresh waited for the lock of the token's entry."),
    retries: counter('authseam.token.request.retries', '{retry}', 'Token requests that failed and were sent again.'),
    scopeChanges: counter('authseam.token.scope_changes', '{change}', 'Tokens with another scope than was asked for.'),
    storeFailures: counter('authseam.store.failures', '{failure}', 'Failed operations of the token store.'),
    rejected: counter('authseam.requests.rejected', '{request}', 'Requests whose credential the server rejected.'),
    rejectionChecksFailed: counter('authseam.rejection_checks.failed', '{check}', 'Calls of `isRejected` that threw.'),
    notReplayed: counter('authseam.requests.not_replayed', '{request}', 'Rejected requests that were recovered from and not sent again.'),
    bare: counter('authseam.requests.bare', '{request}', 'Requests that went out without credentials.'),
    conflicts: counter('authseam.credential.conflicts', '{conflict}', 'Credentials dropped because the caller had set the same name.'),
    age: gauge('authseam.token.age', 'Time since the token was received.'),
    expiresIn: gauge('authseam.token.expires_in', 'Time until the token expires; below 0 when it has.'),
  };
}
