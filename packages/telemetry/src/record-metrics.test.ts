// Through the SDK of OpenTelemetry itself: what its exporter is given.
import type { AuthEvent } from '@authseam/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Reading, type RealMeter, realMeter } from './fixtures/real-meter.ts';
import { recordMetrics } from './record-metrics.ts';

const NOW_MS = 1_000_000_000;
const strategy = 'clientCredentials';
const now = (): number => NOW_MS;

let otel: RealMeter;
beforeEach(() => {
  otel = realMeter();
});
afterEach(() => otel.close());

/** Names, values and attributes of what was exported, the strategy's name left out. */
async function recorded(): Promise<unknown[]> {
  const shorten = ({ name, value, count, attributes: { 'authseam.strategy': by, ...attributes } }: Reading): unknown[] => {
    expect(by).toBe(strategy);
    return [name, ...(count === undefined ? [value] : [value, count]), attributes];
  };
  return (await otel.read()).map(shorten);
}

const fetched = { type: 'token-fetched', strategy, generation: 1, reason: 'missing', tookMs: 1_500 } as const;
const lifetime = { receivedAtMs: NOW_MS - 60_000, expiresAtMs: NOW_MS + 240_000 };

/** Each event, and all that is recorded of it. */
const table: { readonly [Type in AuthEvent['type']]: readonly [Extract<AuthEvent, { type: Type }>, readonly unknown[]] } = {
  'token-fetched': [
    { ...fetched, ...lifetime },
    [
      ['authseam.token.refreshes', 1, { 'authseam.outcome': 'fetched', 'authseam.reason': 'missing' }],
      ['authseam.token.refresh.duration', 1.5, 1, { 'authseam.outcome': 'fetched' }],
      ['authseam.token.age', 60, {}],
      ['authseam.token.expires_in', 240, {}],
    ],
  ],
  'token-adopted': [
    { type: 'token-adopted', strategy, generation: 2, tookMs: 5, ...lifetime },
    [
      ['authseam.token.refreshes', 1, { 'authseam.outcome': 'adopted' }],
      ['authseam.token.refresh.duration', 0.005, 1, { 'authseam.outcome': 'adopted' }],
      ['authseam.token.age', 60, {}],
      ['authseam.token.expires_in', 240, {}],
    ],
  ],
  'token-discarded': [
    { type: 'token-discarded', strategy, generation: 2, tookMs: 500 },
    [
      ['authseam.token.refreshes', 1, { 'authseam.outcome': 'discarded' }],
      ['authseam.token.refresh.duration', 0.5, 1, { 'authseam.outcome': 'discarded' }],
    ],
  ],
  'token-request-failed': [
    { type: 'token-request-failed', strategy, generation: 2, code: 'TOKEN_ENDPOINT_ERROR', background: true, tookMs: 9_000 },
    [
      ['authseam.token.refreshes', 1, { 'authseam.outcome': 'failed', 'error.type': 'TOKEN_ENDPOINT_ERROR', 'authseam.background': true }],
      ['authseam.token.refresh.duration', 9, 1, { 'authseam.outcome': 'failed' }],
    ],
  ],
  'token-request-retry': [
    { type: 'token-request-retry', strategy, generation: 2, attempt: 1, delayMs: 500, code: 'TOKEN_REQUEST_FAILED' },
    [['authseam.token.request.retries', 1, { 'error.type': 'TOKEN_REQUEST_FAILED' }]],
  ],
  'token-awaited': [{ type: 'token-awaited', strategy, generation: 2, waitedMs: 250 }, [['authseam.token.wait.duration', 0.25, 1, {}]]],
  'token-locked': [{ type: 'token-locked', strategy, generation: 2, waitedMs: 2_000 }, [['authseam.token.lock.wait.duration', 2, 1, {}]]],
  'token-store-failed': [
    { type: 'token-store-failed', strategy, generation: 2, operation: 'lock', message: 'it is locked' },
    [['authseam.store.failures', 1, { 'authseam.operation': 'lock' }]],
  ],
  'scope-changed': [
    { type: 'scope-changed', strategy, requested: 'read write', granted: 'read' },
    [['authseam.token.scope_changes', 1, {}]],
  ],
  rejected: [
    { type: 'rejected', strategy, status: 401, attempt: 2 },
    [['authseam.requests.rejected', 1, { 'http.response.status_code': 401, 'authseam.attempt': 2 }]],
  ],
  'rejection-check-failed': [
    { type: 'rejection-check-failed', strategy, status: 403 },
    [['authseam.rejection_checks.failed', 1, { 'http.response.status_code': 403 }]],
  ],
  'replay-skipped': [
    { type: 'replay-skipped', strategy, reason: 'body-not-replayable' },
    [['authseam.requests.not_replayed', 1, { 'authseam.reason': 'body-not-replayable' }]],
  ],
  'request-bare': [
    { type: 'request-bare', strategy, origin: 'https://elsewhere.example', reason: 'redirect' },
    [['authseam.requests.bare', 1, { 'authseam.reason': 'redirect' }]],
  ],
  'credential-conflict': [
    { type: 'credential-conflict', strategy, place: 'header', name: 'authorization' },
    [['authseam.credential.conflicts', 1, { 'authseam.place': 'header' }]],
  ],
};

