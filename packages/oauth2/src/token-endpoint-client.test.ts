import { describe, expect, it } from 'vitest';
import { grant, SECRET } from './fixtures/grant.ts';
import { type TokenServer, tokenServer, tokens } from './fixtures/token-server.ts';
import { tokenEndpointClient } from './token-endpoint-client.ts';

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
