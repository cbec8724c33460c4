// RFC 5849 §3.4.2: HMAC-SHA1, and its successors HMAC-SHA256 and HMAC-SHA512.
import { type Hash, toBase64, webName } from './hash.ts';
import { nodeCrypto } from './node-crypto.ts';
import type { Sign } from './signature-method.ts';

/** Signs with `signingKey`, imported once. */
export function hmacSigner(hash: Hash, signingKey: string): Sign {
  const node = nodeCrypto();
  const bytes = new TextEncoder().encode(signingKey);
  if (node) {
    const key = node.createSecretKey(bytes);
    return (baseString) => node.createHmac(hash, key).update(baseString).digest('base64');
  }
  let imported: Promise<CryptoKey> | undefined;
  const importKey = (): Promise<CryptoKey> => {
    const algorithm = { name: 'HMAC', hash: webName(hash) };
    return crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign']);
  };
  return async (baseString) => {
    imported ??= importKey();
    return toBase64(await crypto.subtle.sign('HMAC', await imported, new TextEncoder().encode(baseString)));
  };
}
