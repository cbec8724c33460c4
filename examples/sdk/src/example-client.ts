import { withAuth } from '@authseam/adapter-fetch';
import type { AuthStrategy } from '@authseam/core';

/** Who an API key belongs to. */
export interface Account {
  readonly id: string;
  readonly name: string;
}

/** Options of {@link ExampleClient}. */
export interface ExampleClientOptions {
  /** How requests are authorized: any strategy. `false`: by `fetch` itself, which was wrapped before. */
  readonly auth: AuthStrategy | false;
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch;
  /** Where the API is. Default `'https://api.example.com'`. */
  readonly baseUrl?: string;
}

/** An SDK that leaves the choice of authentication to its customers: its only lines about it are the two in the constructor. */
export class ExampleClient {
  readonly #fetch: typeof globalThis.fetch;
  readonly #baseUrl: string;

  constructor({ auth, fetch = globalThis.fetch, baseUrl = 'https://api.example.com' }: ExampleClientOptions) {
    const origins = new URL(baseUrl).origin; // a link in an answer may lead elsewhere; the credentials stay here
    this.#fetch = auth ? withAuth(fetch, auth, { origins }) : fetch;
    this.#baseUrl = baseUrl;
  }

  /** Who is calling. */
  me(): Promise<Account> {
    return this.#get('/v1/me');
  }

  async #get<T>(path: string): Promise<T> {
    const send = this.#fetch; // browsers' own fetch must not be called as a method
    const response = await send(new URL(path, this.#baseUrl));
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}
