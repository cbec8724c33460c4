import type { AuthResponse } from '../auth-strategy.ts';
import { discardBody, parseJson, readText } from '../response-body.ts';

/** A fetch response as a strategy sees it. A class, since one is made for every response that a strategy observes. */
export class FetchAuthResponse implements AuthResponse {
  readonly #response: Response;
  #text: Promise<string> | undefined;

  constructor(response: Response) {
    this.#response = response;
  }

  get status(): number {
    return this.#response.status;
  }

  get url(): string {
    return this.#response.url;
  }

  get headers(): { get(name: string): string | null } {
    return this.#response.headers;
  }

  /** Reads a clone, so that the caller's body stays whole; the clone is cancelled at the limit, so that the copy stays small. */
  text(): Promise<string> {
    this.#text ??= readText(this.#response.clone().body);
    return this.#text;
  }

  async json(): Promise<unknown> {
    return parseJson(await this.text());
  }
}

/** Frees the connection of a response that nobody gets. */
export function discardResponse(response: Response): void {
  if (!response.bodyUsed) discardBody(response.body);
}
