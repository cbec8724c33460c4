// Run it with `npx -y pnpm@12 -C examples/huvr start`; set HUVR_BASE_URL, HUVR_CLIENT_ID and HUVR_CLIENT_SECRET to call the real HUVR.
import { withAuth } from '@authseam/adapter-fetch';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { type AuthStrategy, compose, staticHeaders } from '@authseam/core';
import { type Huvr, whichHuvr } from './which-huvr.ts';

/** HUVR blocks whoever does not say who is calling, at the API and at the token endpoint. */
const headers = { 'User-Agent': 'authseam-example/1.0' };

/** Client credentials as HUVR wants them: JSON without `grant_type`, and `Authorization: Token …` at the API. */
export function auth({ url, clientId, clientSecret }: Huvr): AuthStrategy {
  const token = clientCredentials({
    tokenEndpoint: new URL('/api/auth/obtain-access-token/', url).href,
    clientId,
    clientSecret,
    clientAuthentication: 'client_secret_post',
    tokenRequest: { format: 'json', fields: { grant_type: false }, headers },
    tokenResponse: { lifetimeSeconds: 3600 }, // HUVR's answer does not say how long a token lasts
    scheme: 'Token',
  });
  return compose(staticHeaders(headers), token);
}

/** Asks HUVR who is calling. `api` is any authorized fetch. */
export async function whoAmI(api: typeof fetch, { url }: Pick<Huvr, 'url'>): Promise<string> {
  const response = await api(new URL('/api/auth/user/', url));
  if (!response.ok) throw new Error(`HUVR answered ${response.status}: ${await response.text()}`);
  const { username } = (await response.json()) as { username: string };
  return username;
}

export async function main(): Promise<string> {
  const huvr = await whichHuvr();
  try {
    return await whoAmI(withAuth(fetch, auth(huvr)), huvr);
  } finally {
    await huvr.close();
  }
}

if (import.meta.main) console.log(`HUVR knows this client as ${await main()}.`);
