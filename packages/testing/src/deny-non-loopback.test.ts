import dns, { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { denyNonLoopback, type NonLoopbackGuard } from './deny-non-loopback.ts';
import { loopbackServer } from './loopback-server.ts';

let restore: NonLoopbackGuard;
beforeEach(() => {
  restore = denyNonLoopback();
});
afterEach(() => restore());

// 192.0.2.0/24 is for documentation (RFC 5737): even without the guard nothing would answer.
const outside = '192.0.2.1';

function failureOf(emitter: { once(event: 'error', listener: (error: Error) => void): unknown }): Promise<Error> {
  return new Promise((resolve) => emitter.once('error', resolve));
}

const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
  'net.connect(options)': () => failureOf(net.connect({ host: outside, port: 80 })),
  'net.connect(port, host)': () => failureOf(net.connect(80, outside)),
  'new Socket().connect(port, host)': () => failureOf(new net.Socket().connect(80, outside)),
  'tls.connect': () => failureOf(tls.connect({ host: outside, port: 443, servername: 'a.example' })),
  'http.get': () => failureOf(http.get(`http://${outside}/path?x`)),
  'http.get without an agent': () => failureOf(http.get({ host: outside, path: '/x', agent: false })),
  'https.get': () => failureOf(https.get(`https://${outside}/path`)),
  fetch: () => fetch(`http://${outside}/`).catch((error: Error) => error.cause),
  'fetch over TLS': () => fetch(`https://${outside}/`).catch((error: Error) => error.cause),
};

for (const [name, attempt] of Object.entries(attempts)) {
  test(`stops and notes ${name}`, async () => {
    expect(await attempt()).toMatchObject({ code: 'ERR_LEFT_MACHINE', message: `A test tried to leave this machine: ${outside}` });
    expect(restore.attempts).toEqual([outside]);
  });
}

test.each([
  'api.example.com',
  '127.0.0.1.evil.test',
  'localhost.evil.test',
  'localhost.',
  '::ffff:192.0.2.1',
  '2001:db8::1',
  '0.0.0.0',
  '1.1.1.1',
])('stops a connection to %s', async (host) => {
  expect(await failureOf(net.connect({ host, port: 80 }))).toMatchObject({ code: 'ERR_LEFT_MACHINE' });
  expect(restore.attempts).toEqual([host]);
});

test('stops and notes DNS queries', async () => {
  const byCallback = await new Promise((resolve) => lookup('a.example', (error) => resolve(error)));
  const byOptions = await new Promise((resolve) => dns.lookup('b.example', { all: true }, (error) => resolve(error)));
  const byPromise = await dns.promises.resolve4('c.example').catch((error: unknown) => error);
  for (const error of [byCallback, byOptions, byPromise]) expect(error).toMatchObject({ code: 'ERR_LEFT_MACHINE' });
  expect(restore.attempts).toEqual(['a.example', 'b.example', 'c.example']);
});

test('lets loopback through, by every name', async () => {
  await using server = await loopbackServer({ host: 'localhost', routes: { '*': () => ({ body: 'here' }) } });
  expect(await (await fetch(server.url)).text()).toBe('here');
  await using other = await loopbackServer({ host: '[::1]', routes: { '*': () => ({ body: 'here' }) } });
  expect(await (await fetch(other.url)).text()).toBe('here');
  expect(await dns.promises.lookup('LOCALHOST')).toHaveProperty('address');
  expect(await promisify(dns.lookup)('localhost')).toHaveProperty('family');
  expect(restore.attempts).toEqual([]);
});

test('restores what was there before, and only once', () => {
  const guarded = net.Socket.prototype.connect;
  restore();
  const before = net.Socket.prototype.connect;
  expect(before).not.toBe(guarded);
  const again = denyNonLoopback();
  expect(net.Socket.prototype.connect).not.toBe(before);
  restore();
  expect(net.Socket.prototype.connect).not.toBe(before);
  again();
  expect(net.Socket.prototype.connect).toBe(before);
});
