import { attachAuth } from '@authseam/adapter-axios';
import type { AuthStrategy, WithAuthOptions } from '@authseam/core';
import { type AxiosInstance, type AxiosResponse, isAxiosError } from 'axios';
import type { HttpClient } from './http-client.ts';

/**
 * The SDK on axios. It works on a child of `instance`, none of whose other calls changes: its defaults hold, its interceptors do not.
 * With `auth: false` it is `instance` itself that sends, interceptors included.
 */
export function axiosHttp(instance: AxiosInstance): HttpClient {
  return (auth, options) => {
    const api = auth ? authorizedChild(instance, auth, options) : instance;
    return async ({ url, body, ...request }) => {
      // The SDK's own URL and its own reading of answers, whatever the defaults of `instance` are.
      const own = { url: url.href, baseURL: '', data: body, responseType: 'text' } as const;
      const { status, data } = await api.request<string>({ ...request, ...own, transformResponse: [] }).catch(answerOf);
      return { status, text: data };
    };
  };
}

function authorizedChild(instance: AxiosInstance, auth: AuthStrategy, options: WithAuthOptions): AxiosInstance {
  const child = instance.create();
  attachAuth(child, auth, options);
  return child;
}

/** The answer for whose status axios threw. One that broke off has a status as well, but no text. */
function answerOf(error: unknown): AxiosResponse<string> {
  if (isAxiosError(error) && typeof error.response?.data === 'string') return error.response;
  throw error;
}
