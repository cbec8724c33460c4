// Run it with `npx -y pnpm@12 -C examples/extra-horizon start`. To call the real Extra Horizon, set API_HOST, API_OAUTH_CONSUMER_KEY and
// API_OAUTH_CONSUMER_SECRET, with API_OAUTH_TOKEN and API_OAUTH_TOKEN_SECRET or with API_EMAIL and API_PASSWORD; or name the file that has them.
import { withAuth } from '@authseam/adapter-fetch';
import { oauth1 } from '@authseam/auth-oauth1';
import type { AuthStrategy } from '@authseam/core';
import { type Application, type Login, type TokenPair, whichExtraHorizon } from './which-extra-horizon.ts';

/** OAuth 1 as Extra Horizon wants it: HMAC-SHA1 in the header. */
export function auth({ consumerKey, consumerSecret, token, tokenSecret }: Application & TokenPair): AuthStrategy {
  return oauth1({ consumerKey, consumerSecret, token, tokenSecret });
}

/** Exchanges an e-mail address and a password for a token. The request is signed too, with the consumer pair only. */
export async function signIn({ url, consumerKey, consumerSecret, email, password }: Application & Login): Promise<TokenPair> {
  const api = withAuth(fetch, oauth1({ consumerKey, consumerSecret }));
  const headers = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ email, password });
  const response = await api(new URL('/auth/v2/oauth1/tokens', url), { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`Extra Horizon refused to sign in with ${response.status}: ${await response.text()}`);
  return (await response.json()) as { token: string; tokenSecret: string };
}

/** Asks Extra Horizon who is calling. `api` is any authorized fetch. */
export async function whoAmI(api: typeof fetch, { url }: Pick<Application, 'url'>): Promise<string> {
  const response = await api(new URL('/users/v1/me', url));
  if (!response.ok) throw new Error(`Extra Horizon answered ${response.status}: ${await response.text()}`);
  const { firstName, lastName } = (await response.json()) as { firstName: string; lastName: string };
  return `${firstName} ${lastName}`;
}

export async function main(credentialsFile?: string): Promise<string> {
  const extraHorizon = await whichExtraHorizon(credentialsFile);
  try {
    const pair = 'token' in extraHorizon ? extraHorizon : await signIn(extraHorizon);
    return await whoAmI(withAuth(fetch, auth({ ...extraHorizon, ...pair })), extraHorizon);
  } finally {
    await extraHorizon.close();
  }
}

if (import.meta.main) console.log(`Extra Horizon knows you as ${await main(process.argv[2])}.`);
