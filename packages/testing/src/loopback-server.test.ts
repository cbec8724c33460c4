import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { secureText, selfSigned } from './fixtures/self-signed.ts';
import { type LoopbackServer, loopbackServer } from './loopback-server.ts';
import { serverJournal } from './server-journal.ts';

test('records a request exactly as it arrived', async () => {
  await using server = await loopbackServer({
    now: () => 1_700_000_000_000,
    routes: { 'POST /token': { purpose: 'token', handle: () => ({ body: 'ok' }) } },
  });
  await rawExchange(server, {
    target: '/token?a=%7e&b=1?2',
    headers: ['Host', '127.0.0.1', 'X-Mixed-CASE', 'one', 'x-mixed-case', 'two', 'Cookie', 'a=1', 'Cookie', 'b=2'],
    body: Buffer.from([0x00, 0xff, 0x41]),
  });

  const [received] = server.requests;
  expect(received).toMatchObject({
    route: 'token',
    method: 'POST',
    path: '/token',
    query: 'a=%7e&b=1?2',
    url: `${server.origin}/token?a=%7e&b=1?2`,
    isComplete: true,
    receivedAtMs: 1_700_000_000_000,
    connection: 1,
  });
  expect(received?.rawHeaders.slice(2, 10)).toEqual(['X-Mixed-CASE', 'one', 'x-mixed-case', 'two', 'Cookie', 'a=1', 'Cookie', 'b=2']);
  expect(received?.headers).toMatchObject({ 'x-mixed-case': 'one, two', cookie: 'a=1; b=2' });
  expect(received?.body).toEqual(Buffer.from([0x00, 0xff, 0x41]));
  expect(Object.isFrozen(received)).toBe(true);
});

test('a header named __proto__ is recorded like any other', async () => {
  await using server = await loopbackServer({ routes: { '*': () => ({}) } });
  await rawExchange(server, { target: '/', headers: ['Host', '127.0.0.1', '__proto__', 'own'], body: Buffer.alloc(0) });
  expect(Object.entries(server.requests[0]?.headers ?? {})).toContainEqual(['__proto__', 'own']);
});

test('answers with status, headers, text, bytes and JSON', async () => {
  await using server = await loopbackServer({
    routes: {
      'GET /text': () => ({ status: 201, headers: { 'X-One': '1', 'Set-Cookie': ['a=1', 'b=2'] }, body: 'tëxt' }),
      'GET /bytes': () => ({ body: new Uint8Array([1, 2, 3]).subarray(1) }),
      'GET /json': () => ({ body: { a: 1 } }),
      'GET /problem': () => ({ headers: { 'content-type': 'application/problem+json' }, body: [null] }),
    },
  });
  const text = await fetch(`${server.origin}/text`);
  expect([text.status, await text.text(), text.headers.get('x-one')]).toEqual([201, 'tëxt', '1']);
  expect(text.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(await (await fetch(`${server.origin}/bytes`)).bytes()).toEqual(new Uint8Array([2, 3]));
  const json = await fetch(`${server.origin}/json`);
  expect([json.headers.get('content-type'), await json.json()]).toEqual(['application/json', { a: 1 }]);
  const problem = await fetch(`${server.origin}/problem`);
  expect([problem.headers.get('content-type'), await problem.json()]).toEqual(['application/problem+json', [null]]);
});

test('what has no route gets 404, a known path with another method 405, HEAD what GET has', async () => {
  await using server = await loopbackServer({ routes: { 'GET /a': () => ({ body: 'a' }), 'PUT /a': () => ({}) } });
  expect((await fetch(`${server.origin}/toString`)).status).toBe(404);
  const wrongMethod = await fetch(`${server.origin}/a`, { method: 'POST' });
  expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'GET, PUT']);
  const head = await fetch(`${server.origin}/a`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '1']);
  expect(server.requests.map(({ route }) => route)).toEqual(['unknown', 'unknown', 'api']);
});

