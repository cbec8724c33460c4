// RFC 5849 §3.4.2 to §3.4.4, over node:crypto and over WebCrypto.
import { createPrivateKey, createSecretKey, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';
import process from 'node:process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { wikiHmacSha1, wikiRsaSha1 } from '../fixtures/published-vectors.ts';
import type { PrivateKey } from './rsa.ts';
import { createSigners, type SignatureMethod } from './signature-method.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = privateKey.export({ format: 'jwk' }) as JsonWebKey;
const cryptoKeyOf = (hash: string, usages: KeyUsage[] = ['sign'], name = 'RSASSA-PKCS1-v1_5') =>
  crypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), { name, hash }, false, usages);

const keys: [string, () => PrivateKey][] = [
  ['PKCS#8', () => privateKey.export({ type: 'pkcs8', format: 'pem' }) as string],
  ['PKCS#1', () => privateKey.export({ type: 'pkcs1', format: 'pem' }) as string],
  [
    'PKCS#1 with text around it and CRLF',
    () => `key:\r\n${(privateKey.export({ type: 'pkcs1', format: 'pem' }) as string).replaceAll('\n', '\r\n')}bye`,
  ],
  ['PKCS#8, indented', () => (privateKey.export({ type: 'pkcs8', format: 'pem' }) as string).replace(/^/gm, '    ')],
  ['PKCS#1, with blanks for line breaks', () => (privateKey.export({ type: 'pkcs1', format: 'pem' }) as string).replaceAll('\n', ' ')],
  ['JWK', () => jwk],
  ['JWK for another use', () => ({ ...jwk, alg: 'RS512', use: 'enc', key_ops: ['decrypt'] })],
  ['KeyObject', () => privateKey],
];

function withoutNode(): void {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
}

