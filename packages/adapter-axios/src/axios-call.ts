import type { AuthPatch, AuthRequest, AuthResponse, AuthStrategy, Awaitable, WithAuthOptions } from '@authseam/core';
import {
  appendCookies,
  appendQuery,
  type ClientCall,
  type ClientLimit,
  heldBody,
  isOneShot,
  isStrippedByPlatform,
  type NextHop,
  noCookiesHere,
  type ReadBody,
} from '@authseam/core/adapter';
import { type AxiosAdapter, AxiosError, type AxiosResponse, getAdapter, type InternalAxiosRequestConfig, isAxiosError } from 'axios';
import { isFetchAdapter, nameOf } from './axios-adapters.ts';
import { asData, prepareBody, withBody } from './axios-body.ts';
import { headerOf, withHeaders } from './axios-headers.ts';
import { type Outcome, outcomeOf, showUrl } from './axios-outcome.ts';
import { hopByHop, nextHop } from './axios-redirect.ts';
import { AxiosAuthResponse, discardResponse } from './axios-response.ts';
import { addressOf, finalUrlOf } from './axios-url.ts';

/** What all hops of one call share. */
export interface AxiosRoot {
  /** The config as the caller knows it. */
  readonly config: InternalAxiosRequestConfig;
  readonly adapter: AxiosAdapter;
  readonly strategy: AuthStrategy;
  readonly options: WithAuthOptions;
  /** What `hidesRedirects` says. */
  readonly hidden: boolean;
  readonly home: string | undefined;
  /** The caller's abort, from `signal` or `cancelToken`. */
  readonly signal: AbortSignal | undefined;
}

/** One hop of one call of an axios instance, seen from inside its adapter. */
export class AxiosCall implements ClientCall<Outcome> {
  readonly root: AxiosRoot;
  readonly config: InternalAxiosRequestConfig;
  readonly hops: number;
  readonly home: string | undefined;
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  readonly replayable: boolean;
  data: unknown;
  /** The body as it was read for the strategy: what is signed is what is sent. */
  read: ReadBody | undefined;
  /** The caller's own user name and password, in `auth` or in the URL: axios makes an Authorization header of them. */
  readonly auth: InternalAxiosRequestConfig['auth'];
  readonly #startedAtMs: number;
  #finalUrl: string | undefined;
  #hasWaited = false;

  constructor(root: AxiosRoot, config: InternalAxiosRequestConfig, hops = 0, startedAtMs: number = config.timeout ? performance.now() : 0) {
    const { url, auth } = addressOf(config);
    this.root = root;
    this.config = config;
    this.hops = hops;
    this.home = root.home;
    this.url = url;
    this.auth = auth;
    this.signal = root.signal;
    this.data = config.data;
    this.replayable = !isOneShot(config.data);
    this.#startedAtMs = startedAtMs;
  }

  get method(): string {
    return (this.config.method ?? 'get').toUpperCase();
  }

  /** As it is sent, without the strategy's parameters. From here on axios gets this URL, and nothing to add to it. */
  get finalUrl(): string {
    this.#finalUrl ??= finalUrlOf(this.config);
    return this.#finalUrl;
  }

  /** As follow-redirects tells it: with the fragment that a redirect named. */
  get shownUrl(): string {
    return this.hops > 0 ? (this.config.url ?? '') : this.finalUrl;
  }

  header(name: string): string | null {
    const isContentType = this.read?.contentType !== undefined && name.toLowerCase() === 'content-type';
    if (isContentType) return this.read?.contentType ?? null;
    return headerOf(this.config.headers, name) ?? (this.auth && name.toLowerCase() === 'authorization' ? 'Basic' : null);
  }

