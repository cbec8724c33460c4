import type { JWK } from 'jose';

/** An application registered at {@link oidcServer}, by how it proves itself at the token endpoint (RFC 7591 §2). */
export type OidcClient = OidcPublicClient | OidcSecretClient | OidcKeyClient;

interface OidcClientBase {
  readonly clientId: string;
  /** Compared exactly; of a native application's loopback URIs every port will do (RFC 8252 §7.3). */
  readonly redirectUris: readonly string[];
  /** `'native'`: loopback and private-use schemes, and a consent page at every sign-in. `'web'`: http and https. Default `'web'`. */
  readonly applicationType?: 'web' | 'native';
  /** Where a browser may be sent after it signed out. Default none. */
  readonly postLogoutRedirectUris?: readonly string[];
}

/** A single-page, mobile or command-line application: it has no secret. */
export interface OidcPublicClient extends OidcClientBase {
  readonly clientAuthentication: 'none';
}

/** A client with a secret. One registered for `basic` may also send it by `post`, and the other way round. */
export interface OidcSecretClient extends OidcClientBase {
  /** Default `'client_secret_basic'`. */
  readonly clientAuthentication?: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt';
  /** Any characters; for `client_secret_jwt` printable ASCII, at least 32 of them for HS256. */
  readonly clientSecret: string;
}

/** A client with a key pair of its own (RFC 7523 §2.2). */
export interface OidcKeyClient extends OidcClientBase {
  readonly clientAuthentication: 'private_key_jwt';
  /** Its public keys. */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/** The web origins of redirect URIs: those whose pages are the application. A private-use scheme has none. */
export function webOrigins(redirectUris: readonly string[]): readonly string[] {
  return redirectUris.map((uri) => new URL(uri).origin).filter((origin) => origin !== 'null');
}