it.each(Object.values(table))('$type', async (event, expected) => {
  recordMetrics(otel.meter, { now })(event);
  expect(await recorded()).toEqual(expected);
});

it('measures in seconds, counts in what is counted, and divides seconds where refreshes and waits lie', async () => {
  const record = recordMetrics(otel.meter, { now });
  for (const [event] of Object.values(table)) record(event);
  const readings = await otel.read();
  expect(new Set(readings.map(({ name }) => name)).size).toBe(14);
  for (const { name, unit, boundaries } of readings) {
    expect(`${name} ${unit}`).toMatch(/\.(?:duration|age|expires_in) s$|\.\w+ \{[a-z]+\}$/);
    if (boundaries) expect([boundaries[0], boundaries.at(-1)]).toEqual([0.001, 60]);
  }
});

it('counts on, and keeps what differs apart', async () => {
  const record = recordMetrics(otel.meter, { now });
  for (const status of [401, 401, 403]) record({ type: 'rejected', strategy, status, attempt: 1 });
  expect((await otel.read()).map(({ value, attributes }) => [attributes['http.response.status_code'], value])).toEqual([
    [401, 2],
    [403, 1],
  ]);
});

it('names the code of a store that failed, where it is one of a system or a database', async () => {
  const record = recordMetrics(otel.meter, { now });
  const failed = { type: 'token-store-failed', strategy, generation: 1, operation: 'get', message: 'it failed' } as const;
  for (const code of ['ECONNREFUSED', '57P01', 'of request 4711', 'X'.repeat(41), '']) record({ ...failed, code });
  record(failed);
  expect(await recorded()).toEqual([
    ['authseam.store.failures', 1, { 'authseam.operation': 'get', 'error.type': 'ECONNREFUSED' }],
    ['authseam.store.failures', 1, { 'authseam.operation': 'get', 'error.type': '57P01' }],
    ['authseam.store.failures', 4, { 'authseam.operation': 'get' }],
  ]);
});

it('takes a clock that was set back for no time at all', async () => {
  recordMetrics(otel.meter, { now })({ type: 'token-awaited', strategy, generation: 1, waitedMs: -5_000 });
  expect(await recorded()).toEqual([['authseam.token.wait.duration', 0, 1, {}]]);
});

it('ignores events that it does not know', async () => {
  const unknown = { type: 'of-a-newer-core', strategy } as unknown as AuthEvent;
  expect(() => recordMetrics(otel.meter, { now })(unknown)).not.toThrow();
  expect(await recorded()).toEqual([]);
});

it('says at once that it got no meter', () => {
  for (const wrong of [undefined, null, {}, 'meter']) {
    expect(() => recordMetrics(wrong as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'meter' }));
  }
});