test('a handler that throws is answered with 500 and kept', async () => {
  const error = new Error('broken handler');
  await using server = await loopbackServer({
    routes: {
      '*': () => {
        throw error;
      },
    },
  });
  expect((await fetch(server.url)).status).toBe(500);
  expect(server.failures).toEqual([error]);
});

test('routes may depend on the origin', async () => {
  await using server = await loopbackServer({ routes: (origin) => ({ 'GET /': () => ({ body: { origin } }) }) });
  expect(await (await fetch(server.url)).json()).toEqual({ origin: server.origin });
});

test('listens on [::1] and on localhost, and comes back at the same port', async () => {
  for (const host of ['[::1]', 'localhost'] as const) {
    const server = await loopbackServer({ host, routes: { '*': () => ({ body: host }) } });
    expect(server.origin).toBe(`http://${host}:${new URL(server.url).port}`);
    expect(await (await fetch(server.url)).text()).toBe(host);
    await server.close();
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
    await using again = await loopbackServer({ host, port: Number(new URL(server.url).port), routes: { '*': () => ({ body: 'again' }) } });
    expect(await (await fetch(again.url)).text()).toBe('again');
  }
});

test('a port that is taken rejects', async () => {
  await using server = await loopbackServer();
  await expect(loopbackServer({ port: Number(new URL(server.url).port) })).rejects.toThrow('EADDRINUSE');
});

test('counts open sockets, numbers connections, and close() ends all of them, twice if asked', async () => {
  const server = await loopbackServer({ routes: { '*': () => ({}) } });
  const idle = connect(Number(new URL(server.url).port), '127.0.0.1');
  const ended = new Promise((resolve) => idle.on('close', resolve));
  await fetch(server.url);
  await expect.poll(() => server.openSockets).toBe(2);
  expect(server.requests[0]?.connection).toBeGreaterThanOrEqual(1);
  await Promise.all([server.close(), server.close()]);
  await ended;
  await server.close();
  expect(server.openSockets).toBe(0);
});

test('logs a request whose body never came to its end', async () => {
  await using server = await loopbackServer({ routes: { '*': () => ({}) } });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy());
  await expect.poll(() => server.requests).toHaveLength(1);
  expect(server.requests[0]).toMatchObject({ isComplete: false, text: 'half' });
});

test('clearRequests empties the log and servers with one journal share it', async () => {
  const journal = serverJournal();
  await using one = await loopbackServer({ journal, routes: { '*': () => ({ body: 'one' }) } });
  await using two = await loopbackServer({ journal, routes: { '*': () => ({ body: 'two' }) } });
  one.inject({ at: '/late', status: 418 });
  await fetch(two.url);
  expect((await fetch(`${two.origin}/late`)).status).toBe(418);
  await fetch(one.url);
  expect(one.requests.map(({ url }) => url)).toEqual([two.url, `${two.origin}/late`, one.url]);
  two.clearRequests();
  expect(one.requests).toEqual([]);
});

test('serves https with a certificate of the caller', async () => {
  const tls = selfSigned();
  await using server = await loopbackServer({ host: 'localhost', tls, routes: { '*': () => ({ body: 'secure' }) } });
  expect(server.origin).toMatch(/^https:\/\/localhost:\d+$/);
  expect(await secureText(server.url, tls.cert)).toBe('secure');
  expect(server.requests[0]).toMatchObject({ url: server.url, connection: 1 });
  server.inject({ reset: 'before-headers' });
  await expect(secureText(server.url, tls.cert)).rejects.toThrow('socket hang up');
});

function rawExchange(
  { url }: LoopbackServer,
  { target, headers, body }: { readonly target: string; readonly headers: string[]; readonly body: Buffer },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      port: new URL(url).port,
      host: '127.0.0.1',
      method: 'POST',
      path: target,
      headers: [...headers, 'Content-Length', String(body.length)],
    };
    httpRequest(options, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end(body);
  });
}
