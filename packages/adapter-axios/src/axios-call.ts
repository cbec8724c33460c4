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
import { type AxiosAdapter, AxiosError, getAdapter, type InternalAxiosRequestConfig, isAxiosError } from 'axios';
import { isFetchAdapter, nameOf } from './axios-adapters.ts';
import { asData, prepareBody, withBody } from './axios-body.ts';
import { headerOf, withHeaders } from './axios-headers.ts';
import { type Outcome, outcomeOf, showUrl } from './axios-outcome.ts';
import { nextHop, type Unfollowed, unfollowed } from './axios-redirect.ts';
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

/** Who sends a hop. */
interface Sender {
  readonly adapter: AxiosAdapter;
  /** It is one of axios's own. */
  readonly isOurs: boolean;
  /** How it is kept from following redirects, where it is. */
  readonly redirects?: Unfollowed;
}

/** One hop of one call of an axios instance, seen from inside its adapter. */
export class AxiosCall implements ClientCall<Outcome> {
  readonly root: AxiosRoot;
  config: InternalAxiosRequestConfig;
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
  #isUrlPromised = false;
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

  /**
   * The URL for the strategy, which may sign it: from now on axios gets it as it is, and nothing to add to it. Left alone, each adapter of axios spells
   * `params` in its own way (`it's`, `it%27s`), so that what was signed would not be what is sent. It is not done for everybody, since making it takes
   * longer than all else that is done for a request, and interceptors and adapters of others look at `baseURL` and `params`.
   */
  promiseUrl(): string {
    this.#isUrlPromised = true;
    return this.finalUrl;
  }

  /** As it is sent, without the strategy's parameters. */
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
    if (!this.#hasWaited) {
      const { params } = this.config;
      this.data = asData(heldBody(this.data));
      if (params instanceof URLSearchParams) this.config = { ...this.config, params: heldBody(params) };
    }
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
    if (patch.query || this.#isUrlPromised) {
      Object.assign(sent, { url: appendQuery(this.finalUrl, patch.query), baseURL: undefined, params: undefined, auth: this.auth });
    }
    if (this.read || patch.form?.length) withBody(this, sent, patch.form ?? []);
    const isLate = this.#hasWaited || attempt > 1 || this.hops > 0;
    const left = isLate ? this.limit()?.timeoutMs : undefined;
    if (left === 0) throw timedOut(root);
    if (left !== undefined) sent.timeout = Math.ceil(left);
    const { adapter, isOurs, redirects } = this.#adapterFor(patch, sent);
    const seen = redirects?.seen;
    Object.assign(sent, redirects?.settings);
    if (isOurs) sent.validateStatus = null;
    const outcome = outcomeOf(adapter(sent), {
      isJudged: !isOurs,
      seen,
      onResponse: (response) => {
        if (this.hops > 0 || patch.query || !seen) showUrl(response, this, true);
        // A stream that breaks off later shows this config in its error.
        if (sent.responseType === 'stream') Object.assign(sent, { headers: this.config.headers, url: this.config.url });
      },
    });
    return left === undefined ? outcome : outcome.catch((error: unknown) => inTime(error, sent, root.config));
  }

  sendBare(): Promise<Outcome> {
    const { config, data, root, signal, hops } = this;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const isAsGiven = config === root.config && data === config.data;
    if (hops === 0) return outcomeOf(root.adapter(isAsGiven ? config : this.#copy()), { isJudged: true });
    // The rest of a chain: what is left of the limits is axios's to keep.
    const rest = this.#copy();
    const { maxRedirects } = rest;
    if (maxRedirects !== undefined) rest.maxRedirects = maxRedirects - hops || -1; // 0 would not follow and not complain
    const left = this.limit()?.timeoutMs;
    if (left === 0) throw timedOut(root);
    if (left !== undefined) rest.timeout = Math.ceil(left);
    return outcomeOf(root.adapter(rest), { isJudged: true, onResponse: (response) => showUrl(response, this, false) });
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

  /** The adapter that sends `sent`, and how it shows redirects where it can. */
  #adapterFor(patch: AuthPatch, sent: InternalAxiosRequestConfig): Sender {
    const { adapter, hidden, options, strategy } = this.root;
    const name = nameOf(adapter);
    // Adapters of the caller's own ask `validateStatus`, or do not, as they like.
    const isOurs = name !== undefined || isFetchAdapter(adapter, sent);
    if (hidden && (options.unsafeAllowHiddenRedirects || isStrippedByPlatform(patch, strategy))) return { adapter, isOurs };
    // An XMLHttpRequest cannot be kept from following, and would take along what the browser does not strip.
    const chosen = hidden && name === 'xhr' ? getAdapter('fetch', sent) : adapter;
    return { adapter: chosen, isOurs, redirects: unfollowed(chosen, sent, this.replayable) };
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
    return this.#call.promiseUrl();
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
