import { withAuth } from '@authseam/adapter-fetch';
import type { AuthStrategy, WithAuthOptions } from '@authseam/core';

/** One request of a test, in words that every client knows. */
export interface MatrixRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer> | URLSearchParams | FormData | Blob | ReadableStream;
  readonly signal?: AbortSignal;
  readonly authStrategy?: AuthStrategy | false;
}

/** What came back. A status that the client throws on is unwrapped: what matters here is that it arrived. */
interface MatrixResponse {
  readonly status: number;
  readonly url: string;
  readonly redirected: boolean;
  readonly text: string;
}

/** An adapter under test. */
export interface MatrixAdapter {
  readonly name: string;
  attach(strategy: AuthStrategy, options?: WithAuthOptions): (url: string, request?: MatrixRequest) => Promise<MatrixResponse>;
}

/** Every adapter. Adding one is a line here. */
export const adapters: readonly MatrixAdapter[] = [{ name: 'fetch', attach: attachFetch }];

function attachFetch(strategy: AuthStrategy, options?: WithAuthOptions): ReturnType<MatrixAdapter['attach']> {
  const api = withAuth(fetch, strategy, options);
  return async (url, request = {}) => {
    const isStream = request.body instanceof ReadableStream;
    const response = await api(url, { ...request, ...(isStream && { duplex: 'half' }) } as RequestInit);
    return { status: response.status, url: response.url, redirected: response.redirected, text: await response.text() };
  };
}
