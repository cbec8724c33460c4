import type { AuthStrategy, WithAuthOptions } from '@authseam/core';

/** One request of the SDK, in words that every HTTP client knows. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** `false`: a public endpoint, to which no credentials go. */
  readonly authStrategy?: false;
}

/** An answer, read to its end. Every status is one. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends one request. Rejects only where no whole answer came, with whatever the client or a strategy throws. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

/**
 * An HTTP client that the SDK can be built on. It never sees a path or a type of the API; the SDK never sees the client.
 *
 * @param auth Authorizes what is sent. `false`: the client is used as it is, its owner has seen to that.
 */
export type HttpClient = (auth: AuthStrategy | false, options: WithAuthOptions) => Send;
