// What the combinations of core do on every client. The rules that hold for any strategy are conformance cases: see conformance.test.ts.
import { apiKey } from '@authseam/auth-api-key';
import { byOrigin, compose, createTokenManager, fromTokenSource, staticHeaders } from '@authseam/core';
import { type EchoServer, echoServer, serverJournal } from '@authseam/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';

let home: EchoServer;
let other: EchoServer;

beforeAll(async () => {
  [home, other] = await Promise.all([echoServer(), echoServer()]);
});
beforeEach(() => {
  for (const server of [home, other]) {
    server.clearRequests();
    server.clearFaults();
  }
});
afterAll(async () => {
  await Promise.all([home.close(), other.close()]);
});

describe.each(adapters)('$name', ({ attach }) => {
  it("compose leaves out one child only where the caller has set its header: the others' recovery still works", async () => {
    let count = 0;
    const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) });
    const auth = compose(staticHeaders({ 'User-Agent': 'ours/1', 'X-Tenant': 'acme' }), fromTokenSource(source, { name: 'tokens' }));
    home.inject({ status: 401, when: ({ headers }) => headers['authorization'] === 'Bearer t1' });
    const response = await attach(auth)(`${home.origin}/a`, { headers: { 'user-agent': 'mine/2' } });
    expect(response.status).toBe(200);
    expect(home.requests[1]!.headers).toMatchObject({ 'user-agent': 'mine/2', 'x-tenant': 'acme', authorization: 'Bearer t2' });
  });

  it('byOrigin follows a redirect with the credential of the other origin', async () => {
    const auth = byOrigin({ [home.origin]: apiKey({ key: 'home-key' }), [other.origin]: apiKey({ key: 'other-key' }) });
    await attach(auth)(`${home.origin}/redirect/302?to=${encodeURIComponent(`${other.origin}/landed`)}`);
    expect(home.requests.at(-1)?.headers['x-api-key']).toBe('home-key');
    expect(other.requests.at(-1)?.headers['x-api-key']).toBe('other-key');
  });

  it('a chain over two servers with one journal is one list, in order', async () => {
    const journal = serverJournal();
    await using first = await echoServer({ journal });
    await using second = await echoServer({ journal });
    const to = encodeURIComponent(`${second.origin}/end`);
    await attach(apiKey({ key: 'example-key' }))(`${first.origin}/redirect/308?to=${to}`, { method: 'PUT', body: 'x' });
    expect(journal.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['PUT /redirect/308', 'PUT /end']);
  });
});
