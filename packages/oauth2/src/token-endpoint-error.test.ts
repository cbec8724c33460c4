import { describe, expect, it } from 'vitest';
import { failure, grant, nowMs, SECRET } from './fixtures/grant.ts';
import { type Answer, type TokenServer, tokenServer, tokens } from './fixtures/token-server.ts';

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

  it.each([
    ['that lies in a cause', 'ENOTFOUND', new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) })],
    ['the deepest of several', 'ECONNREFUSED', Object.assign(new Error('x', { cause: coded('ECONNREFUSED') }), { code: 'UND_ERR' })],
    ['that is not one of the system, which is left out', undefined, coded('not_a code')],
    ['that holds a secret, which is left out', undefined, coded('CANARY_SECRET')],
  ])('names the code %s', async (_, code, thrown) => {
    const options = { fetch: () => Promise.reject(thrown), clientSecret: 'CANARY_SECRET' };
    const error = await grant({ tokenEndpoint: 'https://a.example/t' } as TokenServer, options as never).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'TOKEN_REQUEST_FAILED', cause: expect.any(Error) });
    expect(error.message).toContain(`or broke off${code ? ` (${code})` : ''}. Check`);
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

function coded(code: string): Error {
  return Object.assign(new Error('it failed'), { code });
}
