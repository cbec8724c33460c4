// The rules that every adapter keeps (architecture document §5), over real sockets.
import { apiKey, basic, bearerToken } from '@authseam/auth-api-key';
import {
  type AuthEvent,
  type AuthStrategy,
  compose,
  createTokenManager,
  fromTokenSource,
  staticHeaders,
  type TokenSource,
} from '@authseam/core';
import { type EchoServer, echoServer } from '@authseam/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';

let server: EchoServer;

beforeAll(async () => {
  server = await echoServer();
});
beforeEach(() => {
  server.clearRequests();
  server.clearFaults();
});
afterAll(async () => {
  await server.close();
});

/** Tokens t1, t2, … and a server that accepts only those that `valid` says. */
function rotatingTokens(): { source: Required<TokenSource>; strategy: AuthStrategy; count: () => number } {
  let count = 0;
  const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) });
  return { source, strategy: fromTokenSource(source, { name: 'tokens' }), count: () => count };
}

function acceptOnly(...tokens: string[]): void {
  server.inject({
    status: 401,
    body: 'rejected body',
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    times: Number.POSITIVE_INFINITY,
    when: ({ headers }) => !tokens.some((token) => headers['authorization'] === `Bearer ${token}`),
  });
}

for (const adapter of adapters) {
  describe(adapter.name, () => {
    describe('after a rejection', () => {
      const bodies = {
        string: () => 'text é',
        json: () => JSON.stringify({ a: [1, 'é'] }),
        URLSearchParams: () =>
          new URLSearchParams([
            ['a', '1 +'],
            ['b', 'é'],
          ]),
        Uint8Array: () => new Uint8Array([0, 1, 2, 250, 251, 252]).subarray(2, 5),
        Blob: () => new Blob(['blob'], { type: 'text/x-test' }),
        empty: () => '',
      };
      it.each(Object.entries(bodies))('replays a %s body once, byte for byte', async (_, make) => {
        const { strategy, count } = rotatingTokens();
        acceptOnly('t2');
        const response = await adapter.attach(strategy)(`${server.origin}/items`, {
          method: 'POST',
          body: make(),
          headers: { 'x-a': '1' },
        });
        expect(response.status).toBe(200);
        const [first, second] = server.requests;
        expect(server.requests).toHaveLength(2);
        expect(second!.body).toEqual(first!.body);
        for (const name of ['content-type', 'content-length', 'x-a']) expect(second!.headers[name]).toBe(first!.headers[name]);
        expect([first, second].map((request) => request!.headers['authorization'])).toEqual(['Bearer t1', 'Bearer t2']);
        expect(count()).toBe(2);
      });

      it('replays FormData as the same form', async () => {
        const { strategy } = rotatingTokens();
        acceptOnly('t2');
        const body = new FormData();
        body.set('file', new Blob(['content']), 'a.txt');
        await adapter.attach(strategy)(`${server.origin}/items`, { method: 'POST', body });
        const parts = server.requests.map((request) => {
          const boundary = /boundary=(.+)/.exec(request.headers['content-type'] ?? '')![1]!;
          return request.text.replaceAll(boundary, 'BOUNDARY');
        });
        expect(parts).toHaveLength(2);
        expect(parts[1]).toBe(parts[0]);
        expect(parts[0]).toContain('content');
      });

      it('does not replay a one-shot stream, but recovers for the next call', async () => {
        const events: AuthEvent[] = [];
        const { strategy, count } = rotatingTokens();
        acceptOnly('t2');
        const call = adapter.attach(strategy, { onEvent: (event) => events.push(event) });
        const body = new Blob(['one shot']).stream();
        const response = await call(`${server.origin}/items`, { method: 'POST', body });
        expect(response).toMatchObject({ status: 401, text: 'rejected body' });
        expect(server.requests.map(({ text }) => text)).toEqual(['one shot']);
        expect(events).toContainEqual({ type: 'replay-skipped', strategy: 'tokens', reason: 'body-not-replayable' });
        expect(await call(`${server.origin}/items`)).toMatchObject({ status: 200 });
        expect(count()).toBe(2);
      });

      it('hands the second rejection to the caller, whole', async () => {
        const { strategy } = rotatingTokens();
        acceptOnly('never');
        const response = await adapter.attach(strategy)(`${server.origin}/items`);
        expect(response).toMatchObject({ status: 401, text: 'rejected body' });
        expect(server.requests).toHaveLength(2);
      });

      it('a standing 401 costs one refresh in 30 s, not one per call', async () => {
        const { strategy, count } = rotatingTokens();
        acceptOnly('never');
        const call = adapter.attach(strategy);
        for (let index = 0; index < 5; index++) await call(`${server.origin}/items`);
        expect(count()).toBe(2);
      });

      it('a failing recovery gives the caller our error, not the 401', async () => {
        let calls = 0;
        const source = createTokenManager({
          key: 'test',
          fetchToken: () => {
            if (++calls > 1) throw new Error('vault is sealed');
            return { accessToken: 't1', tokenType: 'Bearer' };
          },
        });
        acceptOnly('never');
        await expect(adapter.attach(fromTokenSource(source, { name: 'tokens' }))(`${server.origin}/a`)).rejects.toMatchObject({
          code: 'STRATEGY_FAILED',
        });
      });

      it('with maxAttempts 1 recovers but does not replay', async () => {
        const { strategy, count } = rotatingTokens();
        acceptOnly('t2');
        const call = adapter.attach(strategy, { maxAttempts: 1 });
        expect((await call(`${server.origin}/items`)).status).toBe(401);
        expect((await call(`${server.origin}/items`)).status).toBe(200);
        expect(count()).toBe(2);
      });

      it('asks a bearer function once more, and a string not at all', async () => {
        acceptOnly('never');
        let asked = 0;
        await adapter.attach(bearerToken({ token: () => `f${++asked}` }))(`${server.origin}/items`);
        expect(asked).toBe(2);
        server.clearRequests();
        await adapter.attach(bearerToken({ token: 'fixed' }))(`${server.origin}/items`);
        expect(server.requests).toHaveLength(1);
      });

      it.each([
        ['a 403', { status: 403 }],
        ['insufficient_scope', { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' } }],
        ['a challenge for another scheme', { status: 401, headers: { 'WWW-Authenticate': 'Negotiate' } }],
      ])('does not refresh for %s', async (_, fault) => {
        const { strategy, count } = rotatingTokens();
        server.inject({ ...fault, times: 5 });
        await adapter.attach(strategy)(`${server.origin}/items`);
        expect(count()).toBe(1);
        expect(server.requests).toHaveLength(1);
      });

      it('lets the strategy read the body of a rejection, and the caller still gets it whole', async () => {
        server.inject({ status: 400, body: { code: 118 }, times: 2 });
        const seen: unknown[] = [];
        const strategy: AuthStrategy = {
          name: 'quirk',
          specVersion: 1,
          authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
          isRejected: async (response) => {
            seen.push(await response.json());
            return true;
          },
          recover: async (response) => (await response.text()).includes('118'),
        };
        const response = await adapter.attach(strategy)(`${server.origin}/items`);
        expect(seen).toEqual([{ code: 118 }, { code: 118 }]);
        expect(response).toMatchObject({ status: 400, text: '{"code":118}' });
        expect(server.requests).toHaveLength(2);
      });

      it('counts an isRejected that throws as no, with an event', async () => {
        const events: AuthEvent[] = [];
        server.inject({ status: 400, body: 'no json' });
        const strategy: AuthStrategy = {
          name: 'quirk',
          specVersion: 1,
          authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
          isRejected: async (response) => Boolean(await response.json()),
          recover: () => true,
        };
        const response = await adapter.attach(strategy, { onEvent: (event) => events.push(event) })(`${server.origin}/a`);
        expect(response).toMatchObject({ status: 400, text: 'no json' });
        expect(events).toEqual([{ type: 'rejection-check-failed', strategy: 'quirk', status: 400 }]);
      });

      it('leaves no socket behind: the rejected response is given up before the replay ends', async () => {
        const { strategy } = rotatingTokens();
        server.inject({
          status: 401,
          body: 'x'.repeat(2_000_000),
          times: 20,
          when: ({ headers }) => headers['authorization'] === 'Bearer t1',
        });
        const call = adapter.attach(strategy);
        await Promise.all(Array.from({ length: 20 }, () => call(`${server.origin}/items`)));
        expect(server.requests).toHaveLength(40);
        // Those that are kept alive carried a replay; one that still holds a rejected body would come on top.
        await expect.poll(() => server.openSockets, { timeout: 300 }).toBeLessThanOrEqual(20);
      });

      it('is recovered from once and replayed once, whatever the strategy would like', async () => {
        server.inject({ status: 401, times: Number.POSITIVE_INFINITY });
        let recoveries = 0;
        const stubborn: AuthStrategy = {
          name: 'stubborn',
          specVersion: 1,
          authorize: () => ({ headers: { Authorization: 'Stubborn 1' } }),
          recover: () => ++recoveries > 0,
        };
        expect((await adapter.attach(stubborn)(`${server.origin}/items`)).status).toBe(401);
        expect([recoveries, server.requests.length]).toEqual([1, 2]);
        server.clearRequests();
        await adapter.attach(stubborn, { maxAttempts: 4 })(`${server.origin}/items`);
        expect([recoveries, server.requests.length]).toEqual([4, 4]);
      });
    });

    describe('what the caller set itself', () => {
      it.each([
        ['a header', basic({ username: 'u', password: 'p' }), { headers: { authorization: 'Mine 1' } }, '/items'],
        ['a header in other case', apiKey({ key: 'ours-key' }), { headers: { 'x-api-KEY': 'mine' } }, '/items'],
        ['a query parameter', apiKey({ key: 'ours-key', in: 'query', name: 'key' }), {}, '/items?key=mine'],
        ['a cookie', apiKey({ key: 'ours-key', in: 'cookie', name: 'key' }), { headers: { Cookie: 'a=1; key=mine' } }, '/items'],
      ] as const)('wins as %s, is not recovered from, and an event says so', async (_, strategy, request, path) => {
        const events: AuthEvent[] = [];
        server.inject({ status: 401 });
        const response = await adapter.attach(strategy, { onEvent: (event) => events.push(event) })(`${server.origin}${path}`, request);
        expect(response.status).toBe(401);
        expect(server.requests).toHaveLength(1);
        expect(JSON.stringify(server.requests[0])).not.toMatch(/ours-key|Basic/);
        expect(events).toMatchObject([{ type: 'credential-conflict', strategy: strategy.name }]);
      });

      it('keeps its cookies, with ours appended', async () => {
        await adapter.attach(apiKey({ key: 'k1', in: 'cookie', name: 'key' }))(`${server.origin}/a`, { headers: { Cookie: 'a=1; b=2' } });
        expect(server.requests[0]!.headers['cookie']).toBe('a=1; b=2; key=k1');
      });

      it("leaves out one child of a compose only: the others' recovery still works", async () => {
        const { strategy } = rotatingTokens();
        acceptOnly('t2');
        const both = compose(staticHeaders({ 'User-Agent': 'ours/1', 'X-Tenant': 'acme' }), strategy);
        const response = await adapter.attach(both)(`${server.origin}/a`, { headers: { 'user-agent': 'mine/2' } });
        expect(response.status).toBe(200);
        expect(server.requests[1]!.headers).toMatchObject({ 'user-agent': 'mine/2', 'x-tenant': 'acme', authorization: 'Bearer t2' });
      });

      it('is never changed: URL bytes stay as they were, a query key is appended encoded', async () => {
        const query = `a=it's&b=[x|y]&c=%2f+%20&d=`;
        await adapter.attach(apiKey({ key: 'k&=+ é', in: 'query', name: 'api key' }))(`${server.origin}/i?${query}#frag`);
        await fetch(`${server.origin}/i?${query}`);
        const [ours, bare] = server.requests;
        expect(ours!.query).toBe(`${bare!.query}&api%20key=k%26%3D%2B%20%C3%A9`);
      });
    });

    describe('authStrategy per request', () => {
      it('false sends without, another strategy sends with that one', async () => {
        const call = adapter.attach(apiKey({ key: 'default-key' }));
        await call(`${server.origin}/a`, { authStrategy: false });
        await call(`${server.origin}/a`, { authStrategy: apiKey({ key: 'other-key' }) });
        await call(`${server.origin}/a`);
        expect(server.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, 'other-key', 'default-key']);
      });
    });

    describe('where credentials go', () => {
      it('only to origins that are named; elsewhere bare, with an event', async () => {
        const events: AuthEvent[] = [];
        const call = adapter.attach(apiKey({ key: 'k1' }), { origins: 'https://api.example.com', onEvent: (event) => events.push(event) });
        await call(`${server.origin}/a`);
        expect(server.requests[0]!.headers['x-api-key']).toBeUndefined();
        expect(events).toEqual([{ type: 'request-bare', strategy: 'apiKey', origin: server.origin, reason: 'origin-not-allowed' }]);
      });
    });

    describe('aborts and timeouts', () => {
      const never = (): AuthStrategy => ({ name: 'never', specVersion: 1, authorize: () => new Promise(() => {}) });

      it('an abort while waiting for credentials ends at once and sends nothing', async () => {
        const controller = new AbortController();
        const call = adapter.attach(never())(`${server.origin}/a`, { signal: controller.signal });
        controller.abort(new Error('user left'));
        await expect(call).rejects.toThrow('user left');
        expect(server.requests).toHaveLength(0);
      });

      it('an abort before the call sends nothing and asks nobody', async () => {
        const call = adapter.attach(apiKey({ key: () => expect.unreachable() }))(`${server.origin}/a`, {
          signal: AbortSignal.abort(new Error('left')),
        });
        await expect(call).rejects.toThrow('left');
        expect(server.requests).toHaveLength(0);
      });

      it('an abort during a recovery ends this wait only: the refresh goes on', async () => {
        let count = 0;
        let finish = (): void => {};
        const source = createTokenManager({
          key: 'test',
          fetchToken: async () => {
            if (++count > 1) await new Promise<void>((resolve) => (finish = resolve));
            return { accessToken: `t${count}`, tokenType: 'Bearer' };
          },
        });
        acceptOnly('t2');
        const controller = new AbortController();
        const call = adapter.attach(fromTokenSource(source, { name: 'tokens' }));
        const left = call(`${server.origin}/a`, { signal: controller.signal });
        await expect.poll(() => count).toBe(2);
        const stays = call(`${server.origin}/a`);
        controller.abort(new Error('user left'));
        await expect(left).rejects.toThrow('user left');
        finish();
        expect((await stays).status).toBe(200);
        expect(count).toBe(2);
      });

      it('timeoutMs covers the wait for credentials', async () => {
        await expect(adapter.attach(never(), { timeoutMs: 20 })(`${server.origin}/a`)).rejects.toMatchObject({
          code: 'AUTH_TIMEOUT',
          strategy: 'never',
        });
        expect(server.requests).toHaveLength(0);
      });
    });

    describe('200 concurrent calls on a rejected token', () => {
      it.each([
        ['answered at once', 0],
        ['answers spread over 0–100 ms', 100],
      ])('%s: one token request, none fails', async (_, spreadMs) => {
        const { strategy, count } = rotatingTokens();
        const call = adapter.attach(strategy);
        await call(`${server.origin}/warm`);
        server.inject({ delayMs: () => Math.random() * spreadMs, times: Number.POSITIVE_INFINITY });
        acceptOnly('t2');
        const responses = await Promise.all(Array.from({ length: 200 }, (_, index) => call(`${server.origin}/items?${index}`)));
        expect(responses.every(({ status }) => status === 200)).toBe(true);
        expect(count()).toBe(2);
      });
    });

    it('an error of a strategy is typed, never a TypeError, and nothing is sent', async () => {
      const strategy: AuthStrategy = {
        name: 'broken',
        specVersion: 1,
        authorize: () => {
          throw new TypeError('Headers.append: "s3cret-value" is an invalid header value.');
        },
      };
      const error: Error = await adapter
        .attach(strategy)(`${server.origin}/a`)
        .then(
          () => expect.unreachable(),
          (thrown) => thrown,
        );
      expect(error).not.toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ code: 'STRATEGY_FAILED', strategy: 'broken' });
      expect(`${error} ${error.cause}`).not.toContain('s3cret');
      expect(server.requests).toHaveLength(0);
    });

    it('a header value that HTTP cannot carry is refused without being shown', async () => {
      const strategy: AuthStrategy = {
        name: 'odd',
        specVersion: 1,
        authorize: () => ({ headers: { Authorization: 'Bearer s3cret\r\nX: 1' } }),
      };
      const error: Error = await adapter
        .attach(strategy)(`${server.origin}/a`)
        .then(
          () => expect.unreachable(),
          (thrown) => thrown,
        );
      expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR' });
      expect(String(error)).not.toContain('s3cret');
      expect(server.requests).toHaveLength(0);
    });
  });
}
