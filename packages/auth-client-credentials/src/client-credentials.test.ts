import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import type { AuthEvent, AuthPatch, AuthRequest, AuthStrategy, TokenSet } from '@authseam/core';
import { authorizedFetch } from '@authseam/core/fetch';
import { describe, expect, it } from 'vitest';
import { type TokenServer, tokenServer, tokens } from '../../oauth2/src/fixtures/token-server.ts';
import { clientCredentials } from './client-credentials.ts';
import { clientId, clientSecret, counting, strategyFor } from './fixtures/strategy-for.ts';

const request: AuthRequest = { method: 'GET', url: 'https://api.example.com/', headers: { get: () => null }, replayable: true, attempt: 1 };

/** The Authorization header that a request gets, and the events on the way. */
async function authorized(strategy: AuthStrategy<TokenSet>) {
  const events: AuthEvent[] = [];
  const context = { now: Date.now, emit: (event: AuthEvent) => events.push(event) };
  const patch: AuthPatch<TokenSet> = await strategy.authorize(request, context);
  return { authorization: patch.headers?.['Authorization'], receipt: patch.receipt!, events };
}

describe('clientCredentials', () => {
  it('sends a token that it got for the client itself', async () => {
    await using server = await tokenServer();
    const strategy = strategyFor(server, {
      scope: ['read', 'write'],
      audience: 'https://api.example.com',
      parameters: { organization: 'org-1' },
    });
    const { authorization, events } = await authorized(strategy);
    expect(authorization).toBe('Bearer token-1');
    expect(events).toMatchObject([
      { type: 'token-fetched', strategy: 'clientCredentials', generation: 1, reason: 'missing' },
      { type: 'token-awaited', strategy: 'clientCredentials', generation: 1 },
    ]);
    const [{ form, headers }] = server.requests as [TokenServer['requests'][number]];
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'https://api.example.com',
      organization: 'org-1',
    });
    expect(atob(headers.authorization!.replace('Basic ', ''))).toBe('reports:s3cret%2Dcanary');
  });

  it('is a frozen strategy and a token source', async () => {
    await using server = await tokenServer();
    const strategy = strategyFor(server);
    expect(Object.isFrozen(strategy)).toBe(true);
    expect(strategy).toMatchObject({ name: 'clientCredentials', specVersion: 1, sensitive: { headers: ['authorization'] } });
    expect(server.requests).toEqual([]);
    const set = await strategy.getToken();
    expect(set).toMatchObject({ accessToken: 'token-1', tokenType: 'Bearer', expiresAtMs: expect.any(Number) });
    expect(strategy.getToken()).toBe(set);
  });

  it('makes one token request for any number of callers', async () => {
    await using server = await tokenServer();
    const strategy = strategyFor(server);
    await Promise.all(Array.from({ length: 10_000 }, () => strategy.getToken()));
    expect(server.requests).toHaveLength(1);
  });

  it('refreshes once when the token that was sent is rejected', async () => {
    await using server = await tokenServer(counting());
    const strategy = strategyFor(server);
    const { receipt } = await authorized(strategy);
    const context = { now: Date.now, emit: () => {} };
    const rejection = { status: 401, url: request.url, headers: { get: () => null }, text: async () => '', json: async () => null };
    const recovered = await Promise.all(Array.from({ length: 200 }, () => strategy.recover!(rejection, { request, receipt }, context)));
    expect(recovered.every(Boolean)).toBe(true);
    expect((await authorized(strategy)).authorization).toBe('Bearer token-2');
    expect(server.requests).toHaveLength(2);
  });

  it('forgets on invalidate', async () => {
    await using server = await tokenServer(counting());
    const strategy = strategyFor(server);
    await strategy.getToken();
    await strategy.invalidate();
    expect(await strategy.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('counts lifetimes on its own clock', async () => {
    await using server = await tokenServer(counting());
    let nowMs = 0;
    const strategy = strategyFor(server, { now: () => nowMs });
    expect(await strategy.getToken()).toMatchObject({ accessToken: 'token-1', expiresAtMs: 3_600_000 });
    nowMs = 3_595_000;
    expect(await strategy.getToken()).toMatchObject({ accessToken: 'token-2' });
  });

  it('uses a token that says 0 seconds once', async () => {
    await using server = await tokenServer(tokens({ expires_in: 0 }));
    const strategy = strategyFor(server);
    await strategy.getToken();
    await strategy.getToken();
    expect(server.requests).toHaveLength(2);
  });

  it('speaks to HUVR', async () => {
    await using server = await tokenServer({ json: { access_token: 'token-1' } });
    const strategy = strategyFor(server, {
      clientAuthentication: 'client_secret_post',
      tokenRequest: { format: 'json', fields: { grant_type: false }, headers: { 'User-Agent': 'my-app/1.0' } },
      tokenResponse: { lifetimeSeconds: 3600 },
      scheme: 'Token',
      now: () => 0,
    });
    const { authorization, receipt } = await authorized(strategy);
    expect(authorization).toBe('Token token-1');
    expect(receipt.expiresAtMs).toBe(3_600_000);
    expect(JSON.parse(server.requests[0]!.body)).toEqual({ client_id: clientId, client_secret: clientSecret });
    expect(server.requests[0]!.headers['user-agent']).toBe('my-app/1.0');
  });

  it('finds its server through the issuer, and addresses assertions to it', async () => {
    await using server = await tokenServer({ status: 404 });
    const { origin } = server;
    server.answers['/.well-known/oauth-authorization-server'] = { json: { issuer: origin, token_endpoint: `${origin}/token` } };
    server.answers['/token'] = tokens();
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await clientCredentials({ issuer: origin, clientId, privateKey: { key: () => pem, keyId: 'k1' } }).getToken();
    const [header, payload, signature] = server.requests.at(-1)!.form.get('client_assertion')!.split('.') as [string, string, string];
    const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(json(header)).toEqual({ alg: 'ES256', typ: 'client-authentication+jwt', kid: 'k1' });
    expect(json(payload)).toMatchObject({ iss: clientId, sub: clientId, aud: origin });
    const key = { key: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it('asks for the secret at each token request', async () => {
    await using server = await tokenServer(counting());
    let rotations = 0;
    const strategy = strategyFor(server, { clientSecret: async () => `secret${++rotations}` });
    await strategy.getToken();
    await strategy.getToken({ forceRefresh: true });
    expect(server.requests.map(({ headers }) => atob(headers.authorization!.slice(6)))).toEqual(['reports:secret1', 'reports:secret2']);
  });

  it('reports another scope than the requested one', async () => {
    await using server = await tokenServer(tokens({ scope: 'read' }));
    const { events } = await authorized(strategyFor(server, { scope: 'read write' }));
    expect(events).toContainEqual({ type: 'scope-changed', strategy: 'clientCredentials', requested: 'read write', granted: 'read' });
  });

  it('keeps no refresh token', async () => {
    await using server = await tokenServer(tokens({ refresh_token: 'refresh' }));
    expect(await strategyFor(server).getToken()).not.toHaveProperty('refreshToken');
  });

  it('looks the platform fetch up at each use', async () => {
    await using server = await tokenServer();
    const strategy = strategyFor(server);
    const { fetch } = globalThis;
    const urls: unknown[] = [];
    globalThis.fetch = (input, init) => {
      urls.push(input);
      return fetch(input, init);
    };
    try {
      await strategy.getToken();
    } finally {
      globalThis.fetch = fetch;
    }
    expect(urls).toEqual([server.tokenEndpoint]);
  });

  it('asks for its token past the fetch that it authorizes, be it the platform’s or given', async () => {
    await using server = await tokenServer();
    const { fetch } = globalThis;
    globalThis.fetch = authorizedFetch(authorizedFetch(fetch, strategyFor(server)), strategyFor(server)) as typeof fetch;
    try {
      const given = strategyFor(server, { fetch: globalThis.fetch });
      expect(await given.getToken()).toMatchObject({ accessToken: 'token-1' });
      const api = authorizedFetch(fetch, strategyFor(server));
      globalThis.fetch = api as typeof fetch;
      expect((await globalThis.fetch(`${server.origin}/api`)).status).toBe(200);
    } finally {
      globalThis.fetch = fetch;
    }
    expect(server.requests.map(({ path, headers }) => [path, headers.authorization?.split(' ')[0]])).toEqual([
      ['/token', 'Basic'],
      ['/token', 'Basic'],
      ['/api', 'Bearer'],
    ]);
  });

  it('lets isRejected say what a rejection is', async () => {
    await using server = await tokenServer();
    const isRejected = async () => true;
    expect(strategyFor(server, { isRejected }).isRejected).toBe(isRejected);
    expect(strategyFor(server)).not.toHaveProperty('isRejected');
  });
});
