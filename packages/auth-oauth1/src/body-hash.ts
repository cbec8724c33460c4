// OAuth Request Body Hash 1.0, draft 4 (October 2009), §3.2.
import type { Awaitable } from '@authseam/core';
import { createDigest } from './signature/hash.ts';
import { hashOf, type SignatureMethod } from './signature/signature-method.ts';

/** Yields `oauth_body_hash` of a body, exactly as it is sent; no body counts as an empty one. */
export type BodyHash = (body: string | Uint8Array | undefined) => Awaitable<string>;

/**
 * What hashes bodies for `method`: with the plain hash function that the signature method is built on. PLAINTEXT has none.
 *
 * @see OAuth Request Body Hash 1.0 §3.2
 */
export function createBodyHash(method: SignatureMethod): BodyHash | undefined {
  const hash = hashOf(method);
  const digest = hash && createDigest(hash);
  return digest && ((body = '') => digest(typeof body === 'string' ? new TextEncoder().encode(body) : body));
}
