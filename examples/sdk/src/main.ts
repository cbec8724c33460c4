// Run it with `npx -y pnpm@12 -C examples/sdk start`; set YOUR_API_KEY and SDK_BASE_URL to call a real API.
import { apiKey } from '@authseam/auth-api-key';
import { type AuthStrategy, fromEnv, type Secret } from '@authseam/core';
import { sdkServer } from '@authseam/testing';
import { ExampleClient } from './example-client.ts';
import { fetchHttp } from './fetch-http.ts';

export { codeFlow } from './code-flow.ts';

const VARIABLES = ['YOUR_API_KEY', 'SDK_BASE_URL'];

/** Where the API is, and a key to it. */
export interface Sdk {
  readonly url: string;
  readonly apiKey: Secret;
}

/** What a customer with an API key gives the SDK. */
export function auth(sdk: Sdk): AuthStrategy {
  return apiKey({ key: sdk.apiKey });
}

/** Asks the SDK who is calling. `api` is any authorized fetch. */
export async function whoAmI(api: typeof fetch, { url }: Pick<Sdk, 'url'>): Promise<string> {
  const client = new ExampleClient({ auth: false, http: fetchHttp(api), baseUrl: url });
  return (await client.me()).name;
}

/** Calls the real API if any of the variables is set, with the key that the SDK finds by itself; else an embedded server. */
export async function main(): Promise<string> {
  const isReal = VARIABLES.some((name) => process.env[name] !== undefined);
  if (isReal) return (await new ExampleClient({ baseUrl: fromEnv('SDK_BASE_URL')() }).me()).name;
  const server = await sdkServer();
  try {
    return (await new ExampleClient({ auth: auth(server), baseUrl: server.origin }).me()).name;
  } finally {
    await server.close();
  }
}

if (import.meta.main) console.log(`The SDK's key belongs to ${await main()}.`);
