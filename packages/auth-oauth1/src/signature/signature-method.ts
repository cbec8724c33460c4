// RFC 5849 §3.4: signature.
import type { Awaitable } from '@authseam/core';
import type { Hash } from './hash.ts';
import { hmacSigner } from './hmac.ts';
import { plaintextSigner } from './plaintext.ts';
import { type PrivateKey, rsaSigners } from './rsa.ts';

/** What `oauth_signature_method` can say. RFC 5849 §3.4 defines the ones with SHA1, and PLAINTEXT; the others are what servers added since. */
export type SignatureMethod = 'HMAC-SHA1' | 'HMAC-SHA256' | 'HMAC-SHA512' | 'RSA-SHA1' | 'RSA-SHA256' | 'RSA-SHA512' | 'PLAINTEXT';

/** Signs a base string, in base64; at once where the runtime can. */
export type Sign = (baseString: string) => Awaitable<string>;

/** Every signature method. */
export const signatureMethods: readonly SignatureMethod[] = [
  'HMAC-SHA1',
  'HMAC-SHA256',
  'HMAC-SHA512',
  'RSA-SHA1',
  'RSA-SHA256',
  'RSA-SHA512',
  'PLAINTEXT',
];

/** The hash that `method` is named after; a body hash uses the same. PLAINTEXT has none. */
export function hashOf(method: SignatureMethod): Hash | undefined {
  return method === 'PLAINTEXT' ? undefined : (method.slice(method.indexOf('-') + 1) as Hash);
}

/**
 * What signs with `method`, for each signing key: the encoded consumer secret and token secret joined by `&`. RSA does not use it, but the PEM that a
 * function given as `privateKey` yielded.
 *
 * @param privateKey Required for RSA, imported once.
 * @throws {ConfigurationError} for a `privateKey` that does not fit.
 */
export function createSigners(method: SignatureMethod, privateKey: PrivateKey | undefined): (signingKey: string, pem?: string) => Sign {
  const hash = hashOf(method);
  if (!hash) return plaintextSigner;
  if (privateKey === undefined) return (signingKey) => hmacSigner(hash, signingKey);
  const signerOf = rsaSigners(hash, privateKey);
  return (_, pem) => signerOf(pem);
}
