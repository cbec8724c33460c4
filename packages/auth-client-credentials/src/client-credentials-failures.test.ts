import { fromEnv, isAuthError } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { tokenServer, tokens } from '../../oauth2/src/fixtures/token-server.ts';
import { clientCredentials } from './client-credentials.ts';
import { clientId, clientSecret, strategyFor } from './fixtures/strategy-for.ts';

describe('clientCredentials, when its token request fails', () => {
  it('tries again after 503, and not after invalid_client', async () => {
    await using server = await tokenServer(tokens());
    let failures = 2;
    server.answers['*'] = (response) => {
      if (failures-- > 0) response.writeHead(503, { 'Retry-After': '0' }).end();
      else response.end(JSON.stringify(tokens().json));
    };
    expect(await strategyFor(server).getToken()).toMatchObject({ accessToken: 'token-1' });
    expect(server.requests).toHaveLength(3);

    server.answers['*'] = { status: 401, json: { error: 'invalid_client' } };
    const refused = strategyFor(server);
    for (const _ of [1, 2, 3])
      await expect(refused.getToken()).rejects.toMatchObject({ name: 'TokenEndpointError', error: 'invalid_client' });
    expect(server.requests).toHaveLength(4);
  });

  it.each([
    ['401 without a word', { status: 401 }],
    ['401 in words of its own', { status: 401, json: { detail: 'Incorrect authentication credentials.' } }],
  ])('does not go on asking after %s', async (_, answer) => {
    await using server = await tokenServer(answer);
    let nowMs = 0;
    const strategy = strategyFor(server, { now: () => nowMs });
    for (let call = 0; call < 50; call++)
      await expect(strategy.getToken()).rejects.toMatchObject({ name: 'TokenEndpointError', status: 401, error: undefined });
    expect(server.requests).toHaveLength(1);
    nowMs = 30_001;
    await expect(strategy.getToken()).rejects.toMatchObject({ status: 401 });
    expect(server.requests).toHaveLength(2);
  });

  it('does not go on asking an issuer that has no metadata', async () => {
    await using server = await tokenServer({ status: 404 });
    const strategy = clientCredentials({ issuer: server.origin, clientId, clientSecret });
    for (let call = 0; call < 50; call++) await expect(strategy.getToken()).rejects.toMatchObject({ status: 404 });
    expect(server.requests).toHaveLength(2);
  });

  it('recovers from a metadata request that never ends', async () => {
    const issuer = 'https://login.example.com';
    let requests = 0;
    const fetch = async (url: string) => {
      if (++requests === 1) await new Promise(() => {});
      return Response.json(url.includes('well-known') ? { issuer, token_endpoint: `${issuer}/token` } : tokens().json);
    };
    vi.useFakeTimers();
    try {
      const token = clientCredentials({ issuer, clientId, clientSecret, fetch, random: () => 0 }).getToken();
      await vi.advanceTimersByTimeAsync(10_001);
      expect(await token).toMatchObject({ accessToken: 'token-1' });
    } finally {
      vi.useRealTimers();
    }
    expect(requests).toBe(3);
  });

  it('tells a secret or key that cannot be had from a token endpoint that fails, and does not ask again', async () => {
    await using server = await tokenServer();
    let asked = 0;
    const vault = async () => {
      asked += 1;
      throw Object.assign(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }), { request: clientSecret });
    };
    const bug = () => {
      throw new TypeError("Cannot read properties of undefined (reading 'connect')");
    };
    for (const [option, read] of Object.entries({ clientSecret: vault, privateKey: vault })) {
      asked = 0;
      const error = await Promise.resolve(strategyFor(server, { clientSecret: undefined, [option]: read }).getToken()).catch((e) => e);
      expect(error).toMatchObject({ name: 'AuthError', code: 'STRATEGY_FAILED', strategy: 'clientCredentials' });
      expect(error.message).toContain(`\`${option}\``);
      expect(error.cause).toMatchObject({ message: 'fetch failed', cause: { message: 'connect ECONNREFUSED' } });
      expect(error.cause).not.toHaveProperty('request');
      expect(asked).toBe(1);
    }
    await expect(strategyFor(server, { clientSecret: bug }).getToken()).rejects.toMatchObject({ code: 'STRATEGY_FAILED' });
    for (const [option, read] of Object.entries({ clientSecret: fromEnv('NAME_NOT_SET'), privateKey: fromEnv('NAME_NOT_SET') })) {
      await expect(strategyFor(server, { clientSecret: undefined, [option]: read }).getToken()).rejects.toMatchObject({
        name: 'ConfigurationError',
        option,
        strategy: 'clientCredentials',
        message: expect.stringMatching(/^clientCredentials: .*NAME_NOT_SET/),
      });
    }
    expect(server.requests).toEqual([]);
  });

  it('shows its secrets nowhere', async () => {
    await using server = await tokenServer((response, { headers }) => {
      response.writeHead(400).end(JSON.stringify({ error: 'x', error_description: `${headers.authorization} ${clientSecret}` }));
    });
    const strategy = strategyFor(server);
    const error = await Promise.resolve(strategy.getToken()).catch((caught) => caught);
    expect(isAuthError(error)).toBe(true);
    const { inspect } = await import('node:util');
    const shown = inspect([strategy, error], { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify([strategy, error]);
    for (const secret of [clientSecret, btoa('reports:s3cret%2Dcanary')]) expect(shown).not.toContain(secret);
  });
});
