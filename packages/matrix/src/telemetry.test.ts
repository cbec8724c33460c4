// What is published and measured of real calls: real clients, clientCredentials, a server of our own, diagnostics_channel and the SDK of OpenTelemetry.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withAuth } from '@authseam/adapter-fetch';
import { type ClientCredentialsOptions, clientCredentials } from '@authseam/auth-client-credentials';
import { type AuthEvent, createTokenManager, memoryStore, type TokenStore } from '@authseam/core';
import { recordMetrics } from '@authseam/telemetry';
import { channelNames, type PublishedEvent, publishEvents } from '@authseam/telemetry/diagnostics-channel';
import { findSecret, type LoopbackServer, loopbackServer, plantSecret } from '@authseam/testing';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Reading, type RealMeter, realMeter } from '../../telemetry/src/fixtures/real-meter.ts';
import { adapters } from './adapters.ts';

const root = join(import.meta.dirname, '../../..');

let server: LoopbackServer;
let otel: RealMeter;
/** All that was heard on all channels. */
let heard: PublishedEvent[];
/** Tokens in the order in which the server gave them out; it accepts those in `valid` only. */
let tokens: string[];
let valid: Set<string>;

const listener = (message: unknown, name: string | symbol): void => {
  expect(name).toBe(`authseam:${(message as PublishedEvent).type}`);
  heard.push(message as PublishedEvent);
};

beforeEach(async () => {
  heard = [];
  tokens = [];
  valid = new Set();
  otel = realMeter();
  for (const name of channelNames) subscribe(name, listener);
  server = await loopbackServer({
    routes: {
      'POST /token': {
        purpose: 'token',
        handle() {
          const token = plantSecret(`token ${tokens.length + 1}`);
          tokens.push(token);
          valid.add(token);
          return { body: { access_token: token, token_type: 'Bearer', expires_in: 3600 } };
        },
      },
      'GET /me': ({ headers }) => (valid.has(`${headers['authorization']}`.replace('Bearer ', '')) ? { body: {} } : { status: 401 }),
    },
  });
});
afterEach(async () => {
  for (const name of channelNames) unsubscribe(name, listener);
  await Promise.all([server.close(), otel.close()]);
});

const clientSecret = plantSecret('client secret');

/** With `random` at 0 there is no pause between attempts. */
function grant(options: Partial<ClientCredentialsOptions> = {}) {
  const base = { tokenEndpoint: `${server.origin}/token`, clientId: 'telemetry', clientSecret, random: () => 0 };
  return clientCredentials({ ...base, ...options } as ClientCredentialsOptions);
}

/** Everything at once: channels, metrics and a list of one's own. */
function observer(client?: string) {
  const own: AuthEvent[] = [];
  const publish = publishEvents({ client });
  const record = recordMetrics(otel.meter, { client });
  const onEvent = (event: AuthEvent): void => {
    publish(event);
    record(event);
    own.push(event);
  };
  return { own, onEvent };
}

/** What was exported under this name: value (of a histogram the count) and attributes but the strategy's name. */
async function metric(name: string): Promise<unknown[]> {
  const exported = (await otel.read()).filter((reading: Reading) => reading.name === name);
  return exported.map(({ value, count, attributes: { 'authseam.strategy': strategy, ...others } }) => {
    expect(strategy).toBe('clientCredentials');
    return [count ?? value, others];
  });
}

const types = (): string[] => heard.map(({ type }) => type);

describe.each(adapters)('$name', ({ attach }) => {
  it('a first token, a rejection, a refresh: each step on its channel and in its metric', async () => {
    const { own, onEvent } = observer();
    const call = attach(grant({ store: memoryStore() }), { onEvent });
    expect((await call(`${server.origin}/me`)).status).toBe(200);
    expect(types()).toEqual(['token-locked', 'token-fetched', 'token-awaited']);

    valid.clear();
    expect((await call(`${server.origin}/me`)).status).toBe(200);
    expect(types().slice(3)).toEqual(['rejected', 'token-locked', 'token-fetched', 'token-awaited']);
    expect(heard.map((event) => ('generation' in event ? event.generation : undefined))).toEqual([1, 1, 1, undefined, 2, 2, 2]);
    expect(own).toEqual(heard);

    expect(await metric('authseam.token.refreshes')).toEqual([
      [1, { 'authseam.outcome': 'fetched', 'authseam.reason': 'missing' }],
      [1, { 'authseam.outcome': 'fetched', 'authseam.reason': 'rejected' }],
    ]);
    expect(await metric('authseam.requests.rejected')).toEqual([[1, { 'http.response.status_code': 401, 'authseam.attempt': 1 }]]);
    for (const name of ['token.refresh.duration', 'token.wait.duration', 'token.lock.wait.duration']) {
      expect(await metric(`authseam.${name}`)).toEqual([[2, name.includes('refresh') ? { 'authseam.outcome': 'fetched' } : {}]]);
    }
    const [[age], [left]] = [await metric('authseam.token.age'), await metric('authseam.token.expires_in')] as [[number[]], [number[]]];
    expect(age[0]).toBeGreaterThanOrEqual(0);
    expect(age[0]! + left[0]!).toBeCloseTo(3600, 1);
  });
});

