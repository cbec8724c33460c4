// RFC 5849 §3.4.3: RSA-SHA1, and its successors RSA-SHA256 and RSA-SHA512 (RSASSA-PKCS1-v1_5, RFC 8017 §8.2).
import { type Awaitable, ConfigurationError, type Secret } from '@authseam/core';
import { type Hash, toBase64, webName } from './hash.ts';
import { type NodeCrypto, type NodeKeyObject, nodeCrypto } from './node-crypto.ts';
import type { Sign } from './signature-method.ts';

/**
 * An RSA private key: PEM text (PKCS#8 or PKCS#1, not encrypted) or a function that yields it, asked at each signature; a JWK, a CryptoKey for
 * RSASSA-PKCS1-v1_5, or a KeyObject of node:crypto.
 */
export type PrivateKey = Secret | RsaKey;

/** A key that is at hand. */
type KeyMaterial = string | RsaKey;
type RsaKey = RsaPrivateJwk | RsaCryptoKey | NodeKeyObject;

/** A private key in JSON (RFC 7517). The platform's `JsonWebKey` fits, where there is one: types of the DOM are not needed for this. */
export interface RsaPrivateJwk {
  readonly kty?: string | undefined;
  readonly n?: string | undefined;
  readonly e?: string | undefined;
  readonly d?: string | undefined;
  readonly p?: string | undefined;
  readonly q?: string | undefined;
  readonly dp?: string | undefined;
  readonly dq?: string | undefined;
  readonly qi?: string | undefined;
}

/** The platform's `CryptoKey`, as far as it matters here. */
export interface RsaCryptoKey {
  readonly type: string;
  readonly algorithm: { readonly name: string };
  /** Holds `'sign'`. */
  readonly usages: readonly string[];
}

/**
 * What signs with `privateKey`. Where that is a function, it takes what the function yielded; the last one stays imported.
 *
 * @throws {ConfigurationError} as {@link rsaSigner}; for what a function yields, at use.
 */
export function rsaSigners(hash: Hash, privateKey: PrivateKey): (pem: unknown) => Sign {
  if (typeof privateKey !== 'function') {
    const sign = rsaSigner(hash, privateKey);
    return () => sign;
  }
  let last: { readonly pem: string; readonly sign: Sign } | undefined;
  return (pem) => {
    if (typeof pem !== 'string') throw unfit('of another kind');
    if (last?.pem !== pem) last = { pem, sign: rsaSigner(hash, pem) };
    return last.sign;
  };
}

/**
 * Signs with `privateKey`, imported once. A CryptoKey signs through WebCrypto, the others through node:crypto where there is one.
 *
 * @throws {ConfigurationError} for a key that is no RSA private key, or a CryptoKey for another use; the key is never shown. Without node:crypto what
 * is wrong inside of a PEM or JWK shows at the first signature.
 */
export function rsaSigner(hash: Hash, privateKey: KeyMaterial): Sign {
  const node = nodeCrypto();
  if (ArrayBuffer.isView(privateKey)) throw unfit("bytes: read it as text, with the encoding 'utf8'");
  if (isCryptoKey(privateKey)) return webSigner(checkedCryptoKey(hash, privateKey));
  if (isKeyObject(privateKey) && !node) throw unfit('a KeyObject, which only node:crypto can use');
  if (node) return nodeSigner(node, hash, isKeyObject(privateKey) ? privateKey : nodeKey(node, privateKey));
  const format = typeof privateKey === 'string' ? 'pkcs8' : 'jwk';
  const data = typeof privateKey === 'string' ? pkcs8Of(privateKey) : rsaJwk(privateKey as RsaPrivateJwk);
  const algorithm = { name: ALGORITHM, hash: webName(hash) };
  const importKey = async (): Promise<CryptoKey> => {
    const key = await crypto.subtle.importKey(format as 'jwk', data as JsonWebKey, algorithm, false, ['sign']).catch(() => {
      throw unfit('damaged'); // what WebCrypto says about it helps nobody
    });
    checkSize(hash, (key.algorithm as RsaHashedKeyAlgorithm).modulusLength);
    return key;
  };
  return webSigner(importKey);
}

function nodeSigner(node: NodeCrypto, hash: Hash, key: NodeKeyObject): Sign {
  if (key.type !== 'private' || key.asymmetricKeyType !== 'rsa') throw unfit(`a ${key.asymmetricKeyType ?? ''} ${key.type} key`);
  checkSize(hash, key.asymmetricKeyDetails?.modulusLength);
  const encoder = new TextEncoder();
  return (baseString) => node.sign(hash, encoder.encode(baseString), key).toString('base64');
}

