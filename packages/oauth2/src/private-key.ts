// RFC 7517, RFC 5958: private keys as JWK and PKCS#8.
import { ConfigurationError, type Secret } from '@authseam/core';

/**
 * A private key: PKCS#8 as PEM (`-----BEGIN PRIVATE KEY-----`) or a function that yields it, asked at each token request; a JWK; or a CryptoKey that
 * may sign. RSA keys have 2048 bits or more. As an object with `key` it takes two details. `algorithm`: of the signature (RFC 7518 §3.1); default: the
 * JWK's `alg`, else what fits the key, `RS256` for RSA. `keyId`: goes into the header as `kid`; default: the JWK's.
 */
export type PrivateKey = PrivateKeyMaterial | { readonly key: PrivateKeyMaterial; readonly algorithm?: string; readonly keyId?: string };

type PrivateKeyMaterial = Secret | PrivateJwk | PrivateCryptoKey;

/** A private key in JSON (RFC 7517). The platform's `JsonWebKey` fits, where there is one: types of the DOM are not needed for this. */
export interface PrivateJwk {
  readonly kty?: string | undefined;
  readonly crv?: string | undefined;
  readonly d?: string | undefined;
  readonly alg?: string | undefined;
  readonly kid?: string | undefined;
  /** `'sig'`, if it is given. */
  readonly use?: string | undefined;
  /** Holds `'sign'`, if it is given. */
  readonly key_ops?: readonly string[] | undefined;
}

/** The platform's `CryptoKey`, as far as it matters here. */
export interface PrivateCryptoKey {
  readonly type: string;
  readonly extractable: boolean;
  readonly algorithm: { readonly name: string };
  /** Holds `'sign'`. */
  readonly usages: readonly string[];
}

/**
 * Tells the shapes of a private key from all others; whether it holds one that signs shows when it is imported.
 *
 * @throws {ConfigurationError} that never shows the key.
 */
export function checkPrivateKey(privateKey: PrivateKey, strategy: string): void {
  const isDetailed = typeof privateKey === 'object' && privateKey && 'key' in privateKey;
  const { key, algorithm = '', keyId = '' } = isDetailed ? privateKey : { key: privateKey };
  const { d, priv, type, kid = '', use = 'sig', usages, key_ops: operations = usages } = (key ?? {}) as Partial<Record<string, unknown>>;
  const isPem = typeof key === 'string' && key.includes('-----BEGIN PRIVATE KEY-----');
  const maySign = use === 'sig' && (Array.isArray(operations) ? operations.includes('sign') : type !== 'private');
  const problem = !(isPem || typeof key === 'function' || d || priv || type === 'private')
    ? 'must be a private key: a PKCS#8 PEM, a JWK or a CryptoKey. Other PEMs convert: openssl pkcs8 -topk8 -nocrypt -in key.pem'
    : !maySign || [algorithm, keyId, kid].some((detail) => typeof detail !== 'string')
      ? 'must be a key that may sign (`use`, `key_ops`, usages), with strings as `algorithm` and `keyId`'
      : undefined;
  if (problem) throw new ConfigurationError(`${strategy}: \`privateKey\` ${problem}.`, { option: 'privateKey', strategy });
}
