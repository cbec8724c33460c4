// Answers of a token endpoint on which a call fails.
import { type AuthError, memoryStore, type TokenEndpointError } from '@authseam/core';
import { type Fault, tokenFaults } from '@authseam/testing';
import { expect } from 'vitest';
import type { FaultRow } from './fault-row.ts';
import { page, tokenAnswer } from './token-answer.ts';

/** A fault on which a call fails, and how. */
interface Failure {
  readonly fault: FaultRow['fault'];
  readonly title: string;
  /** `token` is a secret: what the server says in place of a token answer may quote one. */
  readonly faults: (token: string, clientSecret: string) => Fault | readonly Fault[];
  readonly error: Partial<Omit<TokenEndpointError, 'code'> & AuthError>;
  /** Token requests until then. Default 1. */
  readonly requests?: number;
}

const failures: readonly Failure[] = [
  ...[500, 502, 503, 504].map((status) => ({
    fault: 1,
    title: `${status}, three times`,
    faults: () => ({ at: 'token', status, times: 3 }),
    error: { code: 'TOKEN_ENDPOINT_ERROR', status },
    requests: 3,
  })),
  { fault: 3, title: '429, three times', faults: () => ({ ...tokenFaults.tooMany, times: 3 }), error: { status: 429 }, requests: 3 },
  { fault: 8, title: 'HTML with 200', faults: (token) => page(200, token), error: { code: 'TOKEN_ENDPOINT_ERROR', status: 200 } },
  { fault: 8, title: 'HTML with 502', faults: (token) => ({ ...page(502, token), times: 3 }), error: { status: 502 }, requests: 3 },
  {
    fault: 8,
    title: 'JSON that ends in a token',
    faults: (token) => ({ at: 'token', status: 200, body: `{"access_token":"${token}` }),
    error: { status: 200 },
  },
  { fault: 8, title: 'a token and no JSON', faults: (token) => ({ at: 'token', status: 200, body: token }), error: { status: 200 } },
  {
    fault: 9,
    title: 'an error with status 200',
    faults: (token) => tokenAnswer({ access_token: token, error: 'invalid_request' }),
    error: { status: 200, error: 'invalid_request' },
  },
  {
    fault: 9,
    title: 'ok: false with status 200',
    faults: (token) => tokenAnswer({ access_token: token, ok: false }),
    error: { status: 200 },
  },
  {
    fault: 10,
    title: 'a form that nobody asked for',
    faults: (token) => ({ at: 'token', status: 200, body: `access_token=${encodeURIComponent(token)}&token_type=bearer` }),
    error: { status: 200 },
  },
  { fault: 11, title: 'nothing, with 200', faults: () => tokenFaults.empty, error: { status: 200 } },
  { fault: 11, title: '204', faults: () => tokenFaults.noContent, error: { status: 204 } },
  ...['null', '[]', '"text"', '7', 'true'].map((body) => ({
    fault: 11,
    title: `the JSON ${body}`,
    faults: () => ({ at: 'token', status: 200, headers: { 'Content-Type': 'application/json' }, body }),
    error: { status: 200 },
  })),
  ...[undefined, '', 7, null, {}, ['a'], 'a b', 'a\r\nb', 'ä'].map((value) => ({
    fault: 12,
    title: `the access_token ${JSON.stringify(value)}`,
    faults: () => tokenAnswer({ access_token: value }),
    error: { status: 200 },
  })),
  ...['3600s', true, 'NaN', -1, '-1', {}, [], ''].map((value) => ({
    fault: 14,
    title: `the expires_in ${JSON.stringify(value)}`,
    faults: (token: string) => tokenAnswer({ access_token: token, expires_in: value }),
    error: { status: 200 },
  })),
  ...[undefined, 'mac', '', 7, 'Bearer x'].map((value) => ({
    fault: 16,
    title: `the token_type ${JSON.stringify(value)}`,
    faults: (token: string) => tokenAnswer({ access_token: token, token_type: value }),
    error: { status: 200 },
  })),
  { fault: 19, title: '4 MiB', faults: () => tokenFaults.endless, error: { code: 'TOKEN_ENDPOINT_ERROR', status: 200 } },
  { fault: 19, title: 'a gzip bomb', faults: () => tokenFaults.gzipBomb, error: { code: 'TOKEN_ENDPOINT_ERROR', status: 200 } },
  {
    fault: 19,
    title: 'an error of 2 MiB',
    faults: () => tokenAnswer({ error: 'invalid_scope', error_description: 'x'.repeat(2 ** 21) }, 400),
    error: { code: 'TOKEN_ENDPOINT_ERROR', status: 400, error: undefined, message: expect.stringContaining('more than 1 MiB') },
  },
  {
    fault: 20,
    title: '__proto__ and constructor as an answer',
    faults: () => ({
      at: 'token',
      status: 200,
      body: '{"__proto__":{"access_token":"evil","token_type":"Bearer"},"constructor":{"access_token":"evil"}}',
    }),
    error: { status: 200 },
  },
  ...[301, 302, 303, 307, 308].flatMap((status) =>
    ['the same origin', 'another origin'].map((where) => ({
      fault: 27,
      title: `${status} to ${where}`,
      faults: () => ({ at: 'token', status, headers: { Location: where === 'the same origin' ? '/elsewhere' : '{elsewhere}' } }),
      error: { code: 'TOKEN_ENDPOINT_ERROR', status },
    })),
  ),
  ...(['invalid_client', 'invalid_grant', 'unauthorized_client', 'invalid_scope'] as const).map((error) => ({
    fault: 'refreshing' as const,
    title: `${error} is not tried again`,
    faults: (_: string, secret: string) => tokenAnswer({ error, error_description: `no: ${secret}` }, 400),
    error: { status: 400, error },
  })),
  {
    fault: 'secrets',
    title: 'a server that repeats what it was sent, as an error',
    faults: (token, secret) =>
      tokenAnswer({ error: secret, error_description: `${token}? ${secret} ${btoa(`matrix:${secret}`)}`, access_token: token }, 400),
    error: { status: 400, error: undefined },
  },
];

