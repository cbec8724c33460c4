import { fromEnv } from '@authseam/core';
import { oidcServer } from '@authseam/testing';

/** An authorization server that knows this program, and an API that says who is calling. */
export interface Server {
  readonly issuer: string;
  readonly clientId: string;
  /** Google, for one, gives command-line programs a secret that is none. */
  readonly clientSecret?: string | undefined;
  readonly scope: string;
  /** Answers JSON with `sub`: the server's userinfo endpoint will do. */
  readonly whoAmIUrl: string;
  /** Only where the server compares ports: Auth0 does. */
  readonly port?: number | undefined;
  readonly isEmbedded: boolean;
  close(): Promise<void>;
}

/**
 * The real server if any of the variables is set, else an embedded one, which is gone when the program ends.
 *
 * @throws {ConfigurationError} that names the first variable which is unset or empty.
 */
export async function whichServer(): Promise<Server> {
  const { env } = process;
  if (VARIABLES.every((name) => env[name] === undefined)) return embeddedServer();
  const [issuer = '', clientId = '', whoAmIUrl = ''] = VARIABLES.map((name) => fromEnv(name)());
  return {
    ...{ issuer, clientId, whoAmIUrl, isEmbedded: false },
    clientSecret: env['CLI_LOGIN_CLIENT_SECRET'],
    scope: env['CLI_LOGIN_SCOPE'] ?? 'openid offline_access',
    port: env['CLI_LOGIN_PORT'] === undefined ? undefined : Number(env['CLI_LOGIN_PORT']),
    close: async () => {},
  };
}

/** A certified server on this machine. Anybody can sign in as alice or bob. */
export async function embeddedServer(): Promise<Server> {
  const { issuer, apiUrl, close } = await oidcServer();
  return { issuer, clientId: 'native-app', scope: 'openid', whoAmIUrl: `${apiUrl}/api/me`, isEmbedded: true, close };
}

/** The variables that lead another process to `server`. */
export function variablesOf({ issuer, clientId, whoAmIUrl }: Server): string[] {
  const values = [issuer, clientId, whoAmIUrl];
  return VARIABLES.map((name, index) => `${name}=${values[index]}`);
}

const VARIABLES = ['CLI_LOGIN_ISSUER', 'CLI_LOGIN_CLIENT_ID', 'CLI_LOGIN_WHOAMI_URL'];
