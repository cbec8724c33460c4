// The faults of a token endpoint, by the numbers of the reliability document, through clientCredentials and the fetch adapter over real sockets.
import { withAuth } from '@authseam/adapter-fetch';
import { type ClientCredentialsOptions, clientCredentials } from '@authseam/auth-client-credentials';
import type { AuthError, AuthEvent, TokenEndpointError } from '@authseam/core';
import { type Fault, findSecret, type LoopbackServer, loopbackServer, plantSecret } from '@authseam/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { selfSigned } from '../../testing/src/fixtures/self-signed.ts';

const SECRET = plantSecret('client-secret');
const TOKEN = plantSecret('access-token');
const ALWAYS = Number.POSITIVE_INFINITY;

let server: LoopbackServer;

beforeAll(async () => {
  server = await loopbackServer({
    routes: {
      'POST /token': { purpose: 'token', handle: () => ({ body: { access_token: TOKEN, token_type: 'Bearer', expires_in: 3600 } }) },
      'GET /me': ({ headers }) => (headers['authorization'] ? { body: { me: 'ok' } } : { status: 401 }),
      '*': { purpose: 'elsewhere', handle: () => ({ body: {} }) },
    },
  });
});
beforeEach(() => {
  server.clearFaults();
  server.clearRequests();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(async () => {
  await server.close();
});

/** With `random` at 0 there is no pause between attempts. */
function grant(options: Partial<ClientCredentialsOptions> = {}) {
  const strategy = clientCredentials({
    tokenEndpoint: `${server.origin}/token`,
    clientId: 'matrix',
    clientSecret: SECRET,
    random: () => 0,
    ...options,
  } as ClientCredentialsOptions);
  const events: AuthEvent[] = [];
  const api = withAuth(fetch, strategy, { onEvent: (event) => events.push(event) });
  return { strategy, events, call: () => api(`${server.origin}/me`) };
}

function tokenRequests(): number {
  return server.requests.filter(({ route }) => route === 'token').length;
}

const json = (body: unknown, status = 200): Fault => ({
  at: 'token',
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});
const answer = (fields: Record<string, unknown>): Fault => json({ access_token: TOKEN, token_type: 'Bearer', ...fields });

/** A fault that a call fails on, and the error it gets. */
interface Failure {
  readonly fault: string;
  readonly faults: readonly Fault[];
  readonly options?: Partial<ClientCredentialsOptions>;
  readonly error: Partial<TokenEndpointError & AuthError>;
  readonly requests: number;
}

const failures: readonly Failure[] = [
  ...[500, 502, 503, 504].map((status) => ({
    fault: `1: ${status}, three times`,
    faults: [{ at: 'token', status, times: 3 }],
    error: { code: 'TOKEN_ENDPOINT_ERROR', status },
    requests: 3,
  })),
  { fault: '3: 429, three times', faults: [{ at: 'token', status: 429, times: 3 }], error: { status: 429 }, requests: 3 },
  {
    fault: '2: Retry-After of 45 s fails now',
    faults: [{ at: 'token', status: 503, headers: { 'Retry-After': '45' } }],
    error: { status: 503, retryAfterMs: 45_000 },
    requests: 1,
  },
  {
    fault: '6: reset before headers',
    faults: [{ at: 'token', reset: 'before-headers', times: 3 }],
    error: { code: 'TOKEN_REQUEST_FAILED' },
    requests: 3,
  },
  {
    fault: '6: reset mid-body',
    faults: [{ at: 'token', reset: 'mid-body', times: 3 }],
    error: { code: 'TOKEN_REQUEST_FAILED' },
    requests: 3,
  },
  {
    fault: '8: HTML with 200',
    faults: [{ at: 'token', status: 200, headers: { 'Content-Type': 'text/html' }, body: `<p>${TOKEN}</p>` }],
    error: { code: 'TOKEN_ENDPOINT_ERROR', status: 200 },
    requests: 1,
  },
  {
    fault: '8: HTML with 502',
    faults: [{ at: 'token', status: 502, headers: { 'Content-Type': 'text/html' }, body: `<p>${TOKEN}</p>`, times: 3 }],
    error: { code: 'TOKEN_ENDPOINT_ERROR', status: 502 },
    requests: 3,
  },
  {
    fault: '8: JSON cut short',
    faults: [{ at: 'token', status: 200, body: `{"access_token":"${TOKEN}` }],
    error: { status: 200 },
    requests: 1,
  },
  {
    fault: '9: error with 200',
    faults: [answer({ error: 'invalid_request' })],
    error: { status: 200, error: 'invalid_request' },
    requests: 1,
  },
  { fault: '9: ok false with 200', faults: [answer({ ok: false })], error: { status: 200 }, requests: 1 },
  { fault: '11: empty 200', faults: [{ at: 'token', status: 200 }], error: { status: 200 }, requests: 1 },
  { fault: '11: 204', faults: [{ at: 'token', status: 204 }], error: { status: 204 }, requests: 1 },
  ...[null, [], 'text', 7].map((body) => ({
    fault: `11: ${JSON.stringify(body)}`,
    faults: [json(body)],
    error: { status: 200 },
    requests: 1,
  })),
  ...[undefined, '', 7, null, {}, 'a b', 'a\r\nb'].map((value) => ({
    fault: `12: access_token ${JSON.stringify(value)}`,
    faults: [answer({ access_token: value })],
    error: { status: 200 },
    requests: 1,
  })),
  ...['3600s', true, 'NaN', -1, '-1', {}, []].map((value) => ({
    fault: `14: expires_in ${JSON.stringify(value)}`,
    faults: [answer({ expires_in: value })],
    error: { status: 200 },
    requests: 1,
  })),
  ...[undefined, 'mac', '', 7].map((value) => ({
    fault: `16: token_type ${JSON.stringify(value)}`,
    faults: [answer({ token_type: value })],
    error: { status: 200 },
    requests: 1,
  })),
  { fault: '19: 2 MiB', faults: [{ at: 'token', hugeBody: 2 ** 21 }], error: { code: 'TOKEN_ENDPOINT_ERROR' }, requests: 1 },
  { fault: '19: gzip bomb', faults: [{ at: 'token', gzipBomb: 2 ** 26 }], error: { code: 'TOKEN_ENDPOINT_ERROR' }, requests: 1 },
  ...[301, 302, 303, 307, 308].map((status) => ({
    fault: `27: redirect ${status}`,
    faults: [{ at: 'token', status, headers: { Location: '/elsewhere' } }],
    error: { code: 'TOKEN_ENDPOINT_ERROR', status },
    requests: 1,
  })),
  ...(['invalid_client', 'invalid_grant', 'unauthorized_client', 'invalid_scope'] as const).map((error) => ({
    fault: `${error} is not retried`,
    faults: [json({ error, error_description: `no: ${SECRET}` }, 400)],
    error: { status: 400, error },
    requests: 1,
  })),
  {
    fault: 'a server that repeats a secret as its error',
    faults: [json({ error: SECRET, error_description: `${TOKEN}? ${SECRET}`, access_token: TOKEN }, 400)],
    error: { status: 400, error: undefined },
    requests: 1,
  },
];

describe.each(failures)('fault $fault', ({ faults, options, error: expected, requests }) => {
  it('is a typed error, leaks nothing, sends no API request, and the next call works', async () => {
    server.inject(faults);
    const { call, strategy, events } = grant({ now: () => clock, ...options });
    let clock = Date.now();
    const error: AuthError = await call().then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ ...expected, strategy: 'clientCredentials' });
    expect(error).not.toBeInstanceOf(TypeError);
    expect(findSecret(error, [SECRET])).toEqual([]);
    expect(findSecret(error.message, [TOKEN])).toEqual([]);
    expect(findSecret(events, [SECRET, TOKEN])).toEqual([]);
    expect(server.pendingFaults).toBe(0);
    expect(tokenRequests()).toBe(requests);
    expect(server.requests).toHaveLength(requests);
    clock += 60_000;
    expect(await (await call()).json()).toEqual({ me: 'ok' });
    expect((await strategy.getToken()).accessToken).toBe(TOKEN);
  });
});

