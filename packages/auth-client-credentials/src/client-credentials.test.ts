import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import {
  type AuthEvent,
  type AuthPatch,
  type AuthRequest,
  type AuthStrategy,
  fromEnv,
  isAuthError,
  memoryStore,
  type TokenSet,
} from '@authseam/core';
import { authorizedFetch } from '@authseam/core/fetch';
import { describe, expect, it, vi } from 'vitest';
import { type Answer, type TokenServer, tokenServer, tokens } from '../../oauth2/src/fixtures/token-server.ts';
import { type ClientCredentialsOptions, clientCredentials } from './client-credentials.ts';

const clientId = 'reports';
const clientSecret = 's3cret-canary';
const request: AuthRequest = { method: 'GET', url: 'https://api.example.com/', headers: { get: () => null }, replayable: true, attempt: 1 };

function strategyFor(server: TokenServer, options: object = {}) {
  return clientCredentials({ tokenEndpoint: server.tokenEndpoint, clientId, clientSecret, random: () => 0, ...options });
}

/** The Authorization header that a request gets, and the events on the way. */
async function authorized(strategy: AuthStrategy<TokenSet>) {
  const events: AuthEvent[] = [];
  const context = { now: Date.now, emit: (event: AuthEvent) => events.push(event) };
  const patch: AuthPatch<TokenSet> = await strategy.authorize(request, context);
  return { authorization: patch.headers?.['Authorization'], receipt: patch.receipt!, events };
}

/** Answers `token-1`, `token-2` and so on. */
function counting(): Answer {
  let count = 0;
  return (response) => response.end(JSON.stringify({ access_token: `token-${++count}`, token_type: 'Bearer', expires_in: 3600 }));
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

describe('the store key', () => {
  /** Under which key options put their token. */
  async function keyOf(options: object): Promise<string> {
    const keys = new Set<string>();
    const memory = memoryStore();
    const store = {
      ...memory,
      get: (key: string) => {
        keys.add(key);
        return memory.get(key);
      },
    };
    const fetch = async () => Response.json(tokens().json);
    const defaults = { tokenEndpoint: 'https://login.example.com/token', clientId, clientSecret };
    await clientCredentials({ ...defaults, fetch, store, ...options } as ClientCredentialsOptions).getToken();
    expect(keys.size).toBe(1);
    return [...keys].join();
  }

  it('reads as what it holds, without the secret', async () => {
    expect(await keyOf({ scope: 'write read', audience: 'https://api.example.com', resource: 'urn:b' })).toBe(
      '["client_credentials","https://login.example.com/token","reports",["audience","https://api.example.com"],["resource","urn:b"],["scope","read write"]]',
    );
  });

  it('is another for everything that makes two tokens different', async () => {
    const different = [
      {},
      { clientId: 'other' },
      { tokenEndpoint: 'https://login.example.com/other' },
      { issuer: 'https://login.example.com' },
      { scope: 'read' },
      { audience: 'urn:a' },
      { resource: 'urn:a' },
      { resource: ['urn:a', 'urn:b'] },
      { parameters: { organization: 'a' } },
      { parameters: { organization: 'b' } },
    ];
    const keys = await Promise.all(different.map(keyOf));
    expect(new Set(keys).size).toBe(different.length);
  });

  it('is the same for what asks for the same', async () => {
    expect(await keyOf({ scope: ['b', 'a'], clientSecret: 'other' })).toBe(await keyOf({ scope: 'a b' }));
    expect(await keyOf({ storeKey: 'mine' })).toBe('mine');
  });

  it('shares a token between strategies', async () => {
    await using server = await tokenServer(counting());
    const store = memoryStore();
    const [first, second, other] = [
      strategyFor(server, { store }),
      strategyFor(server, { store }),
      strategyFor(server, { store, scope: 'a' }),
    ];
    const sets = [await first.getToken(), await second.getToken(), await other.getToken()];
    expect(sets.map(({ accessToken }) => accessToken)).toEqual(['token-1', 'token-1', 'token-2']);
  });
});

describe('options', () => {
  it('are needed, and a misspelt one is told', () => {
    expect(() => clientCredentials(undefined as never)).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'options' }));
    const misspelt = { tokenEndpoint: 'https://login.example.com/token', clientId, clientSecret, audiance: 'urn:a' };
    expect(() => clientCredentials(misspelt)).toThrow(/`audiance`. Did you mean `audience`\?/);
  });

  it.each([
    ['tokenEndpoint', { tokenEndpoint: undefined }],
    ['tokenEndpoint', { tokenEndpoint: 'http://login.example.com/token' }],
    ['issuer', { issuer: 'login.example.com', tokenEndpoint: undefined }],
    ['clientId', { clientId: '' }],
    ['clientSecret', { clientSecret: undefined }],
    ['clientSecret', { clientSecret: 'canary\n' }],
    ['clientSecret', { clientAuthentication: 'none' }],
    ['clientAuthentication', { clientAuthentication: 'tls_client_auth' }],
    ['privateKey', { clientSecret: undefined, clientAuthentication: 'private_key_jwt' }],
    ['scope', { scope: 42 }],
    ['resource', { resource: 'api' }],
    ['parameters', { parameters: { grant_type: 'password' } }],
    ['tokenRequest', { tokenRequest: { format: 'xml' } }],
    ['tokenResponse', { tokenResponse: { accessToken: '' } }],
    ['scheme', { scheme: 'My Token' }],
    ['scheme', { scheme: '' }],
    ['storeKey', { storeKey: '' }],
    ['storeKey', { storeKey: 7 }],
    ['store', { store: new Map([['get', 1]]).values() }],
    ['store', { store: { get() {} } }],
    ['store', { store: { get() {}, set() {} } }],
    ['options', { clientID: 'canary' }],
    ['options', { scopes: 'read' }],
    ['isRejected', { isRejected: true }],
    ['fetch', { fetch: 'fetch' }],
    ['now', { now: 0 }],
    ['random', { random: 0 }],
  ])('%s is refused in %j, at construction', (option, options) => {
    const construct = () =>
      clientCredentials({ tokenEndpoint: 'https://login.example.com/token', clientId, clientSecret, ...options } as never);
    expect(construct).toThrow(expect.objectContaining({ name: 'ConfigurationError', option, strategy: 'clientCredentials' }));
    expect(construct).not.toThrow(/canary/);
  });
});
