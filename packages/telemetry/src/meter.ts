/** What `recordMetrics` needs of an OpenTelemetry meter. That of `@opentelemetry/api` fits, and need not be installed for our sake. */
export interface Meter {
  createCounter(name: string, options: InstrumentOptions): { add(value: number, attributes: MetricAttributes): void };
  createHistogram(name: string, options: InstrumentOptions): { record(value: number, attributes: MetricAttributes): void };
  createObservableGauge(
    name: string,
    options: InstrumentOptions,
  ): { addCallback(observe: Observation): void; removeCallback(observe: Observation): void };
}

/** How an instrument describes itself. */
export interface InstrumentOptions {
  readonly description: string;
  /** UCUM: `s`, or `{refresh}` for a number of refreshes. */
  readonly unit: string;
  /** Upper bounds of a histogram's buckets, in its unit. Views of the SDK come before it. */
  readonly advice?: { explicitBucketBoundaries: number[] };
}

/** What tells the time series of one metric apart. */
export type MetricAttributes = Readonly<Record<string, string | number | boolean>>;

/** Asked for a gauge's values whenever metrics are collected. */
export type Observation = (result: ObservationResult) => void;

/** Where a gauge's values go. */
export interface ObservationResult {
  observe(value: number, attributes: MetricAttributes): void;
}
