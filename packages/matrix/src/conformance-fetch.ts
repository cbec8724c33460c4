import { withAuth } from '@authseam/adapter-fetch';
import type { ClientFunction, ClientRequest } from '@authseam/testing/conformance';
import type { MatrixAdapter } from './adapters.ts';

/** fetch, as the cases call it. */
export function fetchSubject(name: string): MatrixAdapter {
  return {
    name,
    attach: (strategy, options) => client(withAuth(fetch, strategy, options)),
    bare: () => client(fetch),
    cannot: {
      params: 'fetch takes no parameters beside the URL',
      hooks: 'fetch has no hooks',
      transforms: 'fetch transforms no bodies',
      retries: 'fetch does not retry',
      timeout: "fetch has no timeout but the caller's own signal",
    },
  };
}

function client(send: (url: string, init: RequestInit) => Promise<Response>): ClientFunction {
  return async (url, request = {}) => {
    const response = await send(url, Object.freeze(initOf(request)));
    return { status: response.status, url: response.url, redirected: response.redirected, text: await response.text() };
  };
}

function initOf(request: ClientRequest): RequestInit {
  const { json, early: _, timeoutMs: __, throwHttpErrors: ___, params: ____, paramsSerializer: _____, ...init } = request;
  if (json !== undefined) {
    const headers = { 'Content-Type': 'application/json', ...init.headers };
    return { ...init, body: JSON.stringify(json), headers };
  }
  return { ...init, ...(init.body !== undefined && { duplex: 'half' }) } as RequestInit;
}
