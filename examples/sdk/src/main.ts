// Run it with `npx -y pnpm@12 -C examples/sdk start`; set YOUR_API_KEY and SDK_BASE_URL to call a real API.
import { apiKey } from '@authseam/auth-api-key';
import { type AuthStrategy, fromEnv, type Secret } from '@authseam/core';
import { sdkServer } from '@authseam/testing';
import { ExampleClient } from './example-client.ts';

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
  const client = new ExampleClient({ auth: false, fetch: api, baseUrl: url });
  return (await client.me()).name;
}

/** Calls the real API if any of the variables is set, else an embedded server. */
export async function main(): Promise<string> {
  const server = VARIABLES.some((name) => process.env[name] !== undefined) ? undefined : await sdkServer();
  try {
    const sdk: Sdk = server ?? { url: fromEnv('SDK_BASE_URL')(), apiKey: fromEnv('YOUR_API_KEY') };
    const client = new ExampleClient({ auth: auth(sdk), baseUrl: sdk.url });
    return (await client.me()).name;
  } finally {
    await server?.close();
  }
}

if (import.meta.main) console.log(`The SDK's key belongs to ${await main()}.`);
