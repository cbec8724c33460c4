import type { AuthResponse } from '../auth-strategy.ts';
import { readBounded } from '../read-bounded.ts';

/** Bytes of a response that a strategy can read, and for how long, in milliseconds: a server that stalls must not hold a caller. */
const READ_LIMIT = 65_536;
const READ_TIMEOUT_MS = 10_000;
/** How long a response that nobody gets may take to be drained, in milliseconds. */
const DRAIN_TIMEOUT_MS = 1_000;

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
    this.#text ??= readBounded(this.#response.clone().body, READ_LIMIT, AbortSignal.timeout(READ_TIMEOUT_MS)).then(({ bytes }) =>
      new TextDecoder().decode(bytes),
    );
    return this.#text;
  }

  async json(): Promise<unknown> {
    const text = await this.text();
    try {
      return JSON.parse(text);
    } catch {
      throw new SyntaxError('The response is not JSON.'); // the parser's own message quotes the body
    }
  }
}

/** Frees the connection of a response that nobody gets: a small body is drained so that the connection can be used again, a large or slow
 * one cancelled. */
export function discardResponse(response: Response): void {
  if (!response.bodyUsed) readBounded(response.body, READ_LIMIT, AbortSignal.timeout(DRAIN_TIMEOUT_MS)).catch(() => {}); // it is gone either way
}
