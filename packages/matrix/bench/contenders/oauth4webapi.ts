import { customFetch, protectedResourceRequest } from 'oauth4webapi';
import { type Contender, credential } from '../contender.ts';
import { nullFetch } from '../null-transport.ts';

/** Takes a `URL` and `Headers` where fetch takes a string and an object: making them is part of calling it. It looks up no token. */
export const oauth4webapi: Contender = {
  name: 'oauth4webapi',
  role: 'peer',
  async setup() {
    const options = { [customFetch]: nullFetch as (url: string, init: object) => Promise<Response> };
    return (url, { method = 'GET', headers, body }) =>
      protectedResourceRequest(credential.accessToken, method, new URL(url), new Headers(headers), body as string | undefined, options);
  },
};
