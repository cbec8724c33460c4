import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Fault } from './fault.ts';
import { type LoopbackServer, loopbackServer } from './loopback-server.ts';

const genuine = { access_token: 'genuine-token', expires_in: 3600 };

function tokenServer(): Promise<LoopbackServer> {
  return loopbackServer({
    routes: { 'POST /token': { purpose: 'token', handle: () => ({ body: genuine }) }, 'GET /api': () => ({ body: 'api' }) },
  });
}

function post(server: LoopbackServer, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.origin}/token`, { method: 'POST', ...init });
}

const answers: readonly { readonly name: string; readonly fault: Fault; readonly status: number; readonly body: string }[] = [
  { name: 'a status alone', fault: { status: 503 }, status: 503, body: '' },
  { name: 'HTML with 200', fault: { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<p>hi' }, status: 200, body: '<p>hi' },
  { name: 'JSON', fault: { status: 400, body: { error: 'invalid_grant' } }, status: 400, body: '{"error":"invalid_grant"}' },
  { name: 'null', fault: { status: 200, body: null }, status: 200, body: 'null' },
  { name: 'bytes', fault: { status: 200, body: Buffer.from('bytes') }, status: 200, body: 'bytes' },
  { name: 'an empty 204', fault: { status: 204 }, status: 204, body: '' },
  {
    name: 'a changed answer',
    fault: { transform: (answer) => ({ ...answer, status: 201, body: { ...genuine, access_token: '' } }) },
    status: 201,
    body: '{"access_token":"","expires_in":3600}',
  },
  { name: 'a delay', fault: { delayMs: 20 }, status: 200, body: JSON.stringify(genuine) },
];

for (const { name, fault, status, body } of answers) {
  test(`answers with ${name}, once`, async () => {
    await using server = await tokenServer();
    server.inject(fault);
    const response = await post(server);
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(await (await post(server)).json()).toEqual(genuine);
  });
}

test('applies where, when and as often as it says, in order of injection', async () => {
  await using server = await tokenServer();
  server.inject([
    { at: 'token', status: 500, times: 2, when: ({ text }) => text === 'yes' },
    { at: '/api', status: 501, times: Infinity },
    { at: 'token', status: 502 },
  ]);
  expect(server.pendingFaults).toBe(3);
  const statuses: number[] = [];
  for (const body of ['yes', 'no', 'yes', 'yes']) statuses.push((await post(server, { body })).status);
  for (let round = 0; round < 3; round += 1) statuses.push((await fetch(`${server.origin}/api?x`)).status);
  expect(statuses).toEqual([500, 502, 500, 200, 501, 501, 501]);
  expect(server.pendingFaults).toBe(0);
  server.clearFaults();
  expect((await fetch(`${server.origin}/api`)).status).toBe(200);
});

test('delays add up to what comes after them, and spread answers', async () => {
  await using server = await tokenServer();
  server.inject({ at: 'token', delayMs: ({ text }) => Number(text), times: Infinity });
  server.inject({ status: 418, delayMs: 5 });
  const order: string[] = [];
  const send = async (body: string) => {
    const { status } = await post(server, { body });
    order.push(`${body}: ${status}`);
  };
  await send('1');
  await Promise.all([send('120'), send('0'), send('60')]);
  expect(order).toEqual(['1: 418', '0: 200', '60: 200', '120: 200']);
});

test.each(['on-arrival', 'before-headers'] as const)('reset %s breaks the connection before any answer', async (moment) => {
  let worked = 0;
  await using server = await loopbackServer({ routes: { '*': () => ({ body: { worked: ++worked } }) } });
  server.inject({ reset: moment });
  const error = await fetch(server.url).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ cause: { code: 'ECONNRESET' } });
  expect(worked).toBe(moment === 'on-arrival' ? 0 : 1);
  expect((await fetch(server.url)).status).toBe(200);
});

test('reset mid-body delivers the headers and half of the body', async () => {
  await using server = await tokenServer();
  server.inject({ reset: 'mid-body' });
  const message = await received(server);
  expect([message.statusCode, message.headers['content-type']]).toEqual([200, 'application/json']);
  expect(message.headers['content-length']).toBe(String(JSON.stringify(genuine).length));
  const { text, isWhole } = await readAll(message);
  expect(isWhole).toBe(false);
  expect(text).toBe(JSON.stringify(genuine).slice(0, Math.floor(JSON.stringify(genuine).length / 2)));
});

test.each(['on-arrival', 'before-headers'] as const)('stall %s stays silent until the client leaves', async (moment) => {
  await using server = await tokenServer();
  server.inject({ stall: moment });
  // Not fetch: on Node 22 it keeps the socket of a request that was aborted for four seconds.
  await expect(received(server, AbortSignal.timeout(50))).rejects.toThrow('aborted');
  await expect.poll(() => server.openSockets).toBe(0);
});

test('stall mid-body delivers half, then nothing, until the server closes', async () => {
  await using server = await tokenServer();
  server.inject({ stall: 'mid-body' });
  const message = await received(server);
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  const ended = new Promise((resolve) => message.on('close', resolve));
  await expect.poll(() => chunks.length).toBeGreaterThan(0);
  expect(server.openSockets).toBe(1);
  await server.close();
  await ended;
  expect(message.complete).toBe(false);
});

test('an empty answer is cut short too', async () => {
  await using server = await loopbackServer({ routes: { '*': () => ({}) } });
  server.inject({ reset: 'mid-body' });
  const response = await fetch(server.url);
  await expect(response.text()).rejects.toThrow('terminated');
});

test('a delay does not outlive the client or the server', async () => {
  await using server = await tokenServer();
  server.inject({ delayMs: 60_000, times: 2 });
  await expect(post(server, { signal: AbortSignal.timeout(30) })).rejects.toThrow('timeout');
  const late = post(server);
  await expect.poll(() => server.requests).toHaveLength(2);
  await server.close();
  await expect(late).rejects.toThrow('fetch failed');
});

test('a gzip bomb is small on the wire and a valid token answer inside', async () => {
  await using server = await tokenServer();
  server.inject({ at: 'token', gzipBomb: 8 * 1024 * 1024 });
  const { bytes } = await readAll(await received(server));
  expect(bytes.length).toBeLessThan(20_000);
  const inflated = gunzipSync(bytes);
  expect(inflated.length).toBe(8 * 1024 * 1024);
  expect(JSON.parse(inflated.toString())).toHaveProperty('access_token');
});

test('a huge body has exactly its size, no announced length, and stops when the client does', async () => {
  await using server = await tokenServer();
  server.inject({ at: 'token', hugeBody: 3_000_000 });
  const message = await received(server);
  expect(message.headers['content-length']).toBeUndefined();
  const { bytes } = await readAll(message);
  expect(bytes.length).toBe(3_000_000);
  expect(JSON.parse(bytes.toString())).toHaveProperty('access_token');

  server.inject({ at: 'token', hugeBody: 1e12 });
  const endless = await post(server);
  await endless.body?.cancel();
  await expect.poll(() => server.openSockets).toBe(0);
  expect(server.failures).toEqual([]);
});

test('a fault whose function throws is a failure of the server', async () => {
  await using server = await tokenServer();
  server.inject({
    transform: () => {
      throw new Error('bad fault');
    },
  });
  expect((await post(server)).status).toBe(500);
  expect(server.failures).toHaveLength(1);
});

test('a fault is one thing: its type refuses two, and none', () => {
  // @ts-expect-error reset and stall exclude each other
  const two: Fault = { reset: 'mid-body', stall: 'mid-body' };
  // @ts-expect-error nothing would go wrong
  const none: Fault = { at: 'token' };
  expect([two, none]).toHaveLength(2);
});

function received({ origin }: LoopbackServer, signal?: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(`${origin}/token`, { method: 'POST', agent: false, ...(signal && { signal }) }, resolve)
      .on('error', reject)
      .end();
  });
}

async function readAll(message: IncomingMessage): Promise<{ bytes: Buffer; text: string; isWhole: boolean }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch {
    // Told by `isWhole`.
  }
  const bytes = Buffer.concat(chunks);
  return { bytes, text: bytes.toString(), isWhole: message.complete };
}
