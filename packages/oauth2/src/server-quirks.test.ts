import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenServer, tokens } from './fixtures/token-server.ts';
import { quirkyBody, standardFields } from './server-quirks.ts';
import { tokenEndpointClient } from './token-endpoint-client.ts';
import type { TokenRequestOptions } from './token-request-options.ts';

const client = { clientId: 'id', clientSecret: 's "1"', clientAuthentication: 'client_secret_post', strategy: 's' } as const;

describe('quirkyBody', () => {
  it('makes the request of HUVR', async () => {
    await using server = await tokenServer({ json: { access_token: 'token-1' } });
    const tokenRequest = { format: 'json', fields: { grant_type: false }, headers: { 'User-Agent': 'my-app/1.0' } } as const;
    const huvr = tokenEndpointClient({ ...client, tokenEndpoint: server.tokenEndpoint, tokenRequest, scheme: 'Token' });
    expect(await huvr.grant('client_credentials', [])).toMatchObject({ accessToken: 'token-1', tokenType: 'Token' });
    const [request] = server.requests;
    expect(JSON.parse(request!.body)).toEqual({ client_id: 'id', client_secret: 's "1"' });
    expect(request!.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'my-app/1.0' });
    expect(request!.headers.authorization).toBeUndefined();
  });

  it('renames in forms too, and keeps their content type', async () => {
    await using server = await tokenServer();
    const tokenRequest = { fields: { client_id: 'app', client_secret: 'key' } };
    await tokenEndpointClient({ ...client, tokenEndpoint: server.tokenEndpoint, tokenRequest }).grant('client_credentials', []);
    const [request] = server.requests;
    expect(Object.fromEntries(request!.form)).toEqual({ grant_type: 'client_credentials', app: 'id', key: 's "1"' });
    expect(request!.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
  });

  it('makes a list of what occurs twice', () => {
    const body = new URLSearchParams('resource=a&scope=x&resource=b&resource=c');
    expect(quirkyBody(body, { format: 'json' }, 's')).toBe('{"resource":["a","b","c"],"scope":"x"}');
    expect(`${quirkyBody(body, { fields: { resource: 'api' } }, 's')}`).toBe('api=a&scope=x&api=b&api=c');
  });

  it('knows no names but its own', () => {
    const body = new URLSearchParams('constructor=1&__proto__=2');
    expect(quirkyBody(body, { format: 'json' }, 's')).toBe('{"constructor":"1","__proto__":"2"}');
  });

  it.each(['form', 'json'] as const)('loses nothing and invents nothing (%s)', (format) => {
    const name = fc.string({ minLength: 1, maxLength: 8, unit: 'binary' });
    const fields = fc.dictionary(name, fc.string({ unit: 'binary' }), { minKeys: 1, noNullPrototype: true });
    fc.assert(
      fc.property(fields, fc.func(fc.option(name)), (values, targetOf) => {
        const chosen = Object.keys(values).map((from) => [from, targetOf(from) ?? false] as const);
        const names = chosen.map(([, to]) => to).filter((to) => to !== false);
        fc.pre(new Set(names).size === names.length);
        const options: TokenRequestOptions = { format, fields: Object.fromEntries(chosen) };
        const body = quirkyBody(new URLSearchParams(values), options, 's');
        const sent = typeof body === 'string' ? new Map(Object.entries(JSON.parse(body))) : new Map(body);
        expect(sent).toEqual(new Map(chosen.flatMap(([from, to]) => (to === false ? [] : [[to, values[from]]]))));
      }),
    );
  });

  it('refuses a name that is sent as well', () => {
    const rename = () => quirkyBody(new URLSearchParams('client_id=a&scope=b'), { fields: { client_id: 'scope' } }, 's');
    expect(rename).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'tokenRequest' }));
  });

  it('can swap names', () => {
    const body = quirkyBody(new URLSearchParams('a=1&b=2'), { fields: { a: 'b', b: 'a' } }, 's');
    expect(`${body}`).toBe('b=1&a=2');
  });
});

describe('standardFields', () => {
  it('follows paths', () => {
    const text = JSON.stringify({
      data: { token: 't', life: '60', more: { refresh: 'r', scope: 's' } },
      access_token: 'other',
      token_type: 'x',
    });
    const paths = { accessToken: 'data.token', expiresIn: 'data.life', refreshToken: 'data.more.refresh', scope: 'data.more.scope' };
    expect(standardFields(text, paths)).toMatchObject({
      access_token: 't',
      expires_in: '60',
      refresh_token: 'r',
      scope: 's',
      token_type: 'x',
    });
  });

  it.each(['data.none', 'none.token', 'data.token.length', 'data.constructor.name', '__proto__.token', 'list.length.x', 'null.x'])(
    'finds nothing at %s',
    (accessToken) => {
      const text = '{"data":{"token":"t"},"list":[],"null":null,"access_token":"other"}';
      expect(standardFields(text, { accessToken })['access_token']).toBeUndefined();
    },
  );

  it('finds members of lists', () => {
    expect(standardFields('{"tokens":[{"value":"t"}]}', { accessToken: 'tokens.0.value' })['access_token']).toBe('t');
  });

  it('reads forms, and JSON errors where forms are expected', async () => {
    expect(standardFields('access_token=a%2Bb&token_type=bearer&expires_in=60&__proto__=x\n', { format: 'form' })).toMatchObject({
      access_token: 'a+b',
      token_type: 'bearer',
      expires_in: '60',
    });
    expect(standardFields(' {"error":"invalid_client"}', { format: 'form' })['error']).toBe('invalid_client');
    expect(Object.getPrototypeOf(standardFields('a=b', { format: 'form' }))).toBeNull();
  });

  it('makes token sets of them', async () => {
    await using server = await tokenServer({ text: 'access_token=t&token_type=bearer&expires_in=60' });
    const form = tokenEndpointClient({ ...client, tokenEndpoint: server.tokenEndpoint, tokenResponse: { format: 'form' }, now: () => 0 });
    expect(await form.grant('client_credentials', [])).toMatchObject({ accessToken: 't', expiresAtMs: 60_000 });
    server.answers['*'] = { json: { data: { token: 'nested' }, token_type: 'Bearer' } };
    const nested = tokenEndpointClient({ ...client, tokenEndpoint: server.tokenEndpoint, tokenResponse: { accessToken: 'data.token' } });
    expect(await nested.grant('client_credentials', [])).toMatchObject({ accessToken: 'nested' });
    server.answers['*'] = tokens();
    await expect(nested.grant('client_credentials', [])).rejects.toMatchObject({ name: 'TokenEndpointError' });
  });
});
