// The errors of OAuth 1, which name the cause. Over real sockets.
import { generateKeyPairSync } from 'node:crypto';
import { withAuth } from '@authseam/adapter-fetch';
import type { OAuth1Options } from '@authseam/auth-oauth1';
import { type ExtraHorizonServerOptions, extraHorizonServer, findSecret } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { errorOf, rsaKeys, strategyFor } from './fixtures/oauth1-subject.ts';

const SHA256_ONLY: ExtraHorizonServerOptions = { signatureMethods: ['HMAC-SHA256'] };
const FIXED_SECONDS = 1_800_000_000;
const FIXED_CLOCK: ExtraHorizonServerOptions = { now: () => FIXED_SECONDS * 1000 };

const { privateKey, publicKey } = rsaKeys();

describe.each(adapters)('$name', (adapter) => {
  describe('errors name the cause', () => {
    const wrongs: readonly [string, Partial<OAuth1Options>, ExtraHorizonServerOptions, string, RegExp][] = [
      ['a wrong token secret', { tokenSecret: 'wrong' }, {}, 'signature_invalid', /tokenSecret/],
      ['a wrong consumer secret', { consumerSecret: 'wrong' }, {}, 'signature_invalid', /consumerSecret/],
      ['a consumer key of another system', { consumerKey: 'other' }, {}, 'consumer_key_unknown', /consumerKey/],
      ['a token of another system', { token: 'other' }, {}, 'token_rejected', /`token`/],
      ['a method that is not taken', { signatureMethod: 'PLAINTEXT' }, SHA256_ONLY, 'signature_method_rejected', /signatureMethod/],
      ['a key that is not registered', { signatureMethod: 'RSA-SHA256', privateKey }, {}, 'signature_invalid', /./],
      ['a nonce that repeats itself', { nonce: () => 'same', timestampSeconds: () => FIXED_SECONDS }, FIXED_CLOCK, 'nonce_used', /nonce/],
    ];
    it.each(wrongs)('%s', async (_, wrong, options, oauthProblem, hint) => {
      for (const problemReporting of ['header', 'body'] as const) {
        await using server = await extraHorizonServer({ problemReporting, ...options });
        const strategy = strategyFor(server, wrong);
        const call = () => adapter.attach(strategy)(`${server.origin}/users/v1/me`);
        if (oauthProblem === 'nonce_used') await call();
        const error = await errorOf(call());
        expect(error).toMatchObject({ name: 'OAuth1Error', code: 'OAUTH1_REJECTED', strategy: 'oauth1', oauthProblem });
        expect(error.message).toMatch(hint);
        const { consumerSecret, tokenSecret } = server;
        expect(findSecret(error, [consumerSecret, tokenSecret, privateKey])).toEqual([]);
      }
    });

    it('a URL that was changed after it was signed', async () => {
      await using server = await extraHorizonServer({ problemReporting: 'header' });
      const proxy = ((input: string | URL | Request, init?: RequestInit) => {
        const url = new URL(input instanceof Request ? input.url : input);
        url.searchParams.append('utm_source', 'proxy');
        return fetch(url, init);
      }) as typeof fetch;
      const error = await errorOf(withAuth(proxy, strategyFor(server))(`${server.origin}/users/v1/me?a=1`));
      expect(error).toMatchObject({ name: 'OAuth1Error', oauthProblem: 'signature_invalid' });
      expect(error.message).toMatch(/URL/);
      expect(findSecret(error, [server.consumerSecret, server.tokenSecret])).toEqual([]);
    });

    const pem = (type: 'ec' | 'ed25519') => {
      const { privateKey: key } = type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
      return key.export({ type: 'pkcs8', format: 'pem' }).toString();
    };
    it.each([
      ['an elliptic curve', pem('ec')],
      ['Ed25519', pem('ed25519')],
      ['a public key', publicKey],
      ['no key at all', 'not a key'],
    ])('an unsupported key: %s', async (_, key) => {
      await using server = await extraHorizonServer();
      expect(() => strategyFor(server, { signatureMethod: 'RSA-SHA1', privateKey: key })).toThrowError(
        expect.objectContaining({ name: 'ConfigurationError', option: 'privateKey', message: expect.stringMatching(/RSA private key/) }),
      );
    });
  });
});