it('a second worker adopts what the first one fetched, and the metrics tell them apart', async () => {
  const store = memoryStore();
  for (const client of ['worker-1', 'worker-2']) {
    const { onEvent } = observer(client);
    await withAuth(fetch, grant({ store }), { onEvent })(`${server.origin}/me`);
  }
  expect(tokens).toHaveLength(1);
  expect(heard.map(({ type, client }) => [client, type])).toEqual([
    ['worker-1', 'token-locked'],
    ['worker-1', 'token-fetched'],
    ['worker-1', 'token-awaited'],
    ['worker-2', 'token-adopted'],
    ['worker-2', 'token-awaited'],
  ]);
  expect(await metric('authseam.token.refreshes')).toEqual([
    [1, { 'authseam.outcome': 'fetched', 'authseam.reason': 'missing', 'authseam.client': 'worker-1' }],
    [1, { 'authseam.outcome': 'adopted', 'authseam.client': 'worker-2' }],
  ]);
  expect((await metric('authseam.token.age')).map((reading) => (reading as [number, object])[1])).toEqual([
    { 'authseam.client': 'worker-1' },
    { 'authseam.client': 'worker-2' },
  ]);
});

it('fifty callers wait for one refresh', async () => {
  const { onEvent } = observer();
  const api = withAuth(fetch, grant(), { onEvent });
  await Promise.all(Array.from({ length: 50 }, () => api(`${server.origin}/me`)));
  expect(await metric('authseam.token.wait.duration')).toEqual([[50, {}]]);
  expect(await metric('authseam.token.refreshes')).toEqual([[1, { 'authseam.outcome': 'fetched', 'authseam.reason': 'missing' }]]);
});

it('a cached token publishes and measures nothing', async () => {
  const { onEvent } = observer();
  const api = withAuth(fetch, grant(), { onEvent });
  await api(`${server.origin}/me`);
  const before = heard.length;
  await api(`${server.origin}/me`);
  expect(heard).toHaveLength(before);
});

it('retries, failures, a store that is down, a standing 401, requests without credentials', async () => {
  const { onEvent } = observer();
  server.inject({ at: 'token', status: 503, times: 3 });
  const failing = withAuth(fetch, grant(), { onEvent });
  await expect(failing(`${server.origin}/me`)).rejects.toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR' });
  expect(await metric('authseam.token.request.retries')).toEqual([[2, { 'error.type': 'TOKEN_ENDPOINT_ERROR' }]]);
  const failed = { 'authseam.outcome': 'failed', 'error.type': 'TOKEN_ENDPOINT_ERROR', 'authseam.background': false };
  expect(await metric('authseam.token.refreshes')).toEqual([[1, failed]]);

  const down: TokenStore = { get: () => Promise.reject(new Error('down')), set: () => false, delete: () => false };
  await withAuth(fetch, grant({ store: down }), { onEvent })(`${server.origin}/me`);
  expect((await metric('authseam.store.failures')).map((reading) => (reading as [number, object])[1])).toContainEqual({
    'authseam.operation': 'get',
  });

  server.inject({ at: '/me', status: 401, times: 2 });
  expect((await withAuth(fetch, grant(), { onEvent })(`${server.origin}/me`)).status).toBe(401);
  expect(await metric('authseam.requests.rejected')).toEqual([
    [1, { 'http.response.status_code': 401, 'authseam.attempt': 1 }],
    [1, { 'http.response.status_code': 401, 'authseam.attempt': 2 }],
  ]);

  const elsewhere = withAuth(fetch, grant(), { onEvent, origins: 'https://api.example.com' });
  await elsewhere(`${server.origin}/me`);
  expect(await metric('authseam.requests.bare')).toEqual([[1, { 'authseam.reason': 'origin-not-allowed' }]]);
  const own = { headers: { Authorization: 'Bearer of-the-caller' } };
  await withAuth(fetch, grant(), { onEvent })(`${server.origin}/me`, own);
  expect(await metric('authseam.credential.conflicts')).toEqual([[1, { 'authseam.place': 'header' }]]);
});

