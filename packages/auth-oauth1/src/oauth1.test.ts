// RFC 5849 §3; OAuth Request Body Hash 1.0; FIELD-NOTES.md, "OAuth 1.0a".
import { type AuthPatch, fromEnv } from '@authseam/core';
import { authorizedFetch } from '@authseam/core/fetch';
import { describe, expect, it, vi } from 'vitest';
import { aRequest, context, patchOf } from './fixtures/a-request.ts';
import { wikiRsaSha1 } from './fixtures/published-vectors.ts';
import { oauth1 } from './oauth1.ts';
import type { OAuth1Options } from './oauth1-options.ts';
import type { SignedRequest } from './sign-request.ts';

const pair = { consumerKey: 'key', consumerSecret: 'secret' } as const;
const both = { ...pair, token: 'token', tokenSecret: 'other' } as const;
const rsa = { consumerKey: 'key', signatureMethod: 'RSA-SHA1', privateKey: wikiRsaSha1.privateKey } as const;
const fixed = { nonce: () => 'n', timestampSeconds: () => 1 } as const;

/** The protocol parameters of an Authorization header, decoded. */
function sentIn(patch: AuthPatch): Record<string, string> {
  const header = patch.headers?.['Authorization'] ?? '';
  return Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, decodeURIComponent(value)]));
}

describe('what is sent', () => {
  it('is the protocol parameters, signed', () => {
    expect(sentIn(patchOf(both))).toEqual({
      oauth_consumer_key: 'key',
      oauth_nonce: expect.stringMatching(/^[a-z2-7]{26}$/),
      oauth_signature: expect.stringMatching(/^.{27}=$/),
      oauth_signature_method: 'HMAC-SHA1',
      oauth_timestamp: '1700000000',
      oauth_token: 'token',
      oauth_version: '1.0',
    });
  });

  it('has no token where there is none, and no version where none is wanted', () => {
    const names = Object.keys(sentIn(patchOf({ ...pair, version: false })));
    expect(names).not.toContain('oauth_token');
    expect(names).not.toContain('oauth_version');
  });

  it.each(['query', 'form'] as const)('stands in the %s if that is wanted, signature and all', (placement) => {
    const { [placement]: pairs, headers } = patchOf({ ...both, ...fixed, consumerKey: 'a key&', placement }, aRequest({ method: 'POST' }));
    expect(headers).toBeUndefined();
    expect(Object.fromEntries(pairs ?? [])).toEqual({
      ...sentIn(patchOf({ ...both, ...fixed, consumerKey: 'a key&' }, aRequest({ method: 'POST' }))),
    });
  });

  it('is fresh each time: nonce and timestamp', () => {
    let now = 1_000_500;
    const strategy = oauth1(both);
    const nonces = Array.from({ length: 1000 }, () =>
      sentIn(strategy.authorize(aRequest(), { ...context, now: () => now++ }) as AuthPatch),
    );
    expect(new Set(nonces.map(({ oauth_nonce }) => oauth_nonce)).size).toBe(1000);
    expect(new Set(nonces.map(({ oauth_timestamp }) => oauth_timestamp))).toEqual(new Set(['1000', '1001']));
  });

  it('holds further protocol parameters, signed like the others, and a copy of them', () => {
    const parameters = { oauth_callback: 'oob', 'xoauth requestor': 'a@b' };
    const strategy = oauth1({ ...pair, ...fixed, parameters });
    parameters.oauth_callback = 'changed';
    const patch = strategy.authorize(aRequest(), context) as AuthPatch<SignedRequest>;
    expect(patch.headers?.['Authorization']).toContain('oauth_callback="oob", xoauth%20requestor="a%40b"');
    expect(patch.receipt?.baseString).toContain('oauth_callback%3Doob');
  });

  it('says the realm, which is not signed', () => {
    const withRealm = patchOf({ ...both, ...fixed, realm: 'a "realm"' });
    expect(withRealm.headers?.['Authorization']).toMatch(/^OAuth realm="a \\"realm\\"", /);
    expect(withRealm.receipt.signature).toBe(patchOf({ ...both, ...fixed }).receipt.signature);
  });

  it.each<[OAuth1Options['placement'], unknown]>([
    ['header', { headers: ['authorization'] }],
    ['query', { query: ['oauth_consumer_key', 'oauth_token', 'oauth_signature', 'oauth_session_handle'] }],
    ['form', {}],
  ])('is called secret where it is: %s', (placement = 'header', sensitive) => {
    const strategy = oauth1({ ...both, placement, parameters: { oauth_session_handle: 'h' } });
    expect(strategy.sensitive).toEqual(sensitive);
    expect(strategy).toMatchObject({ name: 'oauth1', specVersion: 1, readsBody: 'form' });
    expect(Object.isFrozen(strategy)).toBe(true);
  });
});

