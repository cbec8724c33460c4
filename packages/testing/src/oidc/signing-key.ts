import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** A key that an authorization server signs with, and the public half that it publishes. */
export interface SigningKey {
  readonly signingKey: JWK;
  readonly jwks: { readonly keys: JWK[] };
}

/** A new RS256 key pair. */
export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const marks = { kid: 'signing-key', alg: 'RS256', use: 'sig' };
  return { signingKey: { ...(await exportJWK(privateKey)), ...marks }, jwks: { keys: [{ ...(await exportJWK(publicKey)), ...marks }] } };
}
