import { createHmac, createVerify, generateKeyPairSync } from 'node:crypto';
import { ConfigurationError } from '@authseam/core';
import OAuth from 'oauth-1.0a';
import { expect, test } from 'vitest';
import { fromOAuth10a, type OAuth10aInstance, type OAuth10aToken } from './from-oauth-1.0a.ts';

const consumer = { key: 'key', secret: 'secret & more' };
const token = { key: 'token', secret: 'token secret' };
const hmac = (hash: string) => (base: string, key: string) => createHmac(hash, key).update(base).digest('base64');

/** The protocol parameters that a strategy sends, decoded, and its header. */
async function sent(oauth: OAuth10aInstance, of?: OAuth10aToken, url = 'https://api.example.com/items?a=1') {
  const request = { method: 'GET', url, headers: new Headers(), replayable: true, attempt: 1 };
  const { headers, receipt } = await fromOAuth10a(oauth, of).authorize(request, { now: () => 1_700_000_000_000, emit() {} });
  const header = headers?.['Authorization'] ?? '';
  const pairs = [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, decodeURIComponent(value)]);
  return { header, parameters: Object.fromEntries(pairs) as Record<string, string>, baseString: receipt?.baseString ?? '' };
}

const methods: readonly [string, OAuth.Options][] = [
  ['HMAC-SHA1', { consumer, signature_method: 'HMAC-SHA1', hash_function: hmac('sha1') }],
  ['HMAC-SHA256', { consumer, signature_method: 'HMAC-SHA256', hash_function: hmac('sha256'), realm: 'ours', nonce_length: 20 }],
  ['PLAINTEXT', { consumer }],
  ['without the last ampersand, where there is a token secret', { consumer, last_ampersand: false }],
];
test.each(methods)('signs what %s of an instance signs', async (_, options) => {
  const oauth = new OAuth(options);
  const { header, parameters } = await sent(oauth, token);
  const { oauth_nonce: nonce = '', oauth_timestamp: timestamp = '' } = parameters;
  oauth.getNonce = () => nonce;
  oauth.getTimeStamp = () => Number(timestamp);
  const { a: _own, ...theirs } = { a: '', ...oauth.authorize({ method: 'GET', url: 'https://api.example.com/items?a=1' }, token) };
  expect(parameters).toMatchObject({ ...theirs, oauth_timestamp: String(theirs.oauth_timestamp) });
  expect(nonce).toHaveLength(options.nonce_length ?? 32);
  expect(header.startsWith('OAuth realm="ours", ')).toBe(options.realm === 'ours');
});

test('without a token there is none, and a token may lack its secret', async () => {
  const oauth = new OAuth({ consumer });
  expect((await sent(oauth)).parameters).not.toHaveProperty('oauth_token');
  expect((await sent(oauth, { key: 'token' })).parameters).toMatchObject({ oauth_token: 'token', oauth_signature: 'secret%20%26%20more&' });
});

test('RSA: the consumer secret is the private key', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const oauth = new OAuth({ consumer: { key: 'key', secret }, signature_method: 'RSA-SHA1', hash_function: () => '' });
  const { parameters, baseString } = await sent(oauth, { key: 'token' });
  const signature = Buffer.from(parameters['oauth_signature'] ?? '', 'base64');
  expect(createVerify('RSA-SHA1').update(baseString).verify(publicKey, signature)).toBe(true);
  const unfit = new OAuth({ consumer, signature_method: 'RSA-SHA1', hash_function: () => '' });
  expect(() => fromOAuth10a(unfit)).toThrow(expect.objectContaining({ option: 'privateKey' }));
});

class OwnClock extends OAuth {
  override getTimeStamp(): number {
    return 1;
  }
}

test('a subclass may add methods', async () => {
  class Named extends OAuth {
    readonly name = 'ours';
  }
  expect((await sent(new Named({ consumer }))).parameters).toMatchObject({ oauth_signature_method: 'PLAINTEXT' });
});

const refused: readonly [string, unknown, OAuth10aToken?][] = [
  ['oauth', undefined],
  ['oauth', {}],
  ['signature_method', new OAuth({ consumer, signature_method: 'HMAC-MD5', hash_function: hmac('md5') })],
  ['version', new OAuth({ consumer, version: '2.0' })],
  ['last_ampersand', new OAuth({ consumer, last_ampersand: false })],
  ['last_ampersand', new OAuth({ consumer, last_ampersand: false }), { key: 'token', secret: '' }],
  ['nonce_length', { consumer, nonce_length: 1.5 }],
  ['hash_function', new OAuth({ consumer, hash_function: hmac('sha1') })],
  ['hash_function', new OAuth({ consumer, signature_method: 'PLAINTEXT', hash_function: hmac('sha256') })],
  [
    'hash_function',
    {
      consumer,
      hash_function() {
        throw new Error('canary');
      },
    },
  ],
  ['getTimeStamp', new OwnClock({ consumer })],
  ['getTimeStamp', Object.assign(new OAuth({ consumer }), { getTimeStamp: () => 1 })],
];
test.each(refused)('%s cannot be carried over (%#)', (option, oauth, of) => {
  const carry = () => fromOAuth10a(oauth as OAuth10aInstance, of);
  expect(carry).toThrow(ConfigurationError);
  expect(carry).toThrow(expect.objectContaining({ option, message: expect.not.stringContaining('secret & more') }));
});