it('getToken reports to its own `emit`', async () => {
  const { own, onEvent } = observer();
  const fetchToken = () => ({ accessToken: 'example', tokenType: 'Bearer', expiresAtMs: Date.now() + 60_000 });
  await createTokenManager({ key: 'emit', name: 'clientCredentials', fetchToken }).getToken({ emit: onEvent });
  expect(types()).toEqual(['token-fetched', 'token-awaited']);
  expect(own).toEqual(heard);
  expect(await metric('authseam.token.refreshes')).toHaveLength(1);
});

it('a secret shows in no message, no attribute and no name, whatever happens', async () => {
  const secrets = { key: plantSecret('store key'), path: plantSecret('path'), query: plantSecret('query'), body: plantSecret('body') };
  const audience = plantSecret('audience');
  const { onEvent } = observer();
  const store = memoryStore();
  const api = withAuth(fetch, grant({ store, storeKey: secrets.key, audience }), { onEvent });
  const url = `${server.origin}/me?${encodeURIComponent(secrets.query)}=${encodeURIComponent(secrets.query)}#${secrets.path}`;
  await api(url);
  valid.clear();
  await api(url);
  valid.clear();
  server.inject({ at: 'token', status: 400, body: JSON.stringify({ error: secrets.body, error_description: secrets.body }) });
  await expect(api(url)).rejects.toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR' });
  await api(`${server.origin}/${encodeURIComponent(secrets.path)}`, { headers: { Authorization: secrets.path } });
  await withAuth(fetch, grant(), { onEvent, origins: 'https://api.example.com' })(url);

  expect(new Set(types())).toEqual(
    new Set(['token-locked', 'token-fetched', 'token-awaited', 'rejected', 'token-request-failed', 'credential-conflict', 'request-bare']),
  );
  await otel.read();
  const planted = [...Object.values(secrets), ...tokens, clientSecret, audience];
  expect(tokens.length).toBeGreaterThan(1);
  expect(findSecret(heard, planted)).toEqual([]);
  expect(findSecret(otel.exported(), planted)).toEqual([]);
});

it('a recorder that throws breaks no call: core reports it as a warning', async () => {
  const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const broken = { ...silentMeter(), createCounter: () => ({ add: fail }) };
  const api = withAuth(fetch, grant(), { onEvent: recordMetrics(broken) });
  expect((await api(`${server.origin}/me`)).status).toBe(200);
  expect(warning).toHaveBeenCalledWith(expect.objectContaining({ message: 'a broken meter' }));
  warning.mockRestore();
});

it('the metrics go into a browser without any built-in of Node', async () => {
  const bundle = (source: string) =>
    build({
      stdin: { contents: source, resolveDir: import.meta.dirname },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['@authseam/source'],
      treeShaking: false,
      write: false,
      logLevel: 'silent',
    });
  await expect(bundle("export * from '@authseam/telemetry';")).resolves.toMatchObject({ errors: [] });
  // The other entry is what would fail: that is why it is another one.
  await expect(bundle("export * from '@authseam/telemetry/diagnostics-channel';")).rejects.toThrow('node:diagnostics_channel');
});

it('the documentation names every event, every metric with its unit, and none that is not there', () => {
  const [guide, readme] = ['docs/observability.md', 'packages/telemetry/README.md'].map((path) => readFileSync(join(root, path), 'utf8'));
  const events = /## Events\n(.*?)\n## /s.exec(guide!)?.[1]?.match(/^\| `[a-z-]+`/gm) ?? [];
  expect(events.map((cell) => cell.slice(3, -1)).sort()).toEqual(channelNames.map((name) => name.replace('authseam:', '')).sort());

  const made: string[] = [];
  const note = (name: string, { unit }: { readonly unit: string }) => {
    made.push(`${name} ${unit}`);
    return { add: () => {}, record: () => {}, addCallback: () => {}, removeCallback: () => {} };
  };
  recordMetrics({ createCounter: note, createHistogram: note, createObservableGauge: note });
  const rows = [...readme!.matchAll(/^\| `(authseam\.[\w.]+)` \| [^|]+ \| `?(s|\{\w+\})`? \|/gm)].map(
    ([, name, unit]) => `${name} ${unit}`,
  );
  expect(rows.sort()).toEqual(made.sort());

  const queried = guide!.match(/authseam_(?:token|requests|store)_\w+/g) ?? [];
  const known = new Set(made.map((metric) => metric.split(' ')[0]!.replaceAll('.', '_')));
  expect(queried.length).toBeGreaterThan(10);
  expect(queried.filter((name) => !known.has(name.replace(/_(?:total|bucket)$/, '')))).toEqual([]);
});

function fail(): never {
  throw new Error('a broken meter');
}

function silentMeter() {
  const sink = { add: () => {}, record: () => {}, addCallback: () => {}, removeCallback: () => {} };
  return { createCounter: () => sink, createHistogram: () => sink, createObservableGauge: () => sink };
}
