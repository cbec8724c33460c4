// OpenID Connect Core 1.0 §2, §3.1.3.6 and §12.2: ID tokens, right or wrong.
import { importJWK, SignJWT, UnsecuredJWT } from 'jose';
import type { Grant } from '../oidc/grant-desk.ts';
import type { SigningKey } from '../oidc/signing-key.ts';
import type { IdTokenLie } from './lies.ts';

/** What ID tokens are made of. */
export interface IdTokenOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly now: () => number;
  readonly published: () => Promise<SigningKey>;
  /** A key that nobody can verify with. */
  readonly foreign: () => Promise<SigningKey>;
}

/** Makes the ID token of one token answer. A refreshed one has no nonce, as most servers have it. */
export async function idTokenOf(
  { subject, nonce }: Pick<Grant, 'subject' | 'nonce'>,
  { claims = {}, alg, key }: IdTokenLie,
  { issuer, clientId, now, published, foreign }: IdTokenOptions,
): Promise<string> {
  const iat = Math.floor(now() / 1000);
  const truth = { iss: issuer, sub: subject, aud: clientId, iat, exp: iat + 300, auth_time: iat, nonce };
  const payload = Object.fromEntries(Object.entries({ ...truth, ...claims }).filter(([, value]) => value !== undefined));
  if (alg === 'none') return new UnsecuredJWT(payload).encode();
  const { signingKey } = await (key === 'foreign' ? foreign() : published());
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'signing-key' }).sign(await importJWK(signingKey, 'RS256'));
}