function webSigner(importKey: () => Awaitable<CryptoKey>): Sign {
  let imported: Awaitable<CryptoKey> | undefined;
  return async (baseString) => {
    imported ??= importKey();
    return toBase64(await crypto.subtle.sign(ALGORITHM, await imported, new TextEncoder().encode(baseString)));
  };
}

function nodeKey(node: NodeCrypto, key: string | RsaPrivateJwk): NodeKeyObject {
  const input = typeof key === 'string' ? checkedPem(key)[0] : ({ key: rsaJwk(key), format: 'jwk' } as const);
  try {
    return node.createPrivateKey(input);
  } catch {
    throw unfit('damaged'); // OpenSSL's own words name no option and no way out
  }
}

function checkedCryptoKey(hash: Hash, key: RsaCryptoKey): () => CryptoKey {
  const { name, hash: own, modulusLength } = key.algorithm as RsaHashedKeyAlgorithm;
  if (key.type !== 'private' || name !== ALGORITHM || own.name !== webName(hash) || !key.usages.includes('sign')) {
    throw unfit(`a CryptoKey, but not one that may sign with ${ALGORITHM} and ${webName(hash)}`);
  }
  checkSize(hash, modulusLength);
  return () => key as CryptoKey;
}

/** RFC 8017 §9.2: the digest, what names its algorithm, and at least eleven bytes of padding fit into the modulus. */
function checkSize(hash: Hash, modulusBits: number | undefined): void {
  const isTooSmall = modulusBits !== undefined && Math.ceil(modulusBits / 8) < SMALLEST[hash];
  if (isTooSmall) throw unfit(`too small for ${webName(hash)}: it has ${modulusBits} bits`);
}

/** The members that make the key; `alg`, `use` and `key_ops` may say another hash, which OAuth 1 does not care for. */
function rsaJwk({ kty, n, e, d, p, q, dp, dq, qi }: RsaPrivateJwk): RsaPrivateJwk {
  if (kty !== 'RSA' || !d) throw unfit(kty === 'RSA' ? 'a public key' : 'of another kind');
  return { kty, n, e, d, p, q, dp, dq, qi };
}

/** The PEM block of a private key, wrapped anew since OpenSSL takes no indented lines and no blanks for breaks; its label and its content. */
function checkedPem(text: string): readonly [pem: string, label: string, base64: string] {
  const [, label = '', content = ''] = /-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text) ?? [];
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) throw unfit('encrypted: decrypt it first');
  if (label !== 'PRIVATE KEY' && label !== 'RSA PRIVATE KEY')
    throw unfit(label === '' ? 'no PEM text with its line breaks' : `a PEM ${label}`);
  const base64 = content.replace(/\s+/g, '');
  return [`-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`, label, base64];
}

/** PKCS#8 (RFC 5208 §5), which is all that WebCrypto imports; PKCS#1 (RFC 8017 §A.1.2) is wrapped in it. */
function pkcs8Of(text: string): Uint8Array {
  const [, label, base64] = checkedPem(text);
  const der = orUnfit(() => Array.from(atob(base64), (char) => char.charCodeAt(0)));
  if (label === 'PRIVATE KEY') return Uint8Array.from(der);
  return Uint8Array.from(derOf(0x30, [...PKCS8_RSA, ...derOf(0x04, der)]));
}

function orUnfit<T>(decode: () => T): T {
  try {
    return decode();
  } catch {
    throw unfit('damaged');
  }
}

/** Tag, length and content (X.690 §8.1). */
function derOf(tag: number, content: readonly number[]): number[] {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return [tag, ...length, ...content];
}

function isCryptoKey(key: KeyMaterial): key is RsaCryptoKey {
  return typeof key === 'object' && 'algorithm' in key && 'usages' in key;
}

function isKeyObject(key: KeyMaterial): key is NodeKeyObject {
  return typeof key === 'object' && 'type' in key && !('kty' in key);
}

function unfit(problem: string): ConfigurationError {
  const message = `oauth1: \`privateKey\` is ${problem}. It takes an RSA private key: PEM (PKCS#8 or PKCS#1, not encrypted), JWK, CryptoKey or KeyObject.`;
  return new ConfigurationError(message, { option: 'privateKey', strategy: 'oauth1' });
}

const ALGORITHM = 'RSASSA-PKCS1-v1_5';
/** Bytes of a modulus. */
const SMALLEST: Readonly<Record<Hash, number>> = { SHA1: 46, SHA256: 62, SHA512: 94 };
/** Version 0, and the algorithm rsaEncryption without parameters. */
const PKCS8_RSA = [2, 1, 0, 48, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0];
