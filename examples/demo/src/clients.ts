import { attachAuth } from '@authseam/adapter-axios';
import { withAuth } from '@authseam/adapter-fetch';
import { withAuth as withKyAuth } from '@authseam/adapter-ky';
import type { AuthStrategy } from '@authseam/core';
import axios, { type AxiosInstance } from 'axios';
import ky from 'ky';

/** An HTTP client with its adapter, in the shape of fetch: what the examples call. */
export interface DemoClient {
  readonly name: string;
  connect(auth: AuthStrategy): typeof fetch;
}

/** Every client that has an adapter. Adding one is a line here. */
export const clients: readonly DemoClient[] = [
  { name: 'fetch', connect: (auth) => withAuth(fetch, auth) },
  { name: 'axios', connect: axiosClient },
  { name: 'ky', connect: kyClient },
];

function axiosClient(auth: AuthStrategy): typeof fetch {
  const instance = axios.create();
  attachAuth(instance, auth);
  return fetchThrough(instance);
}

function kyClient(auth: AuthStrategy): typeof fetch {
  const api = withKyAuth(ky.create({ throwHttpErrors: false }), auth);
  return (input, init) => api(input, init);
}

/** What the examples need of fetch, sent by axios: a URL in, an answer out. */
function fetchThrough(instance: AxiosInstance): typeof fetch {
  return async (input) => {
    const { status, data } = await instance.get<string>(String(input), { responseType: 'text', validateStatus: null });
    return new Response(data, { status });
  };
}