it('refuses a misspelt option', () => {
  const misspelt = { clients: 'reports' } as object;
  expect(() => recordMetrics(otel.meter, misspelt)).toThrow('recordMetrics: `clients` is not an option. Did you mean `client`?');
});

describe('the gauges', () => {
  const gauges = async (): Promise<unknown[]> =>
    (await otel.read())
      .filter(({ name }) => /\.(?:age|expires_in)$/.test(name))
      .map(({ name, value, attributes }) => [name.replace('authseam.token.', ''), value, ...Object.values(attributes)]);

  it('go with the time, past the expiry too', async () => {
    let nowMs = NOW_MS;
    recordMetrics(otel.meter, { now: () => nowMs })({ ...fetched, ...lifetime });
    nowMs += 300_000;
    expect(await gauges()).toEqual([
      ['age', 360, strategy],
      ['expires_in', -60, strategy],
    ]);
  });

  it('show nothing where nothing is known: no times, or no end', async () => {
    const record = recordMetrics(otel.meter, { now });
    record({ ...fetched, receivedAtMs: undefined, expiresAtMs: undefined });
    record({ ...fetched, strategy: 'endless', receivedAtMs: NOW_MS, expiresAtMs: Number.POSITIVE_INFINITY });
    expect(await gauges()).toEqual([['age', 0, 'endless']]);
  });

  it('show the last token of a strategy name, whichever client obtained it', async () => {
    const record = recordMetrics(otel.meter, { now });
    record({ ...fetched, ...lifetime });
    record({ ...fetched, ...lifetime, expiresAtMs: NOW_MS + 10_000 });
    expect(await gauges()).toEqual([
      ['age', 60, strategy],
      ['expires_in', 10, strategy],
    ]);
  });

  it('are apart for recorders with a client each, and so are the counters', async () => {
    recordMetrics(otel.meter, { now, client: 'reports' })({ ...fetched, ...lifetime });
    recordMetrics(otel.meter, { now, client: 'billing' })({ ...fetched, ...lifetime, expiresAtMs: NOW_MS + 10_000 });
    expect(await gauges()).toEqual([
      ['age', 60, strategy, 'reports'],
      ['age', 60, strategy, 'billing'],
      ['expires_in', 240, strategy, 'reports'],
      ['expires_in', 10, strategy, 'billing'],
    ]);
    const refreshes = (await otel.read()).filter(({ name }) => name === 'authseam.token.refreshes');
    expect(refreshes.map(({ value, attributes }) => [value, attributes['authseam.client']])).toEqual([
      [1, 'reports'],
      [1, 'billing'],
    ]);
  });

  it('end with stop(), for that recorder and nobody else', async () => {
    const stopped = recordMetrics(otel.meter, { now, client: 'stopped' });
    const goesOn = recordMetrics(otel.meter, { now, client: 'goes-on' });
    stopped({ ...fetched, ...lifetime });
    goesOn({ ...fetched, ...lifetime });
    stopped.stop();
    stopped.stop();
    stopped({ ...fetched, ...lifetime });
    expect(await gauges()).toEqual([
      ['age', 60, strategy, 'goes-on'],
      ['expires_in', 240, strategy, 'goes-on'],
    ]);
    const refreshes = (await otel.read()).filter(({ name }) => name === 'authseam.token.refreshes');
    expect(refreshes.map(({ value }) => value)).toEqual([1, 1]);
  });
});

it('leaves nothing on the meter when a thousand recorders have come and gone', () => {
  let callbacks = 0;
  const gauge = { addCallback: () => void callbacks++, removeCallback: () => void callbacks-- };
  const sink = { add: () => {}, record: () => {} };
  const meter = { createCounter: () => sink, createHistogram: () => sink, createObservableGauge: () => gauge };
  const recorders = Array.from({ length: 1000 }, () => recordMetrics(meter));
  expect(callbacks).toBe(2000);
  for (const record of recorders) record.stop();
  expect(callbacks).toBe(0);
});
