import { withAuth } from '@authseam/adapter-ky';
import { isHTTPError, type KyInstance } from 'ky';
import type { HttpAnswer, HttpClient } from './http-client.ts';

/** The SDK on ky 2, with the retries, hooks and timeouts of `ky`, which is not changed. */
export function kyHttp(ky: KyInstance): HttpClient {
  return (auth, options) => {
    const api = auth ? withAuth(ky, auth, options) : ky;
    return async ({ url, ...request }) => {
      try {
        const response = await api(url, { ...request, parseJson: (text) => text });
        return { status: response.status, text: await response.text() };
      } catch (error) {
        return answerOf(error);
      }
    };
  };
}

/** The answer for whose status ky threw, after the retries that it made because of it. ky has read the body; `parseJson` kept it text. */
function answerOf(error: unknown): HttpAnswer {
  if (!isHTTPError<string>(error)) throw error;
  return { status: error.response.status, text: error.data ?? '' };
}