describe('trouble that passes', () => {
  it.each([
    [
      '1: 503, then 500',
      [
        { at: 'token', status: 503 },
        { at: 'token', status: 500 },
      ],
    ],
    ['3: 429', [{ at: 'token', status: 429 }]],
    [
      '6: reset, then reset mid-body',
      [
        { at: 'token', reset: 'on-arrival' },
        { at: 'token', reset: 'mid-body' },
      ],
    ],
    ['2: Retry-After 0', [{ at: 'token', status: 503, headers: { 'Retry-After': '0' } }]],
    ['2: Retry-After in the past', [{ at: 'token', status: 503, headers: { 'Retry-After': 'Wed, 21 Oct 2015 07:28:00 GMT' } }]],
    ['2: negative Retry-After', [{ at: 'token', status: 503, headers: { 'Retry-After': '-5' } }]],
    ['2: absurd Retry-After', [{ at: 'token', status: 503, headers: { 'Retry-After': '99999999999' } }]],
    ['2: Retry-After that is no time', [{ at: 'token', status: 503, headers: { 'Retry-After': 'soon' } }]],
  ] as [string, Fault[]][])('%s, costs nobody anything but time', async (_, faults) => {
    server.inject(faults);
    expect(await (await grant().call()).json()).toEqual({ me: 'ok' });
    expect(server.pendingFaults).toBe(0);
  });

  it('2: Retry-After of 1 s is waited for', async () => {
    server.inject({ at: 'token', status: 503, headers: { 'Retry-After': '1' } });
    const started = Date.now();
    await grant().call();
    expect(Date.now() - started).toBeGreaterThanOrEqual(990);
  });

  it.each([
    ['4: no answer', 'before-headers'],
    ['5: a stalled body', 'mid-body'],
  ] as const)('%s is given up after 10 s, for every waiter, and tried again', async (_, stall) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.inject({ at: 'token', stall, times: 3 });
    const { call } = grant();
    const waiters = Promise.allSettled([call(), call(), call()]);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await vi.waitUntil(() => tokenRequests() === attempt, { timeout: 5_000, interval: 5 });
      await vi.advanceTimersByTimeAsync(10_000);
    }
    for (const result of await waiters) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_REQUEST_TIMEOUT' } });
  });

  it('7: a refused connection is tried three times', async () => {
    const closed = await loopbackServer();
    await closed.close();
    const { call, events } = grant({ tokenEndpoint: `${closed.origin}/token` });
    await expect(call()).rejects.toMatchObject({ code: 'TOKEN_REQUEST_FAILED' });
    expect(events.filter(({ type }) => type === 'token-request-retry')).toHaveLength(2);
  });

  it('7: a certificate that does not verify is asked once', async () => {
    await using impostor = await loopbackServer({ host: 'localhost', tls: selfSigned() });
    const { call, events } = grant({ tokenEndpoint: `${impostor.origin}/token` });
    await expect(call()).rejects.toMatchObject({ code: 'TOKEN_REQUEST_FAILED' });
    expect(events.filter(({ type }) => type === 'token-request-retry')).toEqual([]);
    expect(impostor.requests).toEqual([]);
  });

  it('1: a valid token serves while its early refresh fails', async () => {
    let clock = Date.now();
    const { call } = grant({ now: () => clock });
    await call();
    server.inject({ at: 'token', status: 503, times: ALWAYS });
    clock += 3_600_000 - 60_000;
    expect((await call()).status).toBe(200);
    await vi.waitUntil(() => tokenRequests() === 4);
    expect((await call()).status).toBe(200);
  });
});

