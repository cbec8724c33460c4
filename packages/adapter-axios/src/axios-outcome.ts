import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig, isAxiosError } from 'axios';

/** What an adapter answered. */
export interface Outcome {
  readonly response: AxiosResponse;
  /** What the adapter threw, where it judges the status itself. */
  readonly error?: AxiosError;
  /** The adapter has asked `validateStatus`. */
  readonly isJudged: boolean;
}

/** A hop, as responses tell where it went. */
interface ShownUrl {
  readonly finalUrl: string;
  readonly shownUrl: string;
}

/**
 * The outcome of `sending`, whether the adapter resolves or throws for its status. Without a response there is none.
 *
 * @param onResponse Sees a response before anybody else.
 */
export function outcomeOf(
  sending: Promise<AxiosResponse>,
  isJudged: boolean,
  onResponse?: ((response: AxiosResponse) => void) | undefined,
): Promise<Outcome> {
  return sending.then(
    (response) => {
      onResponse?.(response);
      return { response, isJudged };
    },
    (error: unknown) => {
      if (!isAxiosError(error) || !error.response?.status) throw error;
      return { response: error.response, error, isJudged: true };
    },
  );
}

/** Where a chain of redirects ended is read there: follow-redirects, which did not see them, would have put it there. */
export function showUrl({ request }: AxiosResponse, sent: ShownUrl): void {
  const message = (request as { res?: { responseUrl?: string } } | undefined)?.res;
  // A chain that goes on bare may have gone further.
  if (!message || (message.responseUrl ?? sent.finalUrl) !== sent.finalUrl) return;
  Object.defineProperty(message, 'responseUrl', { get: () => sent.shownUrl, enumerable: true, configurable: true });
}

/** `outcome` as the caller gets it: with the config that it knows, and judged by its `validateStatus`. */
export function delivered({ response, error, isJudged }: Outcome, config: InternalAxiosRequestConfig): AxiosResponse {
  clean(response, config);
  if (error) throw withoutCredentials(error, config);
  const { status } = response;
  const { validateStatus } = config;
  if (isJudged || !status || !validateStatus || validateStatus(status)) return response;
  const code = status >= 400 && status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
  throw withoutCredentials(new AxiosError(`Request failed with status code ${status}`, code, config, response.request, response), config);
}

/** `error` with the caller's own config in place of the one that was sent. */
export function withoutCredentials(error: unknown, config: InternalAxiosRequestConfig): unknown {
  if (isAxiosError(error)) clean(error, config);
  return error;
}

/** The request carries our credential: it stays to be had, but does not show in logs. */
function clean(holder: AxiosResponse | AxiosError, config: InternalAxiosRequestConfig): void {
  holder.config = config;
  const { request } = holder;
  if (request) Object.defineProperty(holder, 'request', { value: request, enumerable: false, configurable: true, writable: true });
}
