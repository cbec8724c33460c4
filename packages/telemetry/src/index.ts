export type { InstrumentOptions, Meter, MetricAttributes, Observation, ObservationResult } from './meter.ts';
export { type MetricsRecorder, type RecordMetricsOptions, recordMetrics } from './record-metrics.ts';
