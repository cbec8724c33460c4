// RFC 7518 §3.1: signature algorithms. RFC 7517, RFC 5958: private keys as JWK and PKCS#8.
import { type Awaitable, ConfigurationError } from '@authseam/core';
import { importJWK, importPKCS8, type JWK, SignJWT } from 'jose';
import { ownFunction } from './own-function.ts';
import type { PrivateCryptoKey, PrivateJwk, PrivateKey } from './private-key.ts';

/** A key that signs, and what goes into the header with it. */
export interface SigningKey {
  readonly key: CryptoKey | Uint8Array;
  readonly algorithm: string;
  readonly keyId: string | undefined;
}

interface Wanted {
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
}

/**
 * A function that yields the key, imported once; a function as key is asked each time, and what it yields imported when it changed. A key is used once
 * before it is handed out, so that one that cannot sign is told from a token endpoint that fails.
 *
 * @returns Rejects with a {@link ConfigurationError} for a key that cannot be imported, is too short or does not fit its algorithm; the key is never
 * shown. What a function throws comes as an `AuthError` with code `STRATEGY_FAILED`.
 */
export function importPrivateKey(privateKey: PrivateKey, strategy: string): () => Promise<SigningKey> {
  const isDetailed = typeof privateKey === 'object' && 'key' in privateKey;
  const { key, algorithm, keyId } = isDetailed ? privateKey : { key: privateKey };
  const use = { option: 'privateKey', strategy };
  let imported: { readonly from: unknown; readonly key: SigningKey } | undefined;

  return async () => {
    const from = typeof key === 'function' ? await ownFunction(key as () => Awaitable<string>, use) : key;
    if (imported && imported.from === from) return imported.key;
    try {
      if (typeof key === 'function' && typeof from !== 'string') throw new TypeError('A function yields a PEM.');
      const signing = await importKey(from, { algorithm, keyId });
      await new SignJWT().setProtectedHeader({ alg: signing.algorithm }).sign(signing.key);
      imported = { from, key: signing };
      return signing;
    } catch {
      // What failed is left out: parsers quote keys.
      const wanted = algorithm === undefined ? '' : ` for ${algorithm}`;
      const message = `${strategy}: \`privateKey\` could not be imported${wanted}. It must be an RSA (2048 bits or more), EC or Ed25519 key as PKCS#8 PEM, JWK or CryptoKey, and fit \`algorithm\`.`;
      throw new ConfigurationError(message, use);
    }
  };
}

async function importKey(key: string | PrivateJwk | PrivateCryptoKey, { algorithm, keyId }: Wanted): Promise<SigningKey> {
  if (typeof key === 'string') return { ...(await importPem(key, algorithm)), keyId };
  if ('type' in key && key.type === 'private')
    return { key: key as CryptoKey, algorithm: algorithm ?? cryptoKeyAlgorithm(key as CryptoKey), keyId };
  const jwk = key as JWK;
  const alg = algorithm ?? jwk.alg ?? jwkAlgorithm(jwk);
  return { key: await importJWK(jwk, alg), algorithm: alg, keyId: keyId ?? jwk.kid };
}

/** A PEM does not say which algorithm it is for: the first one that can import it is the one. RSA fits several; RS256 is what servers take. */
async function importPem(pem: string, algorithm: string | undefined): Promise<Pick<SigningKey, 'key' | 'algorithm'>> {
  // Environment files write line breaks as \n, and openssl writes attributes before the key.
  const text = pem.replaceAll('\\n', '\n').replace(/^.*?(?=-----BEGIN)/s, '');
  let failure: unknown;
  for (const alg of algorithm === undefined ? ['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] : [algorithm]) {
    try {
      return { key: await importPKCS8(text, alg), algorithm: alg };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function jwkAlgorithm({ kty, crv }: JWK): string {
  if (kty === 'EC') return curveAlgorithm(crv);
  return kty === 'RSA' ? 'RS256' : 'EdDSA';
}

function cryptoKeyAlgorithm({ algorithm }: CryptoKey): string {
  const { name, hash, namedCurve } = algorithm as KeyAlgorithm & { readonly hash?: KeyAlgorithm; readonly namedCurve?: string };
  if (name === 'ECDSA') return curveAlgorithm(namedCurve);
  const bits = hash?.name.replace('SHA-', '');
  if (bits === undefined) return name === 'Ed25519' ? 'EdDSA' : name;
  return `${name === 'RSA-PSS' ? 'PS' : 'RS'}${bits}`;
}

function curveAlgorithm(curve: unknown): string {
  return curve === 'P-384' ? 'ES384' : curve === 'P-521' ? 'ES512' : 'ES256';
}