describe('body hash', () => {
  const hashOf = (request: Parameters<typeof aRequest>[0], options: Partial<OAuth1Options> = {}) =>
    sentIn(patchOf({ ...both, bodyHash: true, ...options }, aRequest(request)))['oauth_body_hash'];

  it.each<[string, Partial<OAuth1Options>, string]>([
    ['SHA-1', {}, 'Lve95gjOVATpfV8EL5X4nxwjKHE='],
    ['SHA-256', { signatureMethod: 'HMAC-SHA256' }, 'f4OxZX/x/FO5LcGBSKHWXfwtSx+j1ncoSt3SABJtkGk='],
    [
      'SHA-512',
      { signatureMethod: 'HMAC-SHA512' },
      'hhhE1nBOhXP+w02WfiC8/vPUJM9IvgTm3AjyvVjHKXQzcQFerYkcw88cnTS0kmS1EHUbH/nlN5N7xGtdb/TsyA==',
    ],
  ])("is the signature method's own hash: %s", (_name, options, hash) => {
    expect(hashOf({ body: 'Hello World!', contentType: 'text/plain' }, options)).toBe(hash);
    expect(hashOf({ body: new TextEncoder().encode('Hello World!'), contentType: 'text/plain' }, options)).toBe(hash);
  });

  it('covers an empty body, and leaves forms alone', () => {
    expect(hashOf({})).toBe('2jmj7l5rSw0yVb/vlWAYkK/YBwk=');
    expect(hashOf({ body: 'a=1' })).toBeUndefined();
    expect(hashOf({ contentType: 'application/x-www-form-urlencoded' })).toBeUndefined();
    expect(oauth1({ ...both, bodyHash: true }).readsBody).toBe('bytes');
  });

  it('is made by WebCrypto where there is no node:crypto', async () => {
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    const patch = await oauth1({ ...both, bodyHash: true }).authorize(aRequest(), context);
    builtin.mockRestore();
    expect(sentIn(patch)['oauth_body_hash']).toBe('2jmj7l5rSw0yVb/vlWAYkK/YBwk=');
  });
});

describe('PLAINTEXT', () => {
  const plain = { ...both, consumerSecret: 'sé&', signatureMethod: 'PLAINTEXT' } as const;

  it.each(['https://api.example.com/', 'http://localhost:3000/', 'http://127.0.0.1/', 'http://[::1]/'])(
    'sends the secrets to %s',
    (url) => {
      const { headers, receipt } = patchOf(plain, aRequest({ url }));
      expect(receipt.signature).toBe('s%C3%A9%26&other');
      expect(headers?.['Authorization']).toContain('oauth_signature="s%25C3%25A9%2526%26other"');
    },
  );

  it.each(['http://api.example.com/', 'http://localhost.example.com/'])('and never to %s', (url) => {
    expect(() => patchOf(plain, aRequest({ url }))).toThrow(
      expect.objectContaining({ code: 'UNSAFE_DESTINATION', origin: new URL(url).origin }),
    );
  });
});

describe('credentials', () => {
  it('are asked for anew each time, and answered at once if they can be', () => {
    const tokenSecret = vi.fn<() => string>().mockReturnValueOnce('one').mockReturnValueOnce('one').mockReturnValueOnce('two');
    const strategy = oauth1({ ...both, ...fixed, tokenSecret });
    const signatures = [1, 2, 3].map(() => (strategy.authorize(aRequest(), context) as AuthPatch<SignedRequest>).receipt?.signature);
    expect(signatures[0]).toBe(signatures[1]);
    expect(signatures[2]).toBe(patchOf({ ...both, ...fixed, tokenSecret: 'two' }).receipt.signature);
    expect(signatures[2]).not.toBe(signatures[0]);
  });

  it('may be late', async () => {
    const strategy = oauth1({
      ...fixed,
      consumerKey: async () => 'key',
      consumerSecret: () => 'secret',
      token: 'token',
      tokenSecret: async () => 'other',
    });
    const patch = strategy.authorize(aRequest(), context);
    expect(patch).toBeInstanceOf(Promise);
    expect(await patch).toMatchObject({ headers: patchOf({ ...both, ...fixed }).headers });
  });

  it('may have an empty secret', () => {
    expect(patchOf({ consumerKey: 'key', consumerSecret: '', ...fixed }).receipt.signature).toBe(
      patchOf({ consumerKey: 'key', ...fixed }).receipt.signature,
    );
    expect(patchOf({ ...both, tokenSecret: () => '', ...fixed }).receipt.signature).toBe(
      patchOf({ ...both, tokenSecret: '', ...fixed }).receipt.signature,
    );
  });
});

