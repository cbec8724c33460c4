import { describe, expect, it } from 'vitest';
import { authorizationServer } from './authorization-server.ts';
import { type Answer, tokenServer } from './fixtures/token-server.ts';

const OIDC = '/.well-known/openid-configuration';
const OAUTH = '/.well-known/oauth-authorization-server';
const strategy = 's';

describe('authorizationServer', () => {
  it('asks nobody when the token endpoint is configured', async () => {
    const server = authorizationServer({ issuer: 'https://a.example', tokenEndpoint: 'https://b.example/token', strategy });
    expect(server.id).toBe('https://a.example https://b.example/token');
    expect(await server.metadata()).toEqual({ issuer: 'https://a.example', token_endpoint: 'https://b.example/token' });
    const other = authorizationServer({ tokenEndpoint: 'https://b.example/token', strategy });
    expect(other.id).toBe('https://b.example/token');
    expect(authorizationServer({ issuer: 'https://a.example', strategy }).id).toBe('https://a.example');
    expect(await other.metadata()).toEqual({ issuer: 'https://b.example/token', token_endpoint: 'https://b.example/token' });
  });

  it('finds OpenID Connect metadata, once for all', async () => {
    await using http = await tokenServer({ status: 404 });
    http.answers[OIDC] = { json: { issuer: http.origin, token_endpoint: `${http.origin}/token` } };
    const server = authorizationServer({ issuer: http.origin, strategy, userAgent: 'my-app/1.0' });
    await Promise.all([server.metadata(), server.metadata()]);
    expect((await server.metadata()).token_endpoint).toBe(`${http.origin}/token`);
    expect(http.requests.map(({ path }) => path)).toEqual([OIDC]);
    expect(http.requests[0]!.headers).toMatchObject({ accept: 'application/json', 'user-agent': 'my-app/1.0' });
  });

  it('falls back to RFC 8414, whose well-known part goes before the path', async () => {
    await using http = await tokenServer({ status: 404 });
    const issuer = `${http.origin}/tenant`;
    http.answers[`${OAUTH}/tenant`] = { json: { issuer, token_endpoint: `${http.origin}/token` } };
    expect((await authorizationServer({ issuer, strategy }).metadata()).issuer).toBe(issuer);
    expect(http.requests.map(({ path }) => path)).toEqual([`/tenant${OIDC}`, `${OAUTH}/tenant`]);
  });

  it.each([
    ['400', { status: 400 }],
    ['401', { status: 401 }],
    ['403', { status: 403 }],
    ['410', { status: 410 }],
    ['a page', { text: '<html>' }],
    ['another document', { json: { links: [] } }],
  ])('falls back as well where the OpenID Connect path answers with %s', async (_, answer) => {
    await using http = await tokenServer(answer);
    http.answers[OAUTH] = { json: { issuer: http.origin, token_endpoint: `${http.origin}/token` } };
    expect((await authorizationServer({ issuer: http.origin, strategy }).metadata()).issuer).toBe(http.origin);
  });

  it('names the URLs that it asked, where there is nothing, without a query', async () => {
    await using http = await tokenServer({ status: 404 });
    const error = await authorizationServer({ issuer: `${http.origin}/tenant?key=canary`, strategy })
      .metadata()
      .catch((caught) => caught);
    expect(error.message).toContain(` at ${http.origin}/tenant${OIDC} and ${http.origin}${OAUTH}/tenant (status 404)`);
    expect(error.message).not.toContain('canary');
  });

  it.each([429, 500, 503])('asks nowhere else when the server is busy (%d)', async (status) => {
    await using http = await tokenServer({ status });
    await expect(authorizationServer({ issuer: http.origin, strategy }).metadata()).rejects.toMatchObject({ status });
    expect(http.requests).toHaveLength(1);
  });

  it('compares issuers as strings', async () => {
    await using http = await tokenServer();
    http.answers[OIDC] = { json: { issuer: `${http.origin}/`, token_endpoint: `${http.origin}/token` } };
    const metadata = authorizationServer({ issuer: http.origin, strategy }).metadata();
    await expect(metadata).rejects.toMatchObject({
      name: 'ConfigurationError',
      option: 'issuer',
      message: expect.stringContaining(`'${http.origin}/'`),
    });
  });

  it.each(['http://login.example.com/token', 'https://a:b@login.example.com/token', 'token', undefined, 7])(
    'refuses metadata with the token endpoint %j',
    async (endpoint) => {
      await using http = await tokenServer();
      http.answers[OIDC] = { json: { issuer: http.origin, token_endpoint: endpoint } };
      const metadata = authorizationServer({ issuer: http.origin, strategy }).metadata();
      await expect(metadata).rejects.toMatchObject({ name: 'ConfigurationError', option: 'issuer' });
    },
  );

  it('lets no https issuer name a plain http token endpoint, on loopback either', async () => {
    const issuer = 'https://login.example.com';
    const fetch = async () => Response.json({ issuer, token_endpoint: 'http://127.0.0.1/token' });
    await expect(authorizationServer({ issuer, strategy, fetch }).metadata()).rejects.toMatchObject({ option: 'issuer' });
  });

  describe.each([
    'authorization_endpoint',
    'revocation_endpoint',
    'pushed_authorization_request_endpoint',
    'end_session_endpoint',
  ] as const)('%s of the metadata', (name) => {
    const answering = (issuer: string, endpoint: string) => {
      const fetch = async () => Response.json({ issuer, token_endpoint: `${issuer}/token`, [name]: endpoint });
      return { issuer, strategy, fetch };
    };

    it.each(['http://127.0.0.1/x', 'http://localhost:8080/x', 'HTTP://[::1]/x'])('may not be %s for an https issuer', async (endpoint) => {
      for (const issuer of ['https://login.example.com', 'HTTPS://login.example.com']) {
        await expect(authorizationServer(answering(issuer, endpoint)).metadata()).rejects.toMatchObject({
          code: 'CONFIGURATION_ERROR',
          option: 'issuer',
          message: expect.stringContaining(`\`${name}\``),
        });
      }
    });

    it('may be on loopback where the issuer is', async () => {
      const server = authorizationServer(answering('http://127.0.0.1:8080', 'http://127.0.0.1:8080/x'));
      expect(await server.metadata()).toMatchObject({ [name]: 'http://127.0.0.1:8080/x' });
    });

    it('does not matter where another one is configured', async () => {
      const endpoints = { [name]: 'https://login.example.com/mine' };
      const server = authorizationServer({ ...answering('https://login.example.com', 'http://127.0.0.1/x'), endpoints });
      expect(await server.metadata()).toMatchObject(endpoints);
    });
  });

  it.each([
    ['HTML', { text: '<html>secret-canary</html>' }, { status: 200 }],
    ['an empty body', {}, { status: 200 }],
    ['null', { text: 'null' }, { status: 200 }],
    ['a list', { json: [{ issuer: 'x' }] }, { status: 200 }],
    ['an issuer that is no string', { json: { issuer: 1 } }, { status: 200 }],
    ['a redirect', { status: 302, headers: { Location: '/elsewhere' } }, { status: 302 }],
    ['nothing at either path', { status: 404 }, { status: 404 }],
    ['another issuer', { json: { issuer: 'https://a.example', token_endpoint: 'https://a.example/t' } }, { option: 'issuer' }],
  ])('takes %s for no metadata, and asks again after 30 s', async (_, answer, error) => {
    await using http = await tokenServer(answer);
    let nowMs = 1_000_000;
    const server = authorizationServer({ issuer: http.origin, strategy, now: () => nowMs });
    const failure = { ...error, message: expect.not.stringContaining('canary') };
    await expect(server.metadata()).rejects.toMatchObject(failure);
    const { length } = http.requests;
    http.answers['*'] = { json: { issuer: http.origin, token_endpoint: `${http.origin}/token` } };
    nowMs += 29_999;
    await expect(server.metadata()).rejects.toMatchObject(failure);
    expect(http.requests).toHaveLength(length);
    nowMs += 1;
    expect((await server.metadata()).issuer).toBe(http.origin);
  });

  it('forgets a failure when the clock is set back before it', async () => {
    await using http = await tokenServer({ status: 404 });
    let nowMs = 1_000_000;
    const server = authorizationServer({ issuer: http.origin, strategy, now: () => nowMs });
    await expect(server.metadata()).rejects.toMatchObject({ status: 404 });
    http.answers['*'] = { json: { issuer: http.origin, token_endpoint: `${http.origin}/token` } };
    nowMs -= 1;
    expect((await server.metadata()).issuer).toBe(http.origin);
  });

  it.each([
    ['is busy', { status: 503, headers: { 'Retry-After': '2' } }, { status: 503, retryAfterMs: 2_000 }],
    ['breaks off', (response: { destroy(): void }) => response.destroy(), { code: 'TOKEN_REQUEST_FAILED' }],
  ])('asks again at once when the server %s', async (_, answer, error) => {
    await using http = await tokenServer(answer as Answer);
    const server = authorizationServer({ issuer: http.origin, strategy });
    await expect(server.metadata()).rejects.toMatchObject(error);
    http.answers['*'] = { json: { issuer: http.origin, token_endpoint: `${http.origin}/token` } };
    expect((await server.metadata()).issuer).toBe(http.origin);
  });

  it('ends with its signal, whose reason it throws', async () => {
    await using http = await tokenServer(() => {});
    const controller = new AbortController();
    const metadata = authorizationServer({ issuer: http.origin, strategy }).metadata(controller.signal);
    controller.abort(new Error('enough'));
    await expect(metadata).rejects.toThrow('enough');
  });

  it('is not held by a fetch that ignores its signal: the next call asks anew', async () => {
    const issuer = 'https://login.example.com';
    let requests = 0;
    const fetch = () =>
      ++requests === 1 ? new Promise<never>(() => {}) : Promise.resolve(Response.json({ issuer, token_endpoint: `${issuer}/token` }));
    const server = authorizationServer({ issuer, strategy, fetch });
    const controller = new AbortController();
    const first = server.metadata(controller.signal);
    const second = server.metadata();
    controller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect((await second).issuer).toBe(issuer);
    expect((await server.metadata(AbortSignal.abort())).issuer).toBe(issuer);
    expect(requests).toBe(2);
  });

  it('lets whoever joined a request leave it alone', async () => {
    const issuer = 'https://login.example.com';
    const answer = Promise.withResolvers<Response>();
    const server = authorizationServer({ issuer, strategy, fetch: () => answer.promise });
    const [first, second] = [server.metadata(), server.metadata(AbortSignal.abort(new Error('enough')))];
    await expect(second).rejects.toThrow('enough');
    answer.resolve(Response.json({ issuer, token_endpoint: `${issuer}/token` }));
    expect((await first).issuer).toBe(issuer);
  });

  it.each([
    ['tokenEndpoint', {}],
    ['tokenEndpoint', { tokenEndpoint: 'http://login.example.com' }],
    ['tokenEndpoint', { issuer: 'https://login.example.com', tokenEndpoint: '/token' }],
    ['issuer', { issuer: '' }],
    ['issuer', { issuer: 'login.example.com' }],
    ['issuer', { issuer: 'http://login.example.com' }],
    ['issuer', { issuer: `https://login.example.com${OIDC}` }],
    ['issuer', { issuer: `https://login.example.com${OAUTH}/tenant`, tokenEndpoint: 'https://login.example.com/token' }],
  ])('refuses %s in %j', (option, options) => {
    expect(() => authorizationServer({ ...options, strategy } as never)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option }),
    );
  });

  it('says what to give where nothing, or the URL of metadata, is given', () => {
    expect(() => authorizationServer({ strategy } as never)).toThrow('give `issuer` or `tokenEndpoint`');
    expect(() => authorizationServer({ issuer: `https://login.example.com${OIDC}`, strategy })).toThrow('the part before /.well-known/');
  });
});