function isSignedBy(key: KeyObject, method: SignatureMethod, text: string, signature: string): boolean {
  return createVerify(method).update(text).verify(key, signature, 'base64');
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each<SignatureMethod>(['RSA-SHA1', 'RSA-SHA256', 'RSA-SHA512'])('%s', (method) => {
  it.each(keys)('signs with a key in %s, at once', (_name, key) => {
    const signature = createSigners(method, key())('unused&')('bé');
    expect(isSignedBy(publicKey, method, 'bé', signature as string)).toBe(true);
  });

  it.each(keys.slice(0, -1))('signs with a key in %s without node:crypto', async (_name, key) => {
    withoutNode();
    const sign = createSigners(method, key())('unused&');
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    expect(isSignedBy(publicKey, method, 'bé', await sign('bé'))).toBe(true);
    expect(isSignedBy(publicKey, method, 'other', await sign('other'))).toBe(true);
    expect(importKey).toHaveBeenCalledOnce();
  });

  it('signs with a CryptoKey that cannot be exported', async () => {
    const key = await cryptoKeyOf(method.replace('RSA-SHA', 'SHA-'));
    expect(isSignedBy(publicKey, method, 'b', await createSigners(method, key)('unused&')('b'))).toBe(true);
  });
});

describe('without node:crypto', () => {
  it.each(wikiHmacSha1)('HMAC-SHA1 with %s gives the published signature', async (key, baseString, signature) => {
    withoutNode();
    const sign = createSigners('HMAC-SHA1', undefined)(key);
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    expect([await sign(baseString), await sign(baseString)]).toEqual([signature, signature]);
    expect(importKey).toHaveBeenCalledOnce();
  });

  it.each<SignatureMethod>(['HMAC-SHA256', 'HMAC-SHA512'])('%s gives what node:crypto gives', async (method) => {
    const expected = createSigners(method, undefined)('sécret&')('bé');
    withoutNode();
    expect(await createSigners(method, undefined)('sécret&')('bé')).toBe(expected);
  });

  it('RSA-SHA1 gives the published signature', async () => {
    withoutNode();
    expect(await createSigners('RSA-SHA1', wikiRsaSha1.privateKey)('')(wikiRsaSha1.baseString)).toBe(wikiRsaSha1.signature);
  });
});

describe('a key that does not fit is refused, and not shown', () => {
  const pem = (type: 'ec' | 'rsa-pss'): string =>
    (type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa-pss', { modulusLength: 1024 })
    ).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string;
  const unfit: [string, () => unknown, string][] = [
    ['no key', () => 'hunter2-canary', 'no PEM text'],
    ['a key with its line breaks escaped', () => wikiRsaSha1.privateKey.replaceAll('\n', '\\n'), 'line breaks'],
    ['a key in a Buffer', () => Buffer.from(wikiRsaSha1.privateKey), 'utf8'],
    ['a key in a Uint8Array', () => new TextEncoder().encode(wikiRsaSha1.privateKey), 'utf8'],
    ['an encrypted key', () => privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }), 'encrypted'],
    ['a public key', () => publicKey.export({ type: 'spki', format: 'pem' }), 'PUBLIC KEY'],
    ['a public JWK', () => publicKey.export({ format: 'jwk' }), 'public'],
    ['a JWK of another kind', () => ({ kty: 'oct', k: 'aHVudGVyMi1jYW5hcnk' }), 'another kind'],
  ];

  it.each([
    ...unfit,
    ['a key of another kind', () => pem('ec'), 'ec'] as const,
    ['an RSA-PSS key', () => pem('rsa-pss'), 'rsa-pss'] as const,
    ['a public KeyObject', () => publicKey, 'public'] as const,
    ['a secret KeyObject', () => createSecretKey(Buffer.alloc(32)), 'secret'] as const,
    ['a damaged key', () => wikiRsaSha1.privateKey.replace('MIICdgIBADAN', 'MIICdgIBADAO'), 'damaged'] as const,
  ])('%s', (_name, key, problem) => {
    const refused = expect(() => createSigners('RSA-SHA256', key() as PrivateKey));
    refused.toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'privateKey', message: expect.stringContaining(problem) }),
    );
    refused.not.toThrow(/canary|aHVudGVy|MIIC/);
  });

  it.each(unfit)('%s, without node:crypto', (_name, key, problem) => {
    withoutNode();
    expect(() => createSigners('RSA-SHA256', key() as PrivateKey)).toThrow(problem);
  });

  it('a KeyObject where there is no node:crypto, and a key whose damage only WebCrypto sees', async () => {
    withoutNode();
    expect(() => createSigners('RSA-SHA256', createPrivateKey(wikiRsaSha1.privateKey))).toThrow('node:crypto');
    const sign = createSigners('RSA-SHA256', pem('ec'))('');
    await expect(async () => sign('b')).rejects.toThrow('damaged');
  });

  it('a key too small for the digest', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey;
    const pkcs8 = small.export({ type: 'pkcs8', format: 'pem' }) as string;
    const der = small.export({ type: 'pkcs8', format: 'der' });
    const key = await crypto.subtle.importKey('pkcs8', der, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }, false, ['sign']);
    const refusal = expect.objectContaining({ option: 'privateKey', message: expect.stringContaining('too small for SHA-512') });
    for (const given of [small, pkcs8, key]) expect(() => createSigners('RSA-SHA512', given)).toThrow(refusal);
    expect(createSigners('RSA-SHA256', pkcs8)('')('b')).toHaveLength(88);
    withoutNode();
    await expect(async () => createSigners('RSA-SHA512', pkcs8)('')('b')).rejects.toThrow(refusal);
  });

  it('a CryptoKey for another hash, algorithm or use', async () => {
    const others = [
      await cryptoKeyOf('SHA-1'),
      await cryptoKeyOf('SHA-256', ['sign'], 'RSA-PSS'),
      await crypto.subtle.importKey('jwk', publicKey.export({ format: 'jwk' }), { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, [
        'verify',
      ]),
    ];
    for (const key of others) expect(() => createSigners('RSA-SHA256', key)).toThrow('CryptoKey');
  });
});
