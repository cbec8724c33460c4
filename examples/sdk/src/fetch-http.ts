import { withAuth } from '@authseam/adapter-fetch';
import type { HttpClient } from './http-client.ts';

/** The SDK on fetch. @param fetch Default: the platform's. */
export function fetchHttp(fetch: typeof globalThis.fetch = globalThis.fetch): HttpClient {
  return (auth, options) => {
    const api = auth ? withAuth(fetch, auth, options) : fetch;
    return async ({ url, ...init }) => {
      const response = await api(url, init);
      return { status: response.status, text: await response.text() };
    };
  };
}
