import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';

/**
 * A machine-to-machine application registered at {@link auth0Server}, by how it proves itself at the token endpoint (RFC 7591 §2).
 * There is no `'none'`: client_credentials is for confidential clients only (RFC 6749 §4.4), and oidc-provider refuses it otherwise.
 */
export type Auth0Client = Auth0SecretClient | Auth0KeyClient;

interface Auth0ClientBase {
  readonly clientId: string;
  /** What it may ask for, and what it gets when it asks for nothing. Default: every scope of the API. */
  readonly scope?: readonly string[];
}

/** A client with a secret. One registered for `basic` may also send it by `post`, and the other way round. */
export interface Auth0SecretClient extends Auth0ClientBase {
  readonly clientAuthentication?: 'client_secret_post' | 'client_secret_basic' | 'client_secret_jwt';
  /** Any characters; for `client_secret_jwt` printable ASCII, at least 32 of them for HS256. */
  readonly clientSecret: string;
}

/** A client with a key pair of its own (RFC 7523 §2.2). */
export interface Auth0KeyClient extends Auth0ClientBase {
  readonly clientAuthentication: 'private_key_jwt';
  /** Its public keys. */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/** The client that is registered when no other is: it sends its secret in the form, as Auth0's samples do. */
export function defaultAuth0Client(): Auth0SecretClient {
  return { clientId: 'auth0-client', clientAuthentication: 'client_secret_post', clientSecret: randomBytes(48).toString('base64url') };
}
