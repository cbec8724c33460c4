import { gzipSync } from 'node:zlib';
import type { AuthEvent } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { type Answer, type TokenServer, tokenServer, tokens } from './fixtures/token-server.ts';
import { type GrantContext, type TokenEndpointClientOptions, tokenEndpointClient } from './token-endpoint-client.ts';

const nowMs = 1_700_000_000_000;
const SECRET = 's3cret-canary/+ä';

function grant(
  server: TokenServer,
  options: Partial<TokenEndpointClientOptions> = {},
  context?: GrantContext,
  pairs: [string, string][] = [],
) {
  const defaults = { tokenEndpoint: server.tokenEndpoint, clientId: 'id', clientSecret: SECRET, strategy: 'partner', now: () => nowMs };
  return tokenEndpointClient({ ...defaults, ...options } as TokenEndpointClientOptions).grant('client_credentials', pairs, context);
}

/** The error of a grant, with all that it shows. */
async function failure(answer: Answer, options?: Partial<TokenEndpointClientOptions>, pairs?: [string, string][]) {
  await using server = await tokenServer(answer);
  const error: Error & { error?: string; errorDescription?: string } = await grant(server, options, {}, pairs).then(
    () => expect.fail('no error'),
    (caught) => caught,
  );
  expect([error.name, 'strategy' in error && error.strategy]).toEqual(['TokenEndpointError', 'partner']);
  expect(error.message).toContain(`at ${server.origin}/token `);
  return error;
}