describe('refused at construction', () => {
  it.each<[string, Partial<Record<keyof OAuth1Options, unknown>>, string]>([
    ['no consumer key', { consumerSecret: 'secret' }, 'consumerKey'],
    ['an empty consumer key', { ...pair, consumerKey: '' }, 'consumerKey'],
    ['a consumer secret that is undefined', { ...pair, consumerSecret: undefined }, 'consumerSecret'],
    ['a trailing newline', { ...pair, consumerSecret: 'canary-secret\n' }, 'consumerSecret'],
    ['an empty token', { ...both, token: '' }, 'token'],
    ['a token without its secret', { ...pair, token: 'token' }, 'tokenSecret'],
    ['a token secret without its token', { ...pair, tokenSecret: 'canary-secret' }, 'token'],
    ['another signature method', { ...pair, signatureMethod: 'HMAC-MD5' }, 'signatureMethod'],
    ['another placement', { ...pair, placement: 'body' }, 'placement'],
    ['another version', { ...pair, version: '2.0' }, 'version'],
    ['RSA without a key', { ...pair, signatureMethod: 'RSA-SHA256' }, 'privateKey'],
    ['a key without RSA', { ...pair, privateKey: wikiRsaSha1.privateKey }, 'privateKey'],
    ['a body hash that nothing protects', { ...pair, bodyHash: true, signatureMethod: 'PLAINTEXT' }, 'bodyHash'],
    ['a body hash beside a form', { ...pair, bodyHash: true, placement: 'form' }, 'bodyHash'],
    ['a realm outside of the header', { ...pair, realm: 'r', placement: 'query' }, 'realm'],
    ['a realm with a line break', { ...pair, realm: 'r\r\nX-Evil: 1' }, 'realm'],
    ['parameters that have an option', { ...pair, parameters: { oauth_version: '1.0' } }, 'parameters'],
    ['a token twice', { ...both, parameters: { oauth_token: 'x' } }, 'parameters'],
    ['a realm among the parameters', { ...pair, parameters: { realm: 'r' } }, 'parameters'],
    ['a token secret among the parameters', { ...pair, parameters: { oauth_token_secret: 'canary' } }, 'parameters'],
    ['a consumer secret among the parameters', { ...pair, parameters: { oauth_consumer_secret: 'canary' } }, 'parameters'],
    ['parameters in a list', { ...pair, parameters: ['canary'] }, 'parameters'],
    ['parameters in an empty list', { ...pair, parameters: [] }, 'parameters'],
    ['parameters in a map', { ...pair, parameters: new Map([['a', 'canary']]) }, 'parameters'],
    ['parameters that are null', { ...pair, parameters: null }, 'parameters'],
    ['a token that is undefined', { ...pair, token: undefined }, 'token'],
    ['a signature method that is null', { ...pair, signatureMethod: null }, 'signatureMethod'],
    ['a signature method that is a number', { ...pair, signatureMethod: 5 }, 'signatureMethod'],
    ['RSA with a key that is null', { ...rsa, privateKey: null }, 'privateKey'],
    ['isRejected that is no function', { ...pair, isRejected: true }, 'isRejected'],
    ['a nonce that is no function', { ...pair, nonce: 'canary' }, 'nonce'],
    ['a time that is no function', { ...pair, timestampSeconds: 1 }, 'timestampSeconds'],
    ['a realm that is no string', { ...pair, realm: null }, 'realm'],
    ['a body hash that is no boolean', { ...pair, bodyHash: 'yes' }, 'bodyHash'],
    ['parameters that are no strings', { ...pair, parameters: { oauth_callback: undefined } }, 'parameters'],
  ])('%s', (_name, options, option) => {
    const refused = expect(() => oauth1(options as unknown as OAuth1Options));
    refused.toThrow(expect.objectContaining({ name: 'ConfigurationError', strategy: 'oauth1', option }));
    refused.not.toThrow('canary');
  });

  it.each<[string, OAuth1Options]>([
    ['RSA without a consumer secret, and a token without its own', { ...rsa, token: 'token' }],
    ['an empty token for servers that want to see one', { ...pair, parameters: { oauth_token: '' } }],
    ['an empty realm', { ...pair, realm: '' }],
  ])('but not %s', (_name, options) => {
    expect(oauth1(options).name).toBe('oauth1');
  });

  it('an option that is misspelt, or has another name elsewhere: what it says is not left out in silence', () => {
    const elsewhere = { ...pair, accessToken: 'canary', accessTokenSecret: 'canary' } as OAuth1Options;
    expect(() => oauth1(elsewhere)).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'accessToken' }));
    expect(() => oauth1(elsewhere)).toThrow(/^oauth1: `accessToken` is not an option\. It takes consumerKey, .*token, tokenSecret/);
    const misspelt = { ...pair, tokensecret: 'canary' } as OAuth1Options;
    expect(() => oauth1(misspelt)).toThrow('Did you mean `tokenSecret`?');
  });

  it.each([undefined, null, 'canary'])('options that are none: %s', (options) => {
    expect(() => oauth1(options as unknown as OAuth1Options)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'options' }),
    );
  });

  it('not before its use: a variable that is unset', () => {
    const strategy = oauth1({ ...pair, token: fromEnv('AUTHSEAM_TEST_NOT_SET'), tokenSecret: '' });
    expect(() => strategy.authorize(aRequest(), context)).toThrow('AUTHSEAM_TEST_NOT_SET');
  });
});

