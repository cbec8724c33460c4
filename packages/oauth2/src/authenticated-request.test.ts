import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tokenServer } from './fixtures/token-server.ts';
import { tokenEndpointClient } from './token-endpoint-client.ts';

const clientSecret = 's3cret-c4nary';

describe('an authenticated request', () => {
  it('proves the client as at the token endpoint, and answers the members of the JSON', async () => {
    await using server = await tokenServer({ json: { request_uri: 'urn:example:1' } });
    const endpoints = { pushed_authorization_request_endpoint: `${server.origin}/par?tenant=1` };
    const client = tokenEndpointClient({ tokenEndpoint: server.tokenEndpoint, clientId: 'app', clientSecret, endpoints, strategy: 'test' });
    const parameters = [['resource', 'urn:a'] as const, ['resource', 'urn:b'] as const];
    expect(await client.request({ endpoint: 'pushed_authorization_request_endpoint', parameters })).toMatchObject({
      request_uri: 'urn:example:1',
    });
    const [request] = server.requests;
    expect([request?.method, request?.path, request?.body]).toEqual(['POST', '/par?tenant=1', 'resource=urn%3Aa&resource=urn%3Ab']);
    expect(atob(request?.headers.authorization?.slice(6) ?? '')).toBe('app:s3cret%2Dc4nary');
  });

  it('answers no members where there is no JSON, which is how servers revoke', async () => {
    await using server = await tokenServer({ text: '' });
    const endpoints = { revocation_endpoint: `${server.origin}/revoke` };
    const client = tokenEndpointClient({
      tokenEndpoint: server.tokenEndpoint,
      clientId: 'app',
      clientAuthentication: 'none',
      endpoints,
      strategy: 'test',
    });
    expect({ ...(await client.request({ endpoint: 'revocation_endpoint', parameters: [['token', 'a']] })) }).toEqual({});
    expect(Object.fromEntries(server.requests[0]?.form ?? [])).toEqual({ token: 'a', client_id: 'app' });
  });

  it('is not sent where the server has no such endpoint, or none that a secret may go to', async () => {
    await using server = await tokenServer();
    for (const revocation_endpoint of [undefined, 'http://login.example.com/revoke', '/revoke']) {
      const endpoints = { revocation_endpoint };
      const client = tokenEndpointClient({
        tokenEndpoint: server.tokenEndpoint,
        clientId: 'app',
        clientSecret,
        endpoints,
        strategy: 'test',
      });
      const error = await client.request({ endpoint: 'revocation_endpoint', parameters: [] }).catch((caught) => caught);
      expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', message: expect.stringContaining('revocation_endpoint') });
    }
    expect(server.requests).toEqual([]);
  });

  it('shows nothing of what it carried in its error, however the server repeats it', async () => {
    for (const clientAuthentication of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const) {
      await using server = await tokenServer((response, { headers, form }) => {
        const echo = `${headers.authorization} ${form.get('token')} ${form.get('client_secret')} ${form.get('client_assertion')}`;
        response.writeHead(400).end(JSON.stringify({ error: 'invalid_request', error_description: echo }));
      });
      const endpoints = { revocation_endpoint: `${server.origin}/revoke` };
      const secret = clientAuthentication === 'client_secret_jwt' ? clientSecret.repeat(3) : clientSecret;
      const client = tokenEndpointClient({
        tokenEndpoint: server.tokenEndpoint,
        clientId: 'app',
        clientSecret: secret,
        clientAuthentication,
        endpoints,
        strategy: 'test',
      });
      const error = await client
        .request({ endpoint: 'revocation_endpoint', parameters: [['token', 't0ken-c4nary']], secrets: ['t0ken-c4nary'] })
        .catch((caught) => caught);
      expect(error).toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR', error: 'invalid_request', status: 400 });
      const [{ headers, form }] = server.requests as [(typeof server.requests)[number]];
      const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
      const carried = [secret, 't0ken-c4nary', headers.authorization?.slice(6), form.get('client_assertion')];
      for (const value of carried) if (value) expect(shown).not.toContain(value);
    }
  });

  it.each([
    ['revocation_endpoint', 'the revocation endpoint at', 'Check `revocationEndpoint`'],
    ['pushed_authorization_request_endpoint', 'the pushed authorization request endpoint at', 'Check `pushedAuthorizationRequestEndpoint`'],
  ] as const)('that is refused names the %s, and the option that sets it', async (endpoint, place, advice) => {
    await using server = await tokenServer((response) => void response.writeHead(404).end());
    const endpoints = { [endpoint]: `${server.origin}/gone` };
    const client = tokenEndpointClient({ tokenEndpoint: server.tokenEndpoint, clientId: 'app', clientSecret, endpoints, strategy: 'test' });
    const { message } = await client.request({ endpoint, parameters: [] }).catch((caught) => caught);
    expect(message).toContain(`${place} ${server.origin}/gone refused with status 404`);
    expect(message).toContain(advice);
    const token = await client.grant('client_credentials', []).catch((caught) => caught);
    expect(token.message).toContain('the token endpoint at');
    expect(token.message).toContain('Check `tokenEndpoint`');
  });
});
