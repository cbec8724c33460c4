import { fromEnv, type Secret } from '@authseam/core';
import { auth0Server } from '@authseam/testing';

/** An Auth0 tenant, the client that calls, and an API whose identifier is `audience`. */
export interface Auth0 {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly audience: string;
  readonly apiUrl: string;
}

/**
 * The real Auth0 if any of the variables is set, else an embedded server.
 *
 * @throws {ConfigurationError} that names the first variable which is unset or empty.
 */
export async function whichAuth0(): Promise<Auth0 & { close(): Promise<void> }> {
  if (VARIABLES.every((name) => process.env[name] === undefined)) return auth0Server();
  for (const name of VARIABLES) fromEnv(name)(); // the secret too: it is used only after the issuer was asked
  return {
    issuer: `https://${fromEnv('AUTH0_DOMAIN')()}/`,
    clientId: fromEnv('AUTH0_CLIENT_ID')(),
    clientSecret: fromEnv('AUTH0_CLIENT_SECRET'),
    audience: fromEnv('AUTH0_AUDIENCE')(),
    apiUrl: fromEnv('AUTH0_API_URL')(),
    close: async () => {},
  };
}

const VARIABLES = ['AUTH0_DOMAIN', 'AUTH0_CLIENT_ID', 'AUTH0_CLIENT_SECRET', 'AUTH0_AUDIENCE', 'AUTH0_API_URL'];
