// What OpenTelemetry hands out is what we ask for, without a cast; `@opentelemetry/api` is installed for this only.
import type { AuthEvent, GetTokenOptions, WithAuthOptions } from '@authseam/core';
import type { Meter as RealMeter } from '@opentelemetry/api';
import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expectTypeOf } from 'vitest';
import { type Meter, type MetricsRecorder, recordMetrics } from './index.ts';

expectTypeOf<RealMeter>().toExtend<Meter>();
expectTypeOf<ReturnType<MeterProvider['getMeter']>>().toExtend<Meter>();

// Both places that hand out events take a recorder.
expectTypeOf<MetricsRecorder>().toExtend<NonNullable<WithAuthOptions['onEvent']>>();
expectTypeOf<MetricsRecorder>().toExtend<NonNullable<GetTokenOptions['emit']>>();
expectTypeOf<Parameters<MetricsRecorder>>().toEqualTypeOf<[AuthEvent]>();

// @ts-expect-error a provider is no meter
export const wrong = (provider: MeterProvider): MetricsRecorder => recordMetrics(provider);
