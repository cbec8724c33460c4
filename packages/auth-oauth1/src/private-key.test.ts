// A private key as a `Secret`: RFC 5849 §3.4.3; DESIGN.md §4.
import crypto, { generateKeyPairSync } from 'node:crypto';
import { fromEnv } from '@authseam/core';
import { authorizedFetch } from '@authseam/core/fetch';
import { expect, it, vi } from 'vitest';
import { aRequest, context, patchOf } from './fixtures/a-request.ts';
import { wikiRsaSha1 } from './fixtures/published-vectors.ts';
import { oauth1 } from './oauth1.ts';
import type { OAuth1Options } from './oauth1-options.ts';

const PKCS8 = { type: 'pkcs8', format: 'pem' } as const;
const SPKI = { type: 'spki', format: 'pem' } as const;
const rsa = { consumerKey: 'key', signatureMethod: 'RSA-SHA1', privateKey: wikiRsaSha1.privateKey } as const;
const fixed = { nonce: () => 'n', timestampSeconds: () => 1 } as const;
const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 1024, privateKeyEncoding: PKCS8, publicKeyEncoding: SPKI });
const signatureOf = (options: OAuth1Options): string => patchOf(options).receipt.signature;

it('signs as the key itself does: at once, or when it is there', async () => {
  const expected = signatureOf({ ...rsa, ...fixed });
  expect(signatureOf({ ...rsa, ...fixed, privateKey: () => rsa.privateKey })).toBe(expected);
  const later = oauth1({ ...rsa, ...fixed, privateKey: async () => rsa.privateKey });
  expect((await later.authorize(aRequest(), context)).receipt?.signature).toBe(expected);
  process.env['AUTHSEAM_TEST_PRIVATE_KEY'] = rsa.privateKey;
  try {
    expect(signatureOf({ ...rsa, ...fixed, privateKey: fromEnv('AUTHSEAM_TEST_PRIVATE_KEY') })).toBe(expected);
  } finally {
    delete process.env['AUTHSEAM_TEST_PRIVATE_KEY'];
  }
});

it('is asked for each signature, imported when it changed, and not before its use', () => {
  const imported = vi.spyOn(crypto, 'createPrivateKey');
  const privateKey = vi.fn<() => string>().mockReturnValue(rsa.privateKey);
  const strategy = oauth1({ ...rsa, ...fixed, privateKey, token: () => `${privateKey.mock.calls.length}` });
  expect([privateKey.mock.calls.length, imported.mock.calls.length]).toEqual([0, 0]);
  for (let request = 0; request < 3; request++) strategy.authorize(aRequest(), context);
  expect([privateKey.mock.calls.length, imported.mock.calls.length]).toEqual([3, 1]);
  privateKey.mockReturnValue(other);
  strategy.authorize(aRequest(), context);
  expect(imported).toHaveBeenCalledTimes(2);
  imported.mockRestore();
});

it('and was rotated meanwhile signs once more after a rejection', async () => {
  const privateKey = vi.fn<() => string>().mockReturnValueOnce(rsa.privateKey).mockReturnValue(other);
  const send = vi.fn(async () => new Response('', { status: send.mock.calls.length === 1 ? 401 : 200 }));
  const response = await authorizedFetch(send, oauth1({ ...rsa, privateKey }))('https://api.example.com/');
  expect([response.status, send.mock.calls.length]).toEqual([200, 2]);
});

it.each([undefined, 5, null, {}, Promise.resolve(undefined), 'canary', Promise.resolve('canary')])('is refused as %s', async (yielded) => {
  const send = vi.fn(async () => new Response());
  const api = authorizedFetch(send, oauth1({ ...rsa, privateKey: () => yielded as string }));
  const error = await api('https://api.example.com/').catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'ConfigurationError', option: 'privateKey', message: expect.not.stringContaining('canary') });
  expect(send).not.toHaveBeenCalled();
});