describe('refused at use, with nothing sent', () => {
  it.each<[string, unknown]>([
    ...['', undefined, 5, Promise.resolve('n')].map((value) => ['nonce', value] as [string, unknown]),
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined].map((value) => ['timestampSeconds', value] as [string, unknown]),
  ])('%s that yields %s', async (option, value) => {
    const send = vi.fn(async () => new Response());
    const api = authorizedFetch(send, oauth1({ ...both, ...fixed, [option]: () => value }));
    await expect(api('https://api.example.com/')).rejects.toMatchObject({ name: 'ConfigurationError', option });
    expect(send).not.toHaveBeenCalled();
  });
});

describe('through fetch', () => {
  it('each hop of a redirect is signed for its own URL, and one to another origin not at all', async () => {
    const seen: { url: string; authorization: string | null }[] = [];
    const hops = ['/second?b=2', 'https://other.example.com/third'];
    const api = authorizedFetch(
      async (input, init) => {
        const { url, headers } = new Request(input, init);
        seen.push({ url, authorization: headers.get('authorization') });
        const location = hops[seen.length - 1];
        return location ? new Response(null, { status: 307, headers: { Location: location } }) : new Response('done');
      },
      oauth1({ ...both, ...fixed }),
    );
    expect(await (await api('https://api.example.com/first?a=1')).text()).toBe('done');
    const signedFor = (url: string) => patchOf({ ...both, ...fixed }, aRequest({ url })).headers?.['Authorization'];
    expect(seen).toEqual([
      { url: 'https://api.example.com/first?a=1', authorization: signedFor('https://api.example.com/first?a=1') },
      { url: 'https://api.example.com/second?b=2', authorization: signedFor('https://api.example.com/second?b=2') },
      { url: 'https://other.example.com/third', authorization: null },
    ]);
  });

  it('a form is signed however it was given, and nothing is sent that holds protocol parameters of its own', async () => {
    const sent = vi.fn(
      async (input: string | URL | Request, init?: RequestInit) => new Response(new Request(input, init).headers.get('authorization')),
    );
    const api = authorizedFetch(sent, oauth1({ ...both, ...fixed }));
    const signed = patchOf({ ...both, ...fixed }, aRequest({ method: 'POST', body: 'a=1+2' })).headers?.['Authorization'];
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const url = 'https://api.example.com/items';
    for (const body of [new URLSearchParams('a=1+2'), 'a=1+2', new TextEncoder().encode('a=1+2'), new Blob(['a=1+2'])]) {
      const answer = await api(url, { method: 'POST', body, ...(body instanceof URLSearchParams ? {} : { headers }) });
      expect(await answer.text()).toBe(signed);
    }
    const calls = sent.mock.calls.length;
    await expect(api(`${url}?oauth_token=x`)).rejects.toThrow('oauth_');
    expect(sent.mock.calls.length).toBe(calls);
  });
});
