import { type AuthEvent, ConfigurationError, checkKnownKeys } from '@authseam/core';
import { instrumentsOf } from './instruments.ts';
import { countOf, durationOf } from './measurement.ts';
import type { Meter, MetricAttributes } from './meter.ts';
import { tokenClock } from './token-clock.ts';

/** Options of {@link recordMetrics}. */
export interface RecordMetricsOptions {
  /** Attribute `authseam.client` of every value: tells clients of one strategy apart. A name from a short list. Default: no such attribute. */
  readonly client?: string | undefined;
  /** Milliseconds since the epoch; for the gauges. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** Takes events, as `onEvent` of an adapter or `emit` of `getToken`. */
export interface MetricsRecorder {
  (event: AuthEvent): void;
  /** Takes the gauges off the meter. Events that still come are not recorded. */
  stop(): void;
}

/**
 * Records events as OpenTelemetry metrics: refreshes, waits, rejections, failures of the store, and the age of tokens. Attributes are names of
 * strategies, reasons, error codes and status codes: never a token, a subject, an origin or a URL.
 *
 * One recorder serves any number of clients, and holds nothing of theirs. Its two gauges, `authseam.token.age` and `authseam.token.expires_in`, show one
 * token per strategy name, the one obtained last: give clients whose tokens you want to see apart a recorder each, with a `client`. A client that goes
 * need not be removed; a recorder that goes is stopped with `stop()`, for the meter holds its gauges.
 *
 * @param meter That of `@opentelemetry/api`, or what works like it.
 * @throws {ConfigurationError} when `meter` is none, and for an unknown option.
 * @example
 * ```ts
 * import { withAuth } from '@authseam/adapter-fetch';
 * import { apiKey } from '@authseam/auth-api-key';
 * import { recordMetrics } from '@authseam/telemetry';
 * import { MeterProvider } from '@opentelemetry/sdk-metrics';
 *
 * const record = recordMetrics(new MeterProvider().getMeter('my-app'), { client: 'reports' });
 * export const api = withAuth(fetch, apiKey({ key: 'example-key' }), { onEvent: record });
 * ```
 */
export function recordMetrics(meter: Meter, options: RecordMetricsOptions = {}): MetricsRecorder {
  if (typeof meter?.createObservableGauge !== 'function')
    throw new ConfigurationError('recordMetrics: expected an OpenTelemetry meter.', { option: 'meter' });
  checkKnownKeys(options, ['client', 'now'], { strategy: 'recordMetrics' });
  const { client, now = () => Date.now() } = options;
  const instruments = instrumentsOf(meter);
  const clock = tokenClock(instruments, now);
  let isStopped = false;

  function record(event: AuthEvent): void {
    if (isStopped) return;
    const by: MetricAttributes = { 'authseam.strategy': event.strategy, ...(client !== undefined && { 'authseam.client': client }) };
    const count = countOf(event, instruments);
    count?.counter.add(1, { ...by, ...count.attributes });
    const duration = durationOf(event, instruments);
    // Histograms take no negative values, and a clock can be set back.
    duration?.histogram.record(Math.max(0, duration.ms) / 1000, { ...by, ...duration.attributes });
    if (event.type === 'token-fetched' || event.type === 'token-adopted') clock.set(event, by);
  }

  return Object.freeze(
    Object.assign(record, {
      stop() {
        isStopped = true;
        clock.stop();
      },
    }),
  );
}
