import type { Awaitable } from '@authseam/core';
import { nodeCrypto } from './node-crypto.ts';

/** The hash functions of the signature methods, as node:crypto and as WebCrypto call them. */
export type Hash = 'SHA1' | 'SHA256' | 'SHA512';

/** WebCrypto's name of `hash`. */
export function webName(hash: Hash): string {
  return hash.replace('SHA', 'SHA-');
}

/** `bytes` in base64. */
export function toBase64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

/** Hashes to base64; synchronous where node:crypto is. */
export function createDigest(hash: Hash): (data: Uint8Array) => Awaitable<string> {
  const node = nodeCrypto();
  if (node) return (data) => node.createHash(hash).update(data).digest('base64');
  return async (data) => toBase64(await crypto.subtle.digest(webName(hash), data as Uint8Array<ArrayBuffer>));
}
