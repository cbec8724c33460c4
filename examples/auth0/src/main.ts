// Run it with `npx -y pnpm@12 -C examples/auth0 start`; set the variables in which-auth0.ts to call a real tenant and Auth0's sample API.
import { withAuth } from '@authseam/adapter-fetch';
import { clientCredentials } from '@authseam/auth-client-credentials';
import type { AuthStrategy } from '@authseam/core';
import { type Auth0, whichAuth0 } from './which-auth0.ts';

export { codeFlow } from './code-flow.ts';

/** Client credentials for one API. The token endpoint is found through the issuer's metadata. */
export function auth({ issuer, clientId, clientSecret, audience }: Auth0, scope = 'read:messages'): AuthStrategy {
  // Auth0 wants the secret in the form unless the application was set to Basic.
  return clientCredentials({ issuer, clientId, clientSecret, clientAuthentication: 'client_secret_post', audience, scope });
}

/** Asks the API who is calling. `api` is any authorized fetch. */
export async function whoAmI(api: typeof fetch, { apiUrl }: Pick<Auth0, 'apiUrl'>): Promise<string> {
  const response = await api(new URL('/api/private', apiUrl));
  if (!response.ok) throw new Error(`The API answered ${response.status}: ${await response.text()}`);
  const { sub, message } = (await response.json()) as { sub?: string; message: string };
  return sub ?? message; // Auth0's sample API does not name the caller
}

/** What the API says where `read:messages` is needed. No other token would have that scope, so none is fetched: the 403 arrives as it is. */
export async function readMessages(api: typeof fetch, { apiUrl }: Pick<Auth0, 'apiUrl'>): Promise<string> {
  const response = await api(new URL('/api/private-scoped', apiUrl));
  return `${response.status} ${response.headers.get('www-authenticate') ?? (await response.text())}`;
}

export async function main(): Promise<string> {
  const auth0 = await whichAuth0();
  try {
    const reader = withAuth(fetch, auth(auth0));
    const writer = withAuth(fetch, auth(auth0, 'write:messages'));
    return [
      `The API knows this client as ${await whoAmI(reader, auth0)}.`,
      `/api/private-scoped with read:messages:  ${await readMessages(reader, auth0)}`,
      `/api/private-scoped with write:messages: ${await readMessages(writer, auth0)}`,
    ].join('\n');
  } finally {
    await auth0.close();
  }
}

if (import.meta.main) console.log(await main());