describe('a token request', () => {
  it('is the standard one', async () => {
    await using server = await tokenServer();
    await grant(server, {}, {}, [
      ['scope', 'a b'],
      ['resource', 'urn:a'],
      ['resource', 'urn:b'],
    ]);
    const [{ method, headers, form }] = server.requests as [TokenServer['requests'][number]];
    expect(method).toBe('POST');
    expect(headers).toMatchObject({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' });
    expect([...form]).toEqual([
      ['scope', 'a b'],
      ['resource', 'urn:a'],
      ['resource', 'urn:b'],
      ['grant_type', 'client_credentials'],
    ]);
    expect(headers.authorization).toMatch(/^Basic /);
  });

  it('carries the headers of the caller', async () => {
    await using server = await tokenServer();
    await grant(server, { tokenRequest: { headers: { 'User-Agent': 'my-app/1.0', 'X-Tenant': 'a', ACCEPT: 'application/vnd.x+json' } } });
    expect(server.requests[0]!.headers).toMatchObject({ 'user-agent': 'my-app/1.0', 'x-tenant': 'a', accept: 'application/vnd.x+json' });
  });

  it('takes the headers as a Headers object, too', async () => {
    await using server = await tokenServer();
    await grant(server, { tokenRequest: { headers: new Headers({ 'X-Tenant': 'a' }) as never } });
    expect(server.requests[0]!.headers).toMatchObject({ 'x-tenant': 'a', authorization: expect.stringMatching(/^Basic /) });
  });

  it('goes through the given fetch, with the signal, and follows nothing', async () => {
    const inits: RequestInit[] = [];
    const fetch = async (_url: string, init: RequestInit) => {
      inits.push(init);
      return Response.json(tokens().json);
    };
    const { signal } = new AbortController();
    await grant({ tokenEndpoint: 'https://login.example.com/token?tenant=a' } as TokenServer, { fetch }, { signal });
    expect(inits).toEqual([expect.objectContaining({ method: 'POST', redirect: 'manual', signal })]);
  });

  it('finds its endpoint through the issuer', async () => {
    await using server = await tokenServer();
    const { origin } = server;
    server.answers['/.well-known/openid-configuration'] = { json: { issuer: origin, token_endpoint: `${origin}/found` } };
    const options = {
      clientId: 'id',
      clientSecret: SECRET,
      strategy: 'partner',
      tokenRequest: { headers: { 'User-Agent': 'my-app/1.0' } },
    };
    const client = tokenEndpointClient({ issuer: origin, ...options });
    expect(client.serverId).toBe(origin);
    await client.grant('client_credentials', []);
    await client.grant('client_credentials', []);
    expect(server.requests.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration', '/found', '/found']);
    expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual(['my-app/1.0', 'my-app/1.0', 'my-app/1.0']);
  });
});

describe('a token response', () => {
  const receivedAtMs = nowMs;

  it('becomes a token set of the known members', async () => {
    await using server = await tokenServer(tokens({ token_type: 'BEARER', scope: 'a', refresh_token: 'r', id_token: 'i.d.t', email: 'x' }));
    expect(await grant(server)).toEqual({
      accessToken: 'token-1',
      tokenType: 'BEARER',
      receivedAtMs,
      expiresAtMs: nowMs + 3_600_000,
      scope: 'a',
      refreshToken: 'r',
      idToken: 'i.d.t',
    });
  });

  it.each([
    [3600, 3_600_000],
    ['3600', 3_600_000],
    ['1.5', 1_500],
    [0, 0],
    ['0', 0],
    [null, 300_000],
    [undefined, 300_000],
    [2 ** 31, 1e12],
    [1e300, 1e12],
  ])('expires_in %j is %d ms', async (expires_in, ms) => {
    await using server = await tokenServer(tokens({ expires_in }));
    expect((await grant(server)).expiresAtMs).toBe(nowMs + ms);
  });

  it('survives a lifetime beyond all numbers', async () => {
    await using server = await tokenServer({ text: '{"access_token":"t","token_type":"bearer","expires_in":1e400}' });
    expect((await grant(server)).expiresAtMs).toBe(nowMs + 1e12);
  });

  it.each(['3600s', true, -1, '-1', '', ' 3600', '0x10', '1e3', [], {}, 'NaN'])('expires_in %j is none', async (expires_in) => {
    expect((await failure(tokens({ expires_in }))).message).toContain('`expires_in`');
  });

  const jwt = `e30.${Buffer.from(JSON.stringify({ iat: 100, exp: 160 })).toString('base64url')}.c2ln`;
  it.each([
    ['the answer', tokens({ access_token: jwt, expires_in: 10 }), { lifetimeSeconds: 20 }, 10],
    ['the option', tokens({ access_token: jwt, expires_in: undefined }), { lifetimeSeconds: 20 }, 20],
    ['an option of 0', tokens({ access_token: jwt, expires_in: undefined }), { lifetimeSeconds: 0 }, 0],
    ['the JWT', tokens({ access_token: jwt, expires_in: undefined }), {}, 60],
    ['nobody', tokens({ expires_in: undefined }), {}, 300],
  ])('takes the lifetime that %s tells', async (_, answer, tokenResponse, seconds) => {
    await using server = await tokenServer(answer);
    expect((await grant(server, { tokenResponse })).expiresAtMs).toBe(nowMs + seconds * 1000);
  });

  it.each([undefined, null, '', 'mac', 'DPoP', 7])('is not used with token_type %j, unless the scheme is given', async (token_type) => {
    const answer = tokens({ token_type });
    expect((await failure(answer)).message).toMatch(/`token_type`.*`scheme`/);
    await using server = await tokenServer(answer);
    const tokenType = typeof token_type === 'string' && token_type ? token_type : 'Token';
    expect(await grant(server, { scheme: 'Token' })).toMatchObject({ accessToken: 'token-1', tokenType });
  });

  it.each([undefined, null, '', 42, {}, ['token'], 'a\nb', 'a\u0000', 'to ken', 'tökén', '\u007f'])(
    'has no access_token in %j',
    async (access_token) => {
      expect((await failure(tokens({ access_token }))).message).toContain('`access_token`');
    },
  );

  it.each(['scope', 'refresh_token', 'id_token'])('has no %s that is no string', async (name) => {
    expect((await failure(tokens({ [name]: ['a'] }))).message).toContain(`\`${name}\``);
  });

  it('is not told by prototypes', async () => {
    const text = '{"__proto__":{"access_token":"evil","token_type":"Bearer"},"constructor":{"access_token":"evil"}}';
    await failure({ text });
    Object.defineProperty(Object.prototype, 'access_token', { value: 'evil', configurable: true });
    try {
      await failure({ json: { token_type: 'Bearer' } });
      await failure({ json: { token_type: 'Bearer', data: {} } }, { tokenResponse: { accessToken: 'data.access_token' } });
    } finally {
      delete (Object.prototype as { access_token?: string })['access_token'];
    }
  });

  it.each([
    ['HTML', { text: '<html>canary</html>', headers: { 'Content-Type': 'text/html' } }],
    ['broken JSON', { text: '{"access_token":"canary' }],
    ['nothing', {}],
    ['204', { status: 204 }],
    ['null', { text: 'null' }],
    ['a list', { json: [tokens().json] }],
    ['a string', { json: 'canary' }],
    ['a number', { json: 42 }],
    ['HTML with 502', { status: 502, text: '<html>canary</html>' }],
  ])('is not %s', async (_, answer) => {
    const error = await failure(answer);
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain('canary');
    expect(error.cause).toBeUndefined();
  });

  it('is read up to 1 MiB', async () => {
    const padding = 'x'.repeat(1_048_576);
    await using server = await tokenServer(tokens({ padding: padding.slice(200) }));
    await grant(server);
    expect((await failure(tokens({ padding }))).message).toMatch(/^(?!.*redirects).*1 MiB/);
    expect(await failure({ status: 503, text: padding })).toMatchObject({ status: 503 });
    const bomb = gzipSync(JSON.stringify({ ...tokens().json, padding: 'x'.repeat(50_000_000) }));
    expect((await failure({ text: bomb, headers: { 'Content-Encoding': 'gzip' } })).message).toContain('1 MiB');
  });
});

describe('the granted scope', () => {
  it.each([
    ['a missing one is the requested one', undefined, 'b a', []],
    ['order is no difference', 'a b', 'a b', []],
    ['a narrower one is reported', 'a', 'a', ['a']],
    ['a wider one is reported', 'a b c', 'a b c', ['a b c']],
  ])('%s', async (_, scope, expected, granted) => {
    await using server = await tokenServer(tokens({ scope }));
    const events: AuthEvent[] = [];
    const set = await grant(server, {}, { scope: 'b a', emit: (event) => events.push(event) });
    expect(set.scope).toBe(expected);
    expect(events).toEqual(granted.map((text) => ({ type: 'scope-changed', strategy: 'partner', requested: 'b a', granted: text })));
  });

  it('is shown whole, up to 2,000 characters', async () => {
    const scope = Array.from({ length: 300 }, (_, index) => `scope:${index}`).join(' ');
    await using server = await tokenServer(tokens({ scope }));
    const events: AuthEvent[] = [];
    await grant(server, {}, { scope: 'b', emit: (event) => events.push(event) });
    expect(events).toMatchObject([{ granted: scope.slice(0, 2_000) }]);
  });

  it('is no news where none was requested, and needs no listener', async () => {
    await using server = await tokenServer(tokens({ scope: 'a' }));
    expect((await grant(server, {}, { emit: () => expect.fail() })).scope).toBe('a');
    expect((await grant(server, {}, { scope: 'b' })).scope).toBe('a');
  });

  it('shows no secret in the event', async () => {
    await using server = await tokenServer(tokens({ scope: `a ${SECRET}` }));
    const events: AuthEvent[] = [];
    await grant(server, {}, { scope: 'b', emit: (event) => events.push(event) });
    expect(JSON.stringify(events)).not.toContain('canary');
  });
});

describe('an error', () => {
  it.each([
    [
      { status: 400, json: { error: 'invalid_scope', error_description: 'No such scope' } },
      { status: 400, error: 'invalid_scope', errorDescription: 'No such scope' },
      /`scope`/,
    ],
    [{ status: 401, json: { error: 'invalid_client' } }, { status: 401, error: 'invalid_client' }, /`clientAuthentication`/],
    [{ json: { error: 'invalid_client' } }, { status: 200, error: 'invalid_client' }, /`clientAuthentication`/],
    [tokens({ error: 'server_error' }), { status: 200, error: 'server_error' }, /./],
    [tokens({ error: { code: 7 } }), { status: 200, error: undefined }, /./],
    [tokens({ ok: false }), { status: 200, error: undefined }, /./],
    [{ json: { ok: false, error: 'bad_client_secret' } }, { status: 200, error: 'bad_client_secret' }, /./],
    [{ status: 401, json: { detail: 'Incorrect credentials.' } }, { status: 401, error: undefined }, /`clientAuthentication`/],
    [{ status: 404 }, { status: 404 }, /`tokenEndpoint`/],
    [{ status: 415 }, { status: 415 }, /`tokenRequest`/],
    [{ status: 503, headers: { 'Retry-After': '7' } }, { status: 503, retryAfterMs: 7_000 }, /later/],
    [{ status: 429, headers: { 'Retry-After': new Date(nowMs + 9_000).toUTCString() } }, { status: 429, retryAfterMs: 9_000 }, /later/],
    [{ status: 500, ...tokens() }, { status: 500, error: undefined }, /later/],
    [{ status: 400, json: { error: 'constructor' } }, { status: 400, error: 'constructor' }, /./],
  ])('is read from %j', async (answer, expected, hint) => {
    const error = await failure(answer as Answer);
    expect(error).toMatchObject(expected);
    expect(error.message).toMatch(hint);
  });

  it('has a code only if that is one', async () => {
    for (const code of ['x'.repeat(65), 'a\nb', 'a"b', 'ä', '', SECRET, 7, ['invalid_client']]) {
      expect((await failure({ status: 400, json: { error: code } })).error).toBeUndefined();
    }
  });

  it('shows no secret that the server repeats', async () => {
    const basic = Buffer.from(`id:${encodeURIComponent(SECRET).replace('-', '%2D')}`).toString('base64');
    const spellings = [
      SECRET,
      encodeURIComponent(SECRET),
      basic,
      Buffer.from(SECRET).toString('hex'),
      'hunter22',
      'gateway-key',
      'r3fresh',
    ];
    for (const spelling of spellings) {
      const json = { error: spelling, error_description: `Wrong: ${spelling}!`, hint: spelling };
      const options = { tokenRequest: { headers: { 'X-Gateway': 'gateway-key' } } };
      const error = await failure({ status: 400, json }, options, [
        ['password', 'hunter22'],
        ['refresh_token', 'r3fresh'],
      ]);
      expect(error).toMatchObject({ error: undefined, errorDescription: 'Wrong: [redacted]!' });
      expect(`${error.stack}${JSON.stringify(error)}`).not.toContain(spelling);
    }
  });

  it('repeats what is no secret: parameters, and headers that name the client or a format', async () => {
    const error_description = 'organization org_12345 is unknown to my-app/1.0; send application/json';
    const headers = { 'User-Agent': 'my-app/1.0', Accept: 'application/json', 'Content-Type': 'application/json' };
    const error = await failure({ status: 400, json: { error: 'invalid_request', error_description } }, { tokenRequest: { headers } }, [
      ['organization', 'org_12345'],
      ['subject_token_type', 'send application'],
    ]);
    expect(error.errorDescription).toBe(error_description);
    const names = ['api_key', 'passphrase', 'subject_token', 'device_code', 'code_verifier', 'assertion', 'X-Secret'];
    for (const name of names) {
      const hidden = await failure({ status: 400, json: { error: 'x', error_description: 'bad hunter22' } }, {}, [[name, 'hunter22']]);
      expect(hidden.errorDescription).toBe('bad [redacted]');
    }
  });

  it('names the User-Agent where a 403 may be about it', async () => {
    const headers = { 'user-agent': 'my-app/1.0' };
    expect((await failure({ status: 403 })).message).toContain("`tokenRequest.headers['User-Agent']`");
    expect((await failure({ status: 403 }, { tokenRequest: { headers } })).message).not.toContain('User-Agent');
    expect((await failure({ status: 403, json: { error: 'invalid_client' } })).message).not.toContain('User-Agent');
    expect((await failure({ status: 400 })).message).not.toContain('User-Agent');
  });

  it('shows no token that stands beside it', async () => {
    const json = {
      error: 'access-t0ken',
      error_description: 'access-t0ken r3fresh',
      access_token: 'access-t0ken',
      refresh_token: 'r3fresh',
    };
    const error = await failure({ status: 400, json });
    expect(error).toMatchObject({ error: undefined, errorDescription: '[redacted] [redacted]' });
    expect(error.message).not.toMatch(/t0ken|r3fresh/);
  });

  it('shows the audience that the server names, which is no secret', async () => {
    const json = { error: 'access_denied', error_description: 'Not for https://api.example.com' };
    const { errorDescription } = await failure({ status: 403, json }, {}, [['audience', 'https://api.example.com']]);
    expect(errorDescription).toBe(json.error_description);
  });

  it('shows no secret of an assertion', async () => {
    const echo: Answer = (response, { form }) => {
      response.writeHead(400).end(JSON.stringify({ error: 'x', error_description: form.get('client_assertion') }));
    };
    const error = await failure(echo, { clientAuthentication: 'client_secret_jwt' } as never);
    expect(error.errorDescription).toBe('[redacted]');
  });

  it('names the endpoint without its query', async () => {
    await using server = await tokenServer({ status: 400 });
    const error = await grant(server, { tokenEndpoint: `${server.tokenEndpoint}?key=canary` }).catch((caught) => caught);
    expect(error.message).toContain(`${server.tokenEndpoint} refused`);
    expect(error.message).not.toContain('canary');
  });

  it.each([301, 302, 303, 307, 308])('is a redirect with %d: nothing is sent on', async (status) => {
    await using other = await tokenServer();
    const error = await failure({ status, headers: { Location: other.tokenEndpoint } });
    expect(error).toMatchObject({ status, message: expect.stringContaining('redirects') });
    expect(error.message).not.toContain('MiB');
    expect(other.requests).toEqual([]);
  });

  it('is a redirect that a browser hides, or a fetch that follows in any case', async () => {
    const opaque = Object.defineProperties(Response.error(), { type: { value: 'opaqueredirect' } });
    const followed = Object.defineProperties(Response.json(tokens().json), { redirected: { value: true } });
    for (const response of [opaque, followed]) {
      const options = { fetch: async () => response };
      await expect(grant({ tokenEndpoint: 'https://a.example/t' } as TokenServer, options)).rejects.toMatchObject({
        name: 'TokenEndpointError',
      });
    }
  });

  it.each([
    ['nobody listens', undefined],
    ['the connection breaks', (response: { destroy(): void }) => response.destroy()],
    [
      'the body breaks off',
      (response: { writeHead(status: number, headers: object): void; write(text: string, done: () => void): void; destroy(): void }) => {
        response.writeHead(200, { 'Content-Length': '1000' });
        response.write('{"access_token":"canary', () => response.destroy());
      },
    ],
  ])('is a failed connection when %s', async (_, answer) => {
    await using server = await tokenServer(answer as Answer);
    const tokenEndpoint = answer ? server.tokenEndpoint : 'http://127.0.0.1:1/token';
    const error = await grant(server, { tokenEndpoint }).catch((caught) => caught);
    expect(error).toMatchObject({ name: 'AuthError', code: 'TOKEN_REQUEST_FAILED', strategy: 'partner', cause: expect.any(Error) });
    expect(error.message).toContain(tokenEndpoint);
    expect(error.stack).not.toContain('canary');
  });

  it('carries no secret of a fetch that fails with the request in its message', async () => {
    const fetch = async (url: string, init: RequestInit) => {
      throw Object.assign(new Error(`${url} ${JSON.stringify(init.headers)} ${SECRET}`), { request: init, code: 'ECUSTOM' });
    };
    const error = await grant({ tokenEndpoint: 'https://a.example/t' } as TokenServer, { fetch }).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'TOKEN_REQUEST_FAILED', cause: { code: 'ECUSTOM' } });
    expect(error.cause.message).not.toMatch(/canary|Basic [^[]/);
    expect(error.cause.request).toBeUndefined();
  });
});

describe('options', () => {
  it.each([
    ['tokenRequest', { tokenRequest: { format: 'xml' } }],
    ['tokenRequest', { tokenRequest: { fields: { client_id: '' } } }],
    ['tokenRequest', { tokenRequest: { fields: { client_id: true } } }],
    ['tokenRequest', { tokenRequest: { fields: { client_id: 'x', client_secret: 'x' } } }],
    ['tokenRequest', { tokenRequest: { headers: { AUTHORIZATION: 'canary' } } }],
    ['tokenRequest', { tokenRequest: { headers: new Headers({ Authorization: 'canary' }) } }],
    ['tokenRequest', { tokenRequest: { headers: { 'X-Key': 'canary\r\n' } } }],
    ['tokenRequest', { tokenRequest: { headers: { 'X Key': 'canary' } } }],
    ['tokenRequest', { tokenRequest: { headers: { 'X-Key': 42 } } }],
    ['tokenRequest', { tokenRequest: { headers: { 'content-length': '3' } } }],
    ['tokenRequest', { tokenRequest: { headers: new Headers({ Host: 'canary' }) } }],
    ['tokenRequest', { tokenRequest: { headers: { 'Transfer-Encoding': 'chunked' } } }],
    ['tokenRequest', { tokenRequest: { headers: { Connection: 'close' } } }],
    ['tokenRequest', { tokenRequest: { headers: [['X-Key', 'canary']] } }],
    ['tokenRequest', { tokenRequest: { headers: 'canary' } }],
    ['tokenRequest', { tokenRequest: { headers: null } }],
    ['tokenRequest', { tokenRequest: { header: {} } }],
    ['tokenRequest', { tokenRequest: { fields: ['grant_type'] } }],
    ['tokenRequest', { tokenRequest: 'json' }],
    ['tokenRequest', { tokenRequest: null }],
    ['tokenResponse', { tokenResponse: 'form' }],
    ['tokenResponse', { tokenResponse: { access_token: 'data.token' } }],
    ['tokenResponse', { tokenResponse: { lifetime: 60 } }],
    ['tokenResponse', { tokenResponse: { format: 'xml' } }],
    ['tokenResponse', { tokenResponse: { accessToken: '' } }],
    ['tokenResponse', { tokenResponse: { accessToken: 'data..token' } }],
    ['tokenResponse', { tokenResponse: { accessToken: ['data'] } }],
    ['tokenResponse', { tokenResponse: { lifetimeSeconds: '60' } }],
    ['tokenResponse', { tokenResponse: { lifetimeSeconds: -1 } }],
    ['tokenResponse', { tokenResponse: { lifetimeSeconds: Infinity } }],
    ['tokenResponse', { tokenResponse: { lifetimeSeconds: Number.NaN } }],
    ['tokenEndpoint', { tokenEndpoint: 'http://login.example.com/token' }],
  ])('%s is refused in %j', (option, options) => {
    const defaults = { tokenEndpoint: 'https://login.example.com/token', clientId: 'id', clientSecret: 'secret', strategy: 'partner' };
    const construct = () => tokenEndpointClient({ ...defaults, ...options } as never);
    expect(construct).toThrow(expect.objectContaining({ name: 'ConfigurationError', option, strategy: 'partner' }));
    expect(construct).not.toThrow(/canary/);
  });
});