describe('answers that are odd and good', () => {
  const lives = async (fields: Record<string, unknown>, options: Partial<ClientCredentialsOptions> = {}): Promise<number> => {
    server.inject(answer(fields));
    const token = await grant({ now: () => 1_000_000, ...options }).strategy.getToken();
    return (token.expiresAtMs! - 1_000_000) / 1000;
  };
  const jwt = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c2ln`;

  it('13: expires_in absent: the option, the exp of a JWT, 300 s, in this order', async () => {
    expect(await lives({})).toBe(300);
    expect(await lives({ access_token: jwt(1_600) })).toBe(600);
    expect(await lives({ access_token: jwt(1_600) }, { tokenResponse: { lifetimeSeconds: 50 } })).toBe(50);
    expect(await lives({ access_token: jwt(1_600), expires_in: 70 }, { tokenResponse: { lifetimeSeconds: 50 } })).toBe(70);
  });

  it('14: expires_in as a numeric string; 0 means use once', async () => {
    expect(await lives({ expires_in: '3600' })).toBe(3600);
    server.inject({ ...answer({ expires_in: 0 }), times: 2 } as Fault);
    server.clearRequests();
    const { call } = grant();
    await call();
    await call();
    expect(tokenRequests()).toBe(2);
  });

  it('15: expires_in of 1e400 or 2^31 breaks no timer', async () => {
    for (const expiresIn of ['1e400', String(2 ** 31)]) {
      server.clearRequests();
      server.inject({ at: 'token', status: 200, body: `{"access_token":"${TOKEN}","token_type":"bearer","expires_in":${expiresIn}}` });
      const { call } = grant();
      await call();
      await call();
      expect(tokenRequests()).toBe(1);
    }
  });

  it("16: token_type BEARER is fine, and any with a scheme of one's own", async () => {
    expect(await lives({ token_type: 'BEARER', expires_in: 60 })).toBe(60);
    server.inject({ at: 'token', status: 200, body: { access_token: TOKEN, token_type: 'odd' } });
    await grant({ scheme: 'Token' }).call();
    expect(server.requests.at(-1)!.headers['authorization']).toBe(`Token ${TOKEN}`);
  });

  it('10: a form-encoded answer is read when asked for', async () => {
    server.inject({ at: 'token', status: 200, body: `access_token=${encodeURIComponent(TOKEN)}&token_type=bearer&expires_in=60` });
    expect((await grant({ tokenResponse: { format: 'form' } }).strategy.getToken()).accessToken).toBe(TOKEN);
  });

  it('20: __proto__ and constructor are nobody', async () => {
    server.inject({
      at: 'token',
      status: 200,
      body: '{"__proto__":{"access_token":"evil","token_type":"Bearer"},"constructor":{"access_token":"evil"}}',
    });
    await expect(grant().strategy.getToken()).rejects.toMatchObject({ status: 200 });
    expect({}).not.toHaveProperty('access_token');
  });

  it('18: a client credentials answer may bring a refresh token; it is not kept', async () => {
    server.inject(answer({ refresh_token: 'r1' }));
    expect(await grant().strategy.getToken()).not.toHaveProperty('refreshToken');
  });

  it('a narrower scope than asked for is reported', async () => {
    server.inject(answer({ scope: 'read' }));
    const { call, events } = grant({ scope: 'read write' });
    await call();
    expect(events).toContainEqual({ type: 'scope-changed', strategy: 'clientCredentials', requested: 'read write', granted: 'read' });
  });
});

describe('what is refused before anything is sent', () => {
  it.each([
    ['21: a secret with a trailing newline', { clientSecret: `${SECRET}\n` }, 'clientSecret'],
    ['21: a secret with CR LF inside', { clientSecret: `${SECRET}\r\nX: 1` }, 'clientSecret'],
    ['21: a secret with NUL', { clientSecret: `${SECRET}\0` }, 'clientSecret'],
    ['23: userinfo in the endpoint', { tokenEndpoint: 'https://user:s3cret-pass@login.example.com/token' }, 'tokenEndpoint'],
    ['25: http beyond loopback', { tokenEndpoint: 'http://login.example.com/token' }, 'tokenEndpoint'],
  ] as const)('%s', (_, options, option) => {
    let thrown: unknown;
    try {
      grant(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'CONFIGURATION_ERROR', option });
    expect(findSecret(thrown, [SECRET, 's3cret-pass'])).toEqual([]);
  });

  it('23: userinfo in the URL of a call, without showing it', async () => {
    const api = withAuth(fetch, grant().strategy);
    const error = await api('https://user:s3cret-pass@api.example.com/me').then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'url' });
    expect(findSecret(error, ['s3cret-pass'])).toEqual([]);
  });

  it('25: an API on plain http beyond loopback gets no credential', async () => {
    const seen: (string | null)[] = [];
    const fake = async (input: string | URL | Request, init?: RequestInit) => {
      seen.push(new Headers(init?.headers).get('authorization'));
      return new Response(String(input));
    };
    const { strategy } = grant();
    await withAuth(fake, strategy)('http://api.example.com/me');
    await withAuth(fake, strategy, { origins: 'http://api.example.com', allowInsecureHttp: true })('http://api.example.com/me');
    expect(seen).toEqual([null, `Bearer ${TOKEN}`]);
  });

  it('26: a redirect from https to http stops', async () => {
    const sent: string[] = [];
    const fake = async (input: string | URL | Request) => {
      sent.push(String(input));
      return new Response(null, { status: 302, headers: { Location: 'http://api.example.com/me' } });
    };
    const { strategy } = grant();
    await expect(withAuth(fake, strategy)('https://api.example.com/me')).rejects.toMatchObject({
      code: 'UNSAFE_DESTINATION',
      origin: 'http://api.example.com',
    });
    expect(sent).toEqual(['https://api.example.com/me']);
  });
});

describe('many callers', () => {
  it('39: 10,000 on a cold start make one token request', async () => {
    server.inject({ at: 'token', delayMs: 50 });
    const { strategy } = grant();
    const tokens = await Promise.all(Array.from({ length: 10_000 }, () => strategy.getToken()));
    expect(new Set(tokens).size).toBe(1);
    expect(tokenRequests()).toBe(1);
  });

  it('38: 200 on a rejected token, answers spread over 0–100 ms, make one, and none fails', async () => {
    let issued = 0;
    server.inject({
      at: 'token',
      transform: () => ({ body: { access_token: `t${++issued}`, token_type: 'Bearer', expires_in: 3600 } }),
      times: ALWAYS,
    });
    server.inject({ at: 'api', delayMs: () => Math.random() * 100, times: ALWAYS });
    const { call } = grant();
    await call();
    server.inject({ at: 'api', status: 401, times: ALWAYS, when: ({ headers }) => headers['authorization'] !== 'Bearer t2' });
    const responses = await Promise.all(Array.from({ length: 200 }, call));
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(issued).toBe(2);
  });

  it('a second wave inside the cool-down of a refused client makes none', async () => {
    server.inject({ ...json({ error: 'invalid_client' }, 401), times: ALWAYS } as Fault);
    const { call } = grant();
    for (let wave = 0; wave < 2; wave++) {
      const results = await Promise.allSettled(Array.from({ length: 100 }, call));
      expect(results.every((result) => result.status === 'rejected' && result.reason.error === 'invalid_client')).toBe(true);
    }
    expect(tokenRequests()).toBe(1);
  });

  it('40: two tenants at once never share a token', async () => {
    server.inject({
      at: 'token',
      transform: (_, { text }) => ({
        body: { access_token: `for-${new URLSearchParams(text).get('organization')}`, token_type: 'Bearer' },
      }),
      times: ALWAYS,
    });
    const { memoryStore } = await import('@authseam/core');
    const store = memoryStore();
    const tenants = ['a', 'b'].map((organization) => grant({ store, parameters: { organization } }).strategy);
    const tokens = await Promise.all(tenants.map((strategy) => strategy.getToken()));
    expect(tokens.map(({ accessToken }) => accessToken)).toEqual(['for-a', 'for-b']);
  });
});
