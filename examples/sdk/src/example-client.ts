import { apiKey } from '@authseam/auth-api-key';
import { type AuthStrategy, fromEnv, isAuthError } from '@authseam/core';
import { ExampleApiError, ExampleConnectionError } from './example-error.ts';
import { fetchHttp } from './fetch-http.ts';
import type { HttpAnswer, HttpClient, HttpRequest, Send } from './http-client.ts';

/** Who a key or a token belongs to. */
export interface Account {
  readonly id: string;
  readonly name: string;
}

/** Something that an account has. */
export interface Item {
  readonly id: string;
  readonly name: string;
}

/** Options of {@link ExampleClient}. */
export interface ExampleClientOptions {
  /**
   * How requests are authorized: any strategy. Default: the API key in the variable YOUR_API_KEY, which is read when a request is sent.
   * `false`: `http` was authorized before, by its owner.
   */
  readonly auth?: AuthStrategy | false;
  /** What sends them: `fetchHttp(fetch)`, `axiosHttp(instance)`, `kyHttp(ky)`. Default: the platform's fetch. */
  readonly http?: HttpClient;
  /** Where the API is. Default `'https://api.example.com'`. */
  readonly baseUrl?: string;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call at once, with the signal's own reason. */
  readonly signal?: AbortSignal;
}

/**
 * An SDK that leaves authentication and the HTTP client to its customers. All it says about the first is in the constructor, and at public
 * endpoints.
 *
 * Every method rejects with an {@link ExampleApiError} where the API answers with an error, an {@link ExampleConnectionError} where it does
 * not answer, and an `AuthError` (see `isAuthError`) where no credential can be had.
 */
export class ExampleClient {
  readonly #send: Send;
  readonly #baseUrl: URL;

  constructor({ auth = defaultAuth(), http = fetchHttp(), baseUrl = 'https://api.example.com' }: ExampleClientOptions = {}) {
    this.#baseUrl = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
    this.#send = http(auth, { origins: this.#baseUrl.origin }); // a link in an answer may lead elsewhere; the credentials stay here
  }

  /** Who is calling. */
  me(options?: CallOptions): Promise<Account> {
    return this.#call({ method: 'GET', url: this.#url('v1/me'), ...options });
  }

  /** Whether the API is up. Public: works without credentials, and sends none. */
  status(options?: CallOptions): Promise<{ readonly status: string }> {
    return this.#call({ method: 'GET', url: this.#url('v1/status'), authStrategy: false, ...options });
  }

  /** All items, a page at a time. Each page says where the next one is. */
  async *items(options?: CallOptions): AsyncGenerator<Item, void, undefined> {
    let next: string | null | undefined = 'v1/items';
    while (next) {
      const page: Page<Item> = await this.#call({ method: 'GET', url: this.#url(next), ...options });
      yield* page.data;
      next = page.next;
    }
  }

  /** Adds an item. */
  createItem(item: Omit<Item, 'id'>, options?: CallOptions): Promise<Item> {
    const headers = { 'Content-Type': 'application/json' };
    return this.#call({ method: 'POST', url: this.#url('v1/items'), headers, body: JSON.stringify(item), ...options });
  }

  #url(path: string): URL {
    return new URL(path, this.#baseUrl);
  }

  async #call<T>(request: HttpRequest): Promise<T> {
    const what = `${request.method} ${request.url.pathname}`; // a query may hold what is not for logs
    const answer = await this.#send(request).catch((error: unknown) => {
      throw errorWithoutAnswer(what, error, request.signal);
    });
    const body = parsed(answer.text);
    if (answer.status < 200 || answer.status > 299 || body === undefined) throw errorOf(what, answer, body);
    return body as T;
  }
}

/** A page of a list. */
interface Page<T> {
  readonly data: readonly T[];
  readonly next?: string | null;
}

function defaultAuth(): AuthStrategy {
  return apiKey({ key: fromEnv('YOUR_API_KEY') });
}

/** Clients differ in what they throw; customers should not have to know which one is below. */
function errorWithoutAnswer(what: string, error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  if (isAuthError(error)) return error; // it says what to do about it, and it is the same on every client already
  return new ExampleConnectionError(`${what} got no answer.`, { cause: error });
}

function errorOf(what: string, { status, text }: HttpAnswer, body: unknown): ExampleApiError {
  const { code, message } = (body as { error?: { code?: string; message?: string } } | null | undefined)?.error ?? {};
  const said = message ?? (text.slice(0, 200) || 'nothing');
  return new ExampleApiError(`${what} answered ${status}${code ? ` (${code})` : ''}: ${said}`, { status, code });
}

/** `undefined` where it is no JSON, as from a proxy in between. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