/** A typed error, nothing sent to the API, nothing stored; and the next call works. */
const failed = ({ fault, title, faults, error, requests = 1 }: Failure): FaultRow => ({
  fault,
  title: `${title}: a typed error, and the next call works`,
  async run(world) {
    const server = await world.server();
    const [token, clientSecret] = [world.secret('token of the answer', 'authorization'), world.secret('client secret')];
    server.inject([faults(token, clientSecret)].flat().map((each) => located(each, server.elsewhere.origin)));
    const stored = { accessToken: world.secret('stored token', 'authorization'), tokenType: 'Bearer', expiresAtMs: 1 };
    const store = memoryStore();
    store.set('key', stored);
    const strategy = world.clientCredentials(server, { clientSecret, store, storeKey: 'key' });
    const call = world.attach(strategy);
    const thrown = await world.failureOf(call(server.api));
    expect(thrown).toMatchObject({ ...error, strategy: 'clientCredentials' });
    expect(thrown).not.toBeInstanceOf(TypeError);
    expect([server.tokenRequests, server.requests.length, server.elsewhere.requests.length]).toEqual([requests, requests, 0]);
    // What was refused for good is taken out; nothing else touches the store.
    expect((await store.get('key'))?.entry).toEqual(error.error === 'invalid_grant' ? undefined : stored);
    expect({}).not.toHaveProperty('access_token');
    world.clock.jump(60_000);
    expect(await call(server.api)).toMatchObject({ status: 200 });
    expect(await strategy.getToken()).toMatchObject({ accessToken: server.issued[0] });
  },
});

function located(fault: Fault, origin: string): Fault {
  const text = JSON.stringify(fault.status === undefined ? null : fault.headers);
  return text?.includes('{elsewhere}') ? ({ ...fault, headers: { Location: `${origin}/token` } } as Fault) : fault;
}

export const tokenRefusalRows: readonly FaultRow[] = failures.map(failed);
