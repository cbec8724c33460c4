// RFC 5849 §3.4.2–3.4.4, with SHA-256 and SHA-512 in the manner of the same sections, and the body hash extension.
import { createHash, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { percentEncodedText } from './octets.ts';

/** The signature methods that are known. */
export type OAuth1SignatureMethod = 'HMAC-SHA1' | 'HMAC-SHA256' | 'HMAC-SHA512' | 'RSA-SHA1' | 'RSA-SHA256' | 'RSA-SHA512' | 'PLAINTEXT';

/** Every {@link OAuth1SignatureMethod}. */
export const OAUTH1_SIGNATURE_METHODS: readonly OAuth1SignatureMethod[] = [
  ...(['HMAC-SHA1', 'HMAC-SHA256', 'HMAC-SHA512', 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA512'] as const),
  'PLAINTEXT',
];

/** What a signature is checked against. */
export interface SignatureKeys {
  readonly consumerSecret: string;
  /** `''` where there is no token. */
  readonly tokenSecret: string;
  /** For RSA. Without it no RSA signature is right. */
  readonly publicKey?: KeyObject | undefined;
}

/** Whether `signature` is that of `baseString`. */
export function isSignedWith(keys: SignatureKeys, method: OAuth1SignatureMethod, baseString: string, signature: string): boolean {
  const shared = [keys.consumerSecret, keys.tokenSecret].map(percentEncodedText).join('&');
  if (method === 'PLAINTEXT') return isSame(Buffer.from(signature), Buffer.from(shared));
  const octets = Buffer.from(signature, 'base64');
  if (octets.toString('base64') !== signature) return false;
  const hash = hashOf(method);
  if (method.startsWith('HMAC')) return isSame(octets, createHmac(hash, shared).update(baseString).digest());
  return keys.publicKey !== undefined && verify(hash, Buffer.from(baseString), keys.publicKey, octets);
}

/** The `oauth_body_hash` of a body: by the hash of the signature method, SHA-1 for PLAINTEXT, which has none. */
export function bodyHash(method: OAuth1SignatureMethod, body: Buffer): string {
  return createHash(hashOf(method)).update(body).digest('base64');
}

function hashOf(method: OAuth1SignatureMethod): string {
  return `sha${/\d+$/.exec(method)?.[0] ?? '1'}`;
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
