import process from 'node:process';
import { fromEnv } from '@authseam/core';
import { type OidcServer, oidcServer } from '@authseam/testing';

/** Which authorization server and API the page talks to. */
export interface SpaSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Answers `GET` with JSON that says who is calling. */
  readonly apiUrl: string;
  readonly scope: string;
}

/** Settings, and the embedded server behind them unless they are those of a real one. */
export interface SpaServer extends SpaSettings {
  readonly server: OidcServer | undefined;
}

/**
 * The real server if any of the variables is set, else one on this machine that knows the page at `pageUrl`.
 *
 * @throws {ConfigurationError} that names the variable which is unset or empty.
 */
export async function whichServer(pageUrl: string): Promise<SpaServer> {
  if (VARIABLES.every((name) => process.env[name] === undefined)) return embedded(pageUrl);
  const [issuer, clientId, apiUrl] = VARIABLES.map((name) => fromEnv(name)()) as [string, string, string];
  return { issuer, clientId, apiUrl, scope: process.env['VITE_SCOPE'] ?? 'openid profile', server: undefined };
}

const VARIABLES = ['VITE_ISSUER', 'VITE_CLIENT_ID', 'VITE_API_URL'];

async function embedded(pageUrl: string): Promise<SpaServer> {
  const server = await oidcServer({
    clients: [{ clientId: 'spa', clientAuthentication: 'none', redirectUris: [pageUrl], postLogoutRedirectUris: [pageUrl] }],
  });
  return { issuer: server.issuer, clientId: server.clientId, apiUrl: `${server.apiUrl}/api/me`, scope: 'openid profile read', server };
}
