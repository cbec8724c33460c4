import { withAuth } from '@authseam/adapter-fetch';
import type { AuthStrategy } from '@authseam/core';

/** An HTTP client with its adapter, in the shape of fetch: what the examples call. */
export interface DemoClient {
  readonly name: string;
  connect(auth: AuthStrategy): typeof fetch;
}

/** Every client that has an adapter. Adding one is a line here. */
export const clients: readonly DemoClient[] = [{ name: 'fetch', connect: (auth) => withAuth(fetch, auth) }];