  limit(): ClientLimit | undefined {
    const { config } = this.root;
    const timeoutMs = Number(config.timeout);
    return timeoutMs > 0 ? { timeoutMs: Math.max(0, this.#left(timeoutMs)), timeoutError: () => timedOut(this.root) } : undefined;
  }

  hold(): void {
    if (!this.#hasWaited) this.data = asData(heldBody(this.data));
    this.#hasWaited = true;
  }

  prepare(readsBody: 'none' | 'form' | 'bytes'): Awaitable<void> | undefined {
    return readsBody === 'none' || this.data === undefined || this.data === null ? undefined : prepareBody(this, readsBody);
  }

  request(attempt: number): AuthRequest {
    return new AxiosAuthRequest(this, attempt);
  }

  send(patch: AuthPatch, attempt: number): Promise<Outcome> {
    const { root, signal } = this;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (patch.cookies && root.hidden) throw noCookiesHere(root.strategy.name);
    const sent = this.#copy();
    sent.headers = withHeaders(sent.headers, patch.headers);
    if (patch.cookies) sent.headers.set('Cookie', appendCookies(this.header('cookie'), patch.cookies));
    if (patch.query || this.#finalUrl !== undefined) {
      Object.assign(sent, { url: appendQuery(this.finalUrl, patch.query), baseURL: undefined, params: undefined, auth: this.auth });
    }
    if (this.read || patch.form?.length) withBody(this, sent, patch.form ?? []);
    const isLate = this.#hasWaited || attempt > 1 || this.hops > 0;
    const left = isLate ? this.limit()?.timeoutMs : undefined;
    if (left === 0) throw timedOut(root);
    if (left !== undefined) sent.timeout = Math.ceil(left);
    sent.validateStatus = null;
    const outcome = outcomeOf(this.#adapterFor(patch, sent)(sent), false, (response) => {
      showUrl(response, this);
      // A stream that breaks off later shows this config in its error.
      if (sent.responseType === 'stream') Object.assign(sent, { headers: this.config.headers, url: this.config.url });
    });
    return left === undefined ? outcome : outcome.catch((error: unknown) => inTime(error, sent, root.config));
  }

  sendBare(): Promise<Outcome> {
    const { config, data, root, signal } = this;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const onResponse = this.hops > 0 ? (response: AxiosResponse) => showUrl(response, this) : undefined;
    return outcomeOf(root.adapter(data === config.data ? config : this.#copy()), true, onResponse);
  }

  statusOf({ response }: Outcome): number {
    return response.status;
  }

  view({ response }: Outcome): AuthResponse {
    return new AxiosAuthResponse(response, this);
  }

  /** An XMLHttpRequest follows redirects out of sight, and says where it ended. */
  hasLeft({ response }: Outcome): boolean {
    const { responseURL } = (response.request ?? {}) as { responseURL?: string };
    return responseURL !== undefined && URL.canParse(responseURL) && new URL(responseURL).origin !== new URL(this.finalUrl).origin;
  }

  discard({ response }: Outcome): void {
    discardResponse(response.data);
  }

  async next({ response }: Outcome, patch: AuthPatch): Promise<NextHop<Outcome> | undefined> {
    const hop = await nextHop(this, response, patch);
    return hop && { redirection: hop.redirection, call: new AxiosCall(this.root, hop.config, this.hops + 1, this.#startedAtMs) };
  }

  #copy(): InternalAxiosRequestConfig {
    const { config, data } = this;
    // A loop, since spreading an object without a prototype takes four times as long.
    const copy = {} as Record<PropertyKey, unknown>;
    for (const key of Object.keys(config)) copy[key] = config[key as keyof typeof config];
    for (const key of Object.getOwnPropertySymbols(config)) copy[key] = (config as unknown as typeof copy)[key];
    copy['data'] = data;
    return copy as unknown as InternalAxiosRequestConfig;
  }

  /** The adapter that sends `sent`, told to show redirects where it can. */
  #adapterFor(patch: AuthPatch, sent: InternalAxiosRequestConfig): AxiosAdapter {
    const { root } = this;
    const { adapter, hidden, options, strategy } = root;
    if (hidden && (options.unsafeAllowHiddenRedirects || isStrippedByPlatform(patch, strategy))) return adapter;
    // An XMLHttpRequest cannot be kept from following, and would take along what the browser does not strip.
    const chosen = hidden && nameOf(adapter) === 'xhr' ? getAdapter('fetch', sent) : adapter;
    hopByHop(chosen, sent);
    return chosen;
  }

  #left(timeoutMs: number): number {
    return timeoutMs - (performance.now() - this.#startedAtMs);
  }
}

/** The call as a strategy sees it. */
class AxiosAuthRequest implements AuthRequest {
  readonly method: string;
  readonly headers: { get(name: string): string | null };
  declare readonly body?: Uint8Array | string;
  readonly replayable: boolean;
  readonly attempt: number;
  readonly #call: AxiosCall;

  constructor(call: AxiosCall, attempt: number) {
    this.#call = call;
    this.method = call.method;
    this.headers = { get: (name) => call.header(name) };
    if (call.read) this.body = call.read.body;
    this.replayable = call.replayable;
    this.attempt = attempt;
  }

  get url(): string {
    return this.#call.finalUrl;
  }
}

/** Errors for what was left of `timeout` speak of all of it. */
function inTime(error: unknown, sent: InternalAxiosRequestConfig, config: InternalAxiosRequestConfig): never {
  const isTimeout = isAxiosError(error) && error.message.startsWith('timeout');
  if (isTimeout) error.message = error.message.replace(String(sent.timeout), String(config.timeout));
  throw error;
}

/** What axios throws when `timeout` has run out. */
function timedOut({ config, adapter }: AxiosRoot): AxiosError {
  const { timeout, timeoutErrorMessage, transitional } = config;
  const isClear = transitional?.clarifyTimeoutError || isFetchAdapter(adapter, config);
  const code = isClear ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
  return new AxiosError(timeoutErrorMessage || `timeout of ${timeout}ms exceeded`, code, config);
}
