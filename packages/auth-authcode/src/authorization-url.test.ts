import type { AuthContext, AuthRequest, AuthResponse, InteractionRequiredError } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { codeClient, codeServer, issuer, redirectUri, signedIn } from './fixtures/code-server.ts';

const url = 'https://api.example.com/reports';
const request: AuthRequest = { method: 'GET', url, headers: new Headers(), replayable: true, attempt: 1 };
const context: AuthContext = { now: Date.now, emit: () => {} };

/** An API's answer to a token that lacks `scope`. */
function challenged(scope: string): AuthResponse {
  const headers = new Headers({ 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` });
  return { status: 403, url, headers, text: async () => '', json: async () => ({}) };
}

describe('createAuthorizationUrl', () => {
  it.each<[string, object]>([
    ['parameters', { parameters: { state: 'mine' } }],
    ['parameters', { parameters: { redirect_uri: 'https://evil.example' } }],
    ['parameters', { parameters: { code_challenge: 'x' } }],
    ['parameters', { parameters: { nonce: 'x' } }],
    ['parameters', { parameters: { request_uri: 'urn:x' } }],
    ['parameters', { parameters: { client_id: 'other' } }],
    ['parameters', { parameters: { scope: 'admin' } }],
    ['parameters', { parameters: { max_age: '0' } }],
    ['parameters', { parameters: { ui_locales: ['nl'] } }],
    ['maxAge', { maxAge: -1 }],
    ['maxAge', { maxAge: Number.NaN }],
    ['maxAge', { maxAge: '300' }],
    ['prompt', { prompt: ['login'] }],
    ['login_hint', { login_hint: 'anna' }],
  ])('refuses what it could not send, or what would take the place of what protects it: %s', async (option, request) => {
    await expect(codeClient(codeServer()).createAuthorizationUrl(request)).rejects.toMatchObject({ name: 'ConfigurationError', option });
  });

  it.each([
    ['openid admin', 'read admin'],
    ['openid', 'read'],
    ['openidx', 'read openidx'],
  ])('leaves `openid` out where no issuer is there to hold ID tokens against: an API asks for %s', async (asked, scope) => {
    const auth = codeClient(codeServer(), { scope: 'read' });
    const receipt = await signedIn(auth, 'anna');
    const error = await (async () => auth.recover?.(challenged(asked), { request, receipt }, context))().catch((caught) => caught);
    const { authorization } = error as InteractionRequiredError;
    expect(authorization).toEqual({ scope: asked });
    const { url, transaction } = await auth.createAuthorizationUrl(authorization);
    expect([new URL(url).searchParams.get('scope'), transaction.scope, transaction.nonce]).toEqual([scope, scope, undefined]);
  });

  it('asks for `openid` as an API wants it, with a nonce, where there is an issuer', async () => {
    const { url, transaction } = await codeClient(codeServer(), { issuer }).createAuthorizationUrl({ scope: 'openid' });
    expect(new URL(url).searchParams.get('scope')).toBe('openid');
    expect(transaction.nonce).toMatch(/./);
  });

  it('keeps the query that the endpoint has', async () => {
    const { url } = await codeClient(codeServer(), { authorizationEndpoint: `${issuer}/authorize?policy=a%20b` }).createAuthorizationUrl();
    expect(new URL(url).searchParams.get('policy')).toBe('a b');
    expect(new URL(url).searchParams.get('client_id')).toBe('app');
  });

  it('sends each parameter once: what the endpoint says of ours is taken out, and the rest stays as it is spelled', async () => {
    const own =
      '??state=1&a=%7E+b&client_id=other&&st%61te=theirs&redirect_uri=x&response_type=token&c=d%20e&client_id=another&code_challenge_method=plain';
    for (const endpoint of [`${issuer}/authorize${own}`, `${issuer}/authorize?state=`, `${issuer}/authorize`]) {
      const { url, transaction } = await codeClient(codeServer(), { authorizationEndpoint: endpoint }).createAuthorizationUrl();
      const { search, searchParams } = new URL(url);
      expect(search.startsWith(endpoint.includes('a=') ? '??state=1&a=%7E+b&&c=d%20e&response_type=code&' : '?response_type=code&')).toBe(
        true,
      );
      const names = [...searchParams.keys()].filter((name) => name !== '');
      expect(names).toHaveLength(new Set(names).size);
      expect(Object.fromEntries(searchParams)).toMatchObject({
        client_id: 'app',
        state: transaction.state,
        redirect_uri: redirectUri,
        code_challenge_method: 'S256',
      });
    }
  });

  it('leaves nothing of a pushed request to what the endpoint says', async () => {
    const fetch = async () => Response.json({ request_uri: 'urn:example:1' }, { status: 201 });
    const endpoints = {
      authorizationEndpoint: `${issuer}/authorize?request_uri=urn%3Aother&client_id=other&redirect_uri=x&policy=1`,
      pushedAuthorizationRequestEndpoint: `${issuer}/par`,
    };
    const { url } = await codeClient(codeServer(), { ...endpoints, fetch }).createAuthorizationUrl();
    expect(new URL(url).search).toBe('?policy=1&client_id=app&request_uri=urn%3Aexample%3A1');
  });

  it('makes a verifier of 43 characters and its S256 challenge (RFC 7636, appendix B for the transform)', async () => {
    const { codeChallenge } = await import('./random-token.ts');
    expect(await codeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
    const { url, transaction } = await codeClient(codeServer()).createAuthorizationUrl();
    expect(transaction.codeVerifier).toMatch(/^[\w-]{43}$/);
    expect(new URL(url).searchParams.get('code_challenge')).toBe(await codeChallenge(transaction.codeVerifier));
    expect(JSON.parse(JSON.stringify(transaction))).toEqual(transaction);
  });
});
