import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig, isAxiosError } from 'axios';
import type { SeenRedirect } from './axios-redirect.ts';

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

/** How an answer is read. */
interface Reading {
  /** Whether the adapter asks `validateStatus`. */
  readonly isJudged: boolean;
  /** Sees a response before anybody else. */
  readonly onResponse?: ((response: AxiosResponse) => void) | undefined;
  /** A redirect that the adapter was kept from following. */
  readonly seen?: SeenRedirect | undefined;
}

/** The outcome of `sending`, whether the adapter resolves or throws for its status. Without a response there is none. */
export function outcomeOf(sending: Promise<AxiosResponse>, { isJudged, onResponse, seen }: Reading): Promise<Outcome> {
  return sending.then(
    (response) => {
      onResponse?.(response);
      return { response, isJudged };
    },
    (error: unknown) => {
      const isUnreadable = seen && isAxiosError(error) && error.code === 'ERR_FR_REDIRECTION_FAILURE';
      const redirect = seen?.() ?? (isUnreadable && UNREADABLE);
      if (redirect && isAxiosError(error)) {
        const { config, request } = error;
        return { response: { ...redirect, statusText: '', data: '', config, request } as AxiosResponse, isJudged };
      }
      if (!isAxiosError(error) || !error.response?.status) throw error;
      return { response: error.response, error, isJudged: true };
    },
  );
}

/** A redirect whose Location follow-redirects cannot read: nobody goes there. */
const UNREADABLE = { status: 302, headers: { location: 'about:invalid' } };

/** Where a chain of redirects ended is read there. @param isLast What follow-redirects wrote is not the end of the chain, or holds a credential. */
export function showUrl({ request }: AxiosResponse, sent: ShownUrl, isLast: boolean): void {
  const message = (request as { res?: { responseUrl?: string } } | undefined)?.res;
  if (!message || !(isLast || message.responseUrl === sent.finalUrl)) return;
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
  for (let link = error; isAxiosError(link); link = link.cause) clean(link, config);
  return error;
}

/** The request carries our credential: it stays to be had, but does not show in logs. */
function clean(holder: AxiosResponse | AxiosError, config: InternalAxiosRequestConfig): void {
  holder.config = config;
  hide(holder, 'request');
  const { data } = holder as AxiosResponse;
  if (data && config.responseType === 'stream') hide(data, 'req'); // of Node's own stream
}

function hide(holder: object, name: string): void {
  const value = (holder as Record<string, unknown>)[name];
  if (value) Object.defineProperty(holder, name, { value, enumerable: false, configurable: true, writable: true });
}
