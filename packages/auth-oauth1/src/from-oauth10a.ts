// From the npm package oauth-1.0a (2.x).
import { type AuthStrategy, ConfigurationError } from '@authseam/core';
import { createNonces } from './nonce.ts';
import { oauth1 } from './oauth1.ts';
import type { SignedRequest } from './sign-request.ts';
import { type SignatureMethod, signatureMethods } from './signature/signature-method.ts';

/** As much of an `OAuth` instance of oauth-1.0a as is carried over. */
export interface OAuth10aInstance {
  readonly consumer: { readonly key: string; readonly secret: string };
  /** Its typings leave this one out. */
  readonly signature_method?: string | undefined;
  readonly realm?: string | undefined;
  readonly version?: string | undefined;
  readonly nonce_length?: number | undefined;
  readonly last_ampersand?: boolean | undefined;
  readonly hash_function?: ((baseString: string, key: string) => unknown) | undefined;
}

/** A token as oauth-1.0a takes it. */
export interface OAuth10aToken {
  readonly key: string;
  /** Default empty. */
  readonly secret?: string | undefined;
}

/**
 * The strategy that signs as an `OAuth` instance of the npm package oauth-1.0a does, but by RFC 5849: with its consumer, signature method, realm,
 * version and nonce length. They are read once, here. For RSA methods `consumer.secret` is the private key, as PEM.
 *
 * Its `hash_function` and `body_hash_function` do not sign: the signature method says what they do. `parameter_seperator` is the blank after
 * commas in the header, which no signature knows. Body hashes are not carried over, since it asks for them request by request: see `bodyHash` of
 * `oauth1`.
 *
 * @param token The user's. Absent: requests are signed for the application alone.
 * @throws {ConfigurationError} for what no standard option stands for: a signature method of one's own, another version, `last_ampersand: false`,
 * a hash function beside PLAINTEXT (its default), methods that were replaced on the instance or in a subclass; and as `oauth1` does.
 * @example
 * ```ts
 * import { fromOAuth10a } from '@authseam/auth-oauth1/from-oauth-1.0a';
 *
 * // In your code: new OAuth({ consumer, signature_method: 'HMAC-SHA1', hash_function })
 * const oauth = { consumer: { key: 'example-consumer', secret: 'example-secret' }, signature_method: 'HMAC-SHA1' };
 * export const auth = fromOAuth10a(oauth, { key: 'example-token', secret: 'example-token-secret' });
 * ```
 */
export function fromOAuth10a(oauth: OAuth10aInstance, token?: OAuth10aToken): AuthStrategy<SignedRequest> {
  const { consumer, realm, nonce_length: nonceLength, signature_method: method = 'PLAINTEXT' } = checked(oauth, token);
  const isRsa = method.startsWith('RSA-');
  return oauth1({
    consumerKey: consumer.key,
    ...(isRsa ? { privateKey: consumer.secret } : { consumerSecret: consumer.secret }),
    ...(token && { token: token.key, tokenSecret: token.secret ?? '' }),
    signatureMethod: method as SignatureMethod,
    ...(realm && { realm }),
    ...(nonceLength !== undefined && { nonce: noncesOf(nonceLength) }),
  });
}

function checked(oauth: OAuth10aInstance, token: OAuth10aToken | undefined): OAuth10aInstance {
  const { consumer, signature_method: method = 'PLAINTEXT', version = '1.0', nonce_length: length = 1 } = oauth ?? {};
  const known: readonly string[] = signatureMethods;
  refuseIf(typeof consumer?.key !== 'string' || typeof consumer.secret !== 'string', 'oauth', 'is no instance with a `consumer`');
  refuseIf(
    !known.includes(method),
    'signature_method',
    `is none that oauth1 knows, and a \`hash_function\` of your own is not carried over. Known are ${known.join(', ')}`,
  );
  refuseIf(version !== '1.0', 'version', "is not '1.0', the only one there is");
  refuseIf(!Number.isInteger(length) || length < 1, 'nonce_length', 'is no number of characters');
  const isBare = oauth.last_ampersand === false && !token?.secret && !method.startsWith('RSA-');
  refuseIf(isBare, 'last_ampersand', 'is false: RFC 5849 §3.4.2 has the ampersand in every signing key, with or without a token secret');
  refuseIf(
    method === 'PLAINTEXT' && !yieldsKey(oauth.hash_function),
    'hash_function',
    'stands beside PLAINTEXT, which is the default: oauth-1.0a sent a hash, and this would send the secrets. Name the `signature_method`',
  );
  const replaced = METHODS.find((name) => isReplaced(oauth, name));
  refuseIf(replaced !== undefined, replaced ?? '', 'was replaced on this instance or in a subclass, and what it does is not carried over');
  return oauth;
}

/** oauth-1.0a gives PLAINTEXT a hash function that answers with the key; only asking tells it from another. */
function yieldsKey(hash: OAuth10aInstance['hash_function']): boolean {
  try {
    return !hash || hash('base string', 'key') === 'key';
  } catch {
    return false;
  }
}

/** Whether `name` is the instance's own, or on more than one of its prototypes. */
function isReplaced(oauth: object, name: string): boolean {
  if (Object.hasOwn(oauth, name)) return true;
  let holders = 0;
  for (let at: unknown = Object.getPrototypeOf(oauth); at; at = Object.getPrototypeOf(at)) holders += Object.hasOwn(at, name) ? 1 : 0;
  return holders > 1;
}

function refuseIf(isWrong: boolean, option: string, problem: string): void {
  if (!isWrong) return;
  const message = `fromOAuth10a: \`${option}\` ${problem}. See docs/migrating-from-oauth-1.0a.md, or use oauth1().`;
  throw new ConfigurationError(message, { option, strategy: 'oauth1' });
}

/** Nonces as long as those that the server knows, but from a cryptographic random generator. */
function noncesOf(length: number): () => string {
  const next = createNonces();
  return () => {
    let nonce = next();
    while (nonce.length < length) nonce += next();
    return nonce.slice(0, length);
  };
}

/** What of its prototype makes a difference on the wire. */
const METHODS: readonly string[] = [
  ...['authorize', 'getSignature', 'getBodyHash', 'getBaseString', 'getParameterString', 'getSigningKey', 'getBaseUrl'],
  ...['deParam', 'deParamUrl', 'percentEncode', 'percentEncodeData', 'toHeader', 'getNonce', 'getTimeStamp', 'mergeObject', 'sortObject'],
];
