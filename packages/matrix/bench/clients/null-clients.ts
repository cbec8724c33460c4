import { type AxiosAdapter, AxiosError, type AxiosResponse } from 'axios';

/** What a transport was given. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly credential: string | null;
  readonly body: string;
}

let watch: ((sent: Sent) => void) | undefined;
let statusOfNext: () => number = () => 200;

/** Shows every request to `watcher`; nobody, while the clock runs. */
export function watchRequests(watcher: ((sent: Sent) => void) | undefined): void {
  watch = watcher;
}

/** Has the transports answer with what `status` says. */
export function answerWith(status: () => number): void {
  statusOfNext = status;
}

const contentType = { 'content-type': 'application/json' };

/** An axios adapter that sends nothing and answers at once, with a new response of the shape that axios's own make. */
export const nullAdapter: AxiosAdapter = (config) => {
  if (watch) {
    const { headers, method = '', baseURL = '', url, data } = config;
    const credential = (headers.get('Authorization') ?? headers.get('X-API-Key') ?? null) as string | null;
    watch({ method: method.toUpperCase(), url: `${baseURL}${url}`, credential, body: String(data ?? '') });
  }
  const status = statusOfNext();
  const response: AxiosResponse = { data: '{}', status, statusText: '', headers: { ...contentType }, config, request: {} };
  if (!config.validateStatus || config.validateStatus(status)) return Promise.resolve(response);
  const { ERR_BAD_REQUEST } = AxiosError;
  return Promise.reject(new AxiosError(`Request failed with status code ${status}`, ERR_BAD_REQUEST, config, response.request, response));
};

/** A fetch that sends nothing and answers at once; with a new response, since hooks are given clones. */
export async function nullFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  if (watch) {
    const request = new Request(input, init);
    const { method, url, headers } = request;
    watch({ method, url, credential: headers.get('authorization') ?? headers.get('x-api-key'), body: await request.text() });
  }
  return new Response('{}', { status: statusOfNext(), headers: contentType });
}
