import { fromEnv, type Secret } from '@authseam/core';
import { type OidcServer, oidcServer } from '@authseam/testing';

/** An OpenID server that knows this application, and an API that takes its tokens. */
export interface Server {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** With `openid`: the ID token says who signed in. */
  readonly scope: string;
  /** Answers JSON with `sub`: the server's userinfo endpoint will do. */
  readonly whoAmIUrl: string;
  /** Takes a POST, and may want a stronger sign-in for it (RFC 9470). */
  readonly transferUrl: string;
  /** Only where it is one of our own. */
  readonly embedded?: OidcServer;
  close(): Promise<void>;
}

/**
 * The real server if any of the variables is set, else an embedded one.
 *
 * @param origin Where browsers find this application. Register `/callback` there as redirect URI, and `/` for after signing out.
 * @throws {ConfigurationError} that names the first variable which is unset or empty.
 */
export async function whichServer(origin: string): Promise<Server> {
  if (VARIABLES.every((name) => process.env[name] === undefined)) return embeddedServer(origin);
  const [issuer = '', clientId = '', clientSecret = '', whoAmIUrl = ''] = VARIABLES.map((name) => fromEnv(name)());
  const { WEB_BACKEND_SCOPE: scope = 'openid offline_access', WEB_BACKEND_TRANSFER_URL: transferUrl = whoAmIUrl } = process.env;
  return { issuer, clientId, clientSecret, scope, whoAmIUrl, transferUrl, close: async () => {} };
}

/** A certified server on this machine. Anybody can sign in as alice or bob. */
export async function embeddedServer(origin: string): Promise<Server & { readonly embedded: OidcServer }> {
  const client = { clientId: 'web-backend', clientSecret: crypto.randomUUID() };
  const embedded = await oidcServer({
    clients: [{ ...client, redirectUris: [`${origin}/callback`], postLogoutRedirectUris: [`${origin}/`] }],
  });
  const { issuer, apiUrl, close } = embedded;
  const urls = { whoAmIUrl: `${apiUrl}/api/me`, transferUrl: `${apiUrl}/api/transfer` };
  return { ...client, ...urls, issuer, scope: 'openid', embedded, close };
}

const VARIABLES = ['WEB_BACKEND_ISSUER', 'WEB_BACKEND_CLIENT_ID', 'WEB_BACKEND_CLIENT_SECRET', 'WEB_BACKEND_WHOAMI_URL'];
