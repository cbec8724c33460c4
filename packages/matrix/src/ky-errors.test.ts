// The errors of ky: when they come, and that they show no credential.
import { withAuth } from '@authseam/adapter-ky';
import { apiKey } from '@authseam/auth-api-key';
import { findSecret, plantSecret } from '@authseam/testing';
import ky, { isHTTPError, isNetworkError, type Options } from 'ky';
import { describe, expect, it } from 'vitest';
import { acceptOnly, eager, errorOf, rotating, server, startServers, url, witness } from './fixtures/ky-subject.ts';
import { strategies } from './strategies.ts';

startServers();

describe('a second rejection', () => {
  it('is the HTTPError that ky makes of it', async () => {
    acceptOnly('never');
    const error = await errorOf(withAuth(ky, rotating().strategy).post(url(), { json: {} }));
    expect(isHTTPError(error)).toBe(true);
    expect(error).toMatchObject({ response: { status: 401 }, data: { error: 'rejected' }, request: { url: url(), method: 'POST' } });
    expect(server.requests).toHaveLength(2);
  });

  it('is the response with `throwHttpErrors: false`', async () => {
    acceptOnly('never');
    const response = await withAuth(ky, rotating().strategy)(url(), { throwHttpErrors: false });
    expect([response.status, await response.json()]).toEqual([401, { error: 'rejected' }]);
  });
});

describe("ky's errors show no credential", () => {
  const ways: Record<string, () => void> = {
    HTTPError: () => server.inject({ status: 401, times: 10 }),
    NetworkError: () => server.inject({ reset: 'before-headers', times: 10 }),
    TimeoutError: () => server.inject({ stall: 'before-headers', times: 10 }),
  };
  const cases = strategies.flatMap(({ name }) => Object.keys(ways).map((way) => [way, name] as const));

  it.each(cases)('%s, %s', async (way, name) => {
    const { strategy, secrets } = strategies.find((each) => each.name === name)!.create();
    ways[way]!();
    for (const { method, authStrategy } of [{ method: 'GET' }, { method: 'POST', authStrategy: strategy }] as Options[]) {
      const api = withAuth(eager, authStrategy ? apiKey({ key: 'not-used' }) : strategy);
      const options = {
        method: method!,
        ...(way === 'TimeoutError' && { timeout: 60 }),
        context: { a: 1 },
        ...(authStrategy && { authStrategy, body: new URLSearchParams('a=1') }),
      };
      const error = await errorOf(api(url(), options));
      expect(error.name).toBe(way);
      if (way !== 'TimeoutError') expect(server.requests.length).toBeGreaterThan(0);
      // A key in the query shows in the URL that was fetched, and nowhere else.
      if (name.endsWith('query')) delete error['response'];
      expect(findSecret(error, secrets)).toEqual([]);
    }
  });

  it('but a secret that stands on the request is found: the search works', async () => {
    const secret = plantSecret('caller');
    server.inject({ status: 401 });
    const error = await errorOf(withAuth(ky, apiKey({ key: 'k' }))(url(), { headers: { 'x-own': secret } }));
    expect(findSecret(error, [secret])).not.toEqual([]);
  });
});

it('a broken connection is a NetworkError of ky, after its retries', async () => {
  server.inject({ reset: 'on-arrival', times: Number.POSITIVE_INFINITY });
  const { strategy, seen } = witness();
  const error = await errorOf(withAuth(eager, strategy)(url()));
  expect(isNetworkError(error)).toBe(true);
  expect(seen).toHaveLength(3);
});
