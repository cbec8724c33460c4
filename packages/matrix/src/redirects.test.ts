import { apiKey } from '@authseam/auth-api-key';
import { byOrigin } from '@authseam/core';
import { type EchoServer, echoServer, findSecret, type ReceivedRequest, serverJournal } from '@authseam/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { strategies } from './strategies.ts';

const STATUSES = [301, 302, 303, 307, 308] as const;

let home: EchoServer;
let otherPort: EchoServer;
let otherHost: EchoServer;

beforeAll(async () => {
  [home, otherPort, otherHost] = await Promise.all([echoServer(), echoServer(), echoServer({ host: 'localhost' })]);
});
afterAll(async () => {
  await Promise.all([home.close(), otherPort.close(), otherHost.close()]);
});

function clear(): void {
  for (const server of [home, otherPort, otherHost]) server.clearRequests();
}

/** All that arrived, as one text: request line, headers and body. */
function wire(requests: readonly ReceivedRequest[]): string {
  return requests.map(({ method, url, rawHeaders, text }) => [method, url, ...rawHeaders, text].join('\n')).join('\n');
}

const form = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'a=1' };

for (const adapter of adapters) {
  describe(adapter.name, () => {
    for (const { name, create } of strategies) {
      for (const status of STATUSES) {
        it(`${name}: ${status} takes no credential to another port or host, repeated query included`, async () => {
          for (const target of [otherPort, otherHost]) {
            for (const request of [{}, form]) {
              clear();
              const { strategy, secrets } = create();
              const to = encodeURIComponent(`${target.origin}/landed?x=1`);
              const response = await adapter.attach(strategy)(`${home.origin}/redirect/${status}?to=${to}&repeatQuery=1`, request);
              expect(response).toMatchObject({ status: 200, redirected: true });
              expect(response.url).toBe(`${target.origin}/landed?x=1`);
              expect(findSecret(wire(home.requests), secrets)).not.toEqual([]);
              expect(target.requests).toHaveLength(1);
              expect(findSecret(wire(target.requests), secrets)).toEqual([]);
            }
          }
        });

        it(`${name}: ${status} to the same origin is authorized again, once`, async () => {
          for (const request of [{}, form]) {
            clear();
            const { strategy, secrets } = create();
            const response = await adapter.attach(strategy)(`${home.origin}/redirect/${status}?to=/landed&repeatQuery=1`, request);
            expect(response).toMatchObject({ status: 200, redirected: true });
            const landed = home.requests[1]!;
            const isResent = status === 307 || status === 308;
            expect(landed.method).toBe('method' in request && isResent ? 'POST' : 'GET');
            if ('body' in request && isResent) expect(landed.text).toMatch(/^a=1(&form_key=[^&]+)?$/);
            else expect(landed.text).toBe('');
            expect(wire([landed]).split(/credential(?:\+|%2B)canary/)).toHaveLength(name === 'basic' ? 1 : 2);
            expect(findSecret(wire([landed]), secrets)).not.toEqual([]);
          }
        });
      }
    }

    it('a chain that comes back stays bare, as the client itself would leave it', async () => {
      clear();
      const { strategy, secrets } = strategies[0]!.create();
      const back = encodeURIComponent(`${home.origin}/back`);
      const away = encodeURIComponent(`${otherPort.origin}/redirect/307?to=${back}`);
      const response = await adapter.attach(strategy)(`${home.origin}/redirect/307?to=${away}`, { method: 'POST', body: 'hello' });
      expect(response).toMatchObject({ status: 200, redirected: true, url: `${home.origin}/back` });
      expect(findSecret(wire(home.requests.slice(1)), secrets)).toEqual([]);
      expect(home.requests[1]).toMatchObject({ path: '/back', method: 'POST', text: 'hello' });
    });

    it('a redirect to an origin that is named carries the credential on, byOrigin that of the other origin', async () => {
      clear();
      const to = encodeURIComponent(`${otherPort.origin}/landed`);
      const origins = [home.origin, otherPort.origin];
      await adapter.attach(apiKey({ key: 'one-key' }), { origins })(`${home.origin}/redirect/302?to=${to}`);
      expect(otherPort.requests[0]?.headers['x-api-key']).toBe('one-key');
      const strategy = byOrigin({ [home.origin]: apiKey({ key: 'home-key' }), [otherPort.origin]: apiKey({ key: 'other-key' }) });
      await adapter.attach(strategy)(`${home.origin}/redirect/302?to=${to}`);
      expect(home.requests.at(-1)?.headers['x-api-key']).toBe('home-key');
      expect(otherPort.requests.at(-1)?.headers['x-api-key']).toBe('other-key');
    });

    it("strips the caller's own Authorization and Cookie like the client, and keeps its other headers", async () => {
      clear();
      const to = encodeURIComponent(`${otherHost.origin}/landed`);
      const headers = { authorization: 'Caller secret', cookie: 'mine=1', 'x-other': 'kept' };
      await adapter.attach(apiKey({ key: 'example-key' }))(`${home.origin}/redirect/302?to=${to}`, { headers });
      const landed = otherHost.requests[0]!.headers;
      expect(landed['x-other']).toBe('kept');
      expect(landed['authorization']).toBeUndefined();
      expect(landed['cookie']).toBeUndefined();
      expect(landed['x-api-key']).toBeUndefined();
    });

    it('ends after 20 hops, with a typed error', async () => {
      clear();
      const loop = '/redirect/302?to=' + encodeURIComponent('/redirect/302?to=');
      home.inject({ at: 'redirect', status: 302, headers: { Location: loop }, times: 50 });
      await expect(adapter.attach(apiKey({ key: 'example-key' }))(`${home.origin}/redirect/302`)).rejects.toMatchObject({
        code: 'TOO_MANY_REDIRECTS',
      });
      home.clearFaults();
      expect(home.requests).toHaveLength(21);
    });

    it('a journal shared by two servers lists the whole chain in order', async () => {
      const journal = serverJournal();
      await using first = await echoServer({ journal });
      await using second = await echoServer({ journal });
      const to = encodeURIComponent(`${second.origin}/end`);
      await adapter.attach(apiKey({ key: 'example-key' }))(`${first.origin}/redirect/308?to=${to}`, { method: 'PUT', body: 'x' });
      expect(journal.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['PUT /redirect/308', 'PUT /end']);
    });
  });
}
