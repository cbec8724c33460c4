import { ConfigurationError } from '@authseam/core';
import { expect, test, vi } from 'vitest';
import { callback, consumerSecret, errorOf, flowOf, seen, startServer, tokenSecret, transaction } from './fixtures/flow-server.ts';
import { wikiRsaSha1 } from './fixtures/published-vectors.ts';
import { oauth1Flow } from './oauth1-flow.ts';

startServer();

const misuse: readonly [string, object][] = [
  ['requestTokenEndpoint', { requestTokenEndpoint: undefined }],
  ['requestTokenEndpoint', { requestTokenEndpoint: 'http://api.example.com/initiate' }],
  ['authorizationEndpoint', { authorizationEndpoint: '/authorize' }],
  ['authorizationEndpoint', { authorizationEndpoint: 'https://api.example.com/authorize?oauth_token=mine' }],
  ['accessTokenEndpoint', { accessTokenEndpoint: 'https://user:canary-token-secret@api.example.com/token' }],
  ['accessTokenEndpoint', { accessTokenEndpoint: 'https://api.example.com/token#x' }],
  ['callbackUrl', { callbackUrl: undefined }],
  ['callbackUrl', { callbackUrl: '/callback' }],
  ['callbackUrl', { callbackUrl: 'https://app.example.com/#callback' }],
  ['callbackUrl', { callbackUrl: 'https://app.example.com/?oauth_verifier=1' }],
  ['method', { method: 'PUT' }],
  ['placement', { method: 'GET', placement: 'form' }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['fetch', { fetch: 'fetch' }],
  ['now', { now: 1 }],
  ['headers', { headers: { Authorization: 'x' } }],
  ['headers', { headers: { 'User-Agent': 'a\nb' } }],
  ['headers', { headers: new Headers({ Authorization: 'x' }) }],
  ['headers', { headers: new Map([['User-Agent', 'x']]) }],
  ['headers', { headers: null }],
  ['parameters', { parameters: null }],
  ['parameters', { parameters: { oauth_callback: 'oob' } }],
  ['consumerKey', { consumerKey: '' }],
  ['consumerSecret', { consumerSecret: undefined }],
  ['privateKey', { signatureMethod: 'RSA-SHA1' }],
  ['signatureMethod', { signatureMethod: 'HMAC-MD5' }],
];
test.each(misuse)('%s is checked at once (%#)', (option, more) => {
  const make = () => flowOf(more);
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(expect.objectContaining({ option, message: expect.not.stringContaining('canary') }));
});

test('no options at all are refused', async () => {
  expect(() => oauth1Flow(undefined as never)).toThrow(ConfigurationError);
  expect(() => oauth1Flow(null as never)).toThrow(ConfigurationError);
  for (const none of [null, { parameters: null }]) await expect(flowOf().start(none as never)).rejects.toBeInstanceOf(ConfigurationError);
  await expect(flowOf().finish(callback, transaction(), null as never)).rejects.toBeInstanceOf(ConfigurationError);
  expect(seen).toEqual([]);
});

test('options that are unknown are refused, and a misspelt one is told', async () => {
  const misspelt = expect.objectContaining({ name: 'ConfigurationError', option: 'callbackURL' });
  expect(() => flowOf({ callbackURL: 'canary' } as object)).toThrow(misspelt);
  expect(() => flowOf({ callbackURL: 'canary' } as object)).toThrow('Did you mean `callbackUrl`?');
  expect(() => flowOf({ token: 'canary' } as object)).toThrow('`token` is not an option');
  const rejected = { code: 'CONFIGURATION_ERROR', option: 'screen_name' };
  await expect(flowOf().start({ screen_name: 'jane' } as object)).rejects.toMatchObject(rejected);
  await expect(flowOf().finish(callback, transaction(), { screen_name: 'jane' } as object)).rejects.toMatchObject(rejected);
  expect(seen).toEqual([]);
});

test('a private key may be a function, asked for each token request', async () => {
  const privateKey = vi.fn(async () => wikiRsaSha1.privateKey);
  const flow = flowOf({ signatureMethod: 'RSA-SHA1', privateKey });
  await flow.start();
  expect([privateKey.mock.calls.length, seen.length]).toEqual([1, 1]);
  privateKey.mockRejectedValue(new Error(`sealed for ${consumerSecret}`));
  const error = await errorOf(flow.start());
  expect(error).toMatchObject({ code: 'STRATEGY_FAILED', cause: { message: 'sealed for [redacted]' } });
  expect(error.message).toContain('`privateKey` failed');
  expect(seen).toHaveLength(1);
});

test.each(['nonce', 'now', 'timestampSeconds'])('a function `%s` that fails is named, without secrets', async (option) => {
  const fails = () => {
    throw new Error(`broken by ${consumerSecret} and ${tokenSecret}`);
  };
  const error = await errorOf(flowOf({ [option]: fails }).finish(callback, transaction()));
  expect(error).toMatchObject({ code: 'STRATEGY_FAILED', cause: { message: 'broken by [redacted] and [redacted]' } });
  expect(error.message).toContain(`\`${option}\` failed`);
  expect(seen).toEqual([]);
});
