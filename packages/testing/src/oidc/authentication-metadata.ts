import type { JWK } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import { asciiSecret } from './ascii-secret.ts';

/** How a confidential client proves itself. */
export type ClientProof =
  | { readonly clientAuthentication: 'client_secret_post' | 'client_secret_basic' | 'client_secret_jwt'; readonly clientSecret: string }
  | { readonly clientAuthentication: 'private_key_jwt'; readonly jwks: { readonly keys: readonly JWK[] } };

/** The same in oidc-provider's words. */
export function authenticationMetadata(proof: ClientProof): Partial<ClientMetadata> {
  return {
    token_endpoint_auth_method: proof.clientAuthentication,
    ...(proof.clientAuthentication === 'private_key_jwt'
      ? { jwks: { keys: [...proof.jwks.keys] } }
      : { client_secret: asciiSecret(proof.clientSecret) }),
  };
}

/** All that oidc-provider speaks, but HS384 and HS512. Some are off by default: assertions under them are refused like a wrong key's. */
export const CLIENT_ALGORITHMS = [
  'HS256',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
