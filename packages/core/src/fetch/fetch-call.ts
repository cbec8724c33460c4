import { appendQuery } from '../apply-patch.ts';
import { ConfigurationError } from '../auth-error.ts';
import type { AuthPatch, AuthRequest, AuthResponse, AuthStrategy, Awaitable } from '../auth-strategy.ts';
import type { ClientCall, NextHop } from '../send-loop.ts';
import { prepareBody, type ReadBody, withBody, withRereadBody } from './fetch-body.ts';
import { FetchHeaders } from './fetch-headers.ts';
import { nextHop, redirectedFetch } from './fetch-redirect.ts';
import { discardResponse, FetchAuthResponse } from './fetch-response.ts';
import { isStrippedByPlatform } from './hidden-redirects.ts';
import { isOneShot } from './is-one-shot.ts';

/** The function that sends: the platform's `fetch`, or one that takes and answers the same. */
export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What all calls of one adapter and strategy share. */
export interface FetchLane {
  readonly fetch: FetchLike;
  readonly strategy: AuthStrategy;
  /** What `hidesRedirects` says; asked once, since reading `navigator` is slow in Node. */
  readonly hidesRedirects: boolean;
  readonly unsafeAllowHiddenRedirects: boolean;
}

/** One hop of one call of fetch. A class rather than a closure: it is made for every request, and only its prototype makes that cheap. */
export class FetchCall implements ClientCall<Response> {
  readonly lane: FetchLane;
  readonly input: string | URL | Request;
  readonly init: RequestInit | undefined;
  readonly hops: number;
  /** The input, where it is a Request. */
  readonly source: Request | undefined;
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  readonly method: string;
  readonly headers: FetchHeaders;
  readonly body: BodyInit | null | undefined;
  replayable: boolean;
  /** The body as it was read for the strategy: what is signed is what is sent. */
  read: ReadBody | undefined;
  /** Reads the body of `source` once more. */
  reread: (() => Promise<ReadBody>) | undefined;

  constructor(lane: FetchLane, input: string | URL | Request, init: RequestInit | undefined, hops = 0) {
    const source = typeof input === 'object' && 'url' in input ? input : undefined;
    this.lane = lane;
    this.input = input;
    this.init = init;
    this.hops = hops;
    this.source = source;
    this.url = absolute(source?.url ?? String(input));
    this.signal = init?.signal ?? source?.signal;
    this.method = init?.method ?? source?.method ?? 'GET';
    this.headers = new FetchHeaders(init?.headers ?? source?.headers);
    this.body = init?.body ?? source?.body;
    this.replayable = !isOneShot(this.body);
    this.read = undefined;
    this.reread = undefined;
  }

  prepare(readsBody: 'none' | 'form' | 'bytes'): Awaitable<void> | undefined {
    const isNeeded = this.body && (readsBody !== 'none' || this.source);
    return isNeeded ? prepareBody(this, readsBody) : undefined;
  }

  request(attempt: number): AuthRequest {
    return new FetchAuthRequest(this, attempt);
  }

  send(patch: AuthPatch, attempt: number): Promise<Response> {
    const { lane, source, input, body, read } = this;
    const { fetch } = lane;
    const { query, form = [], cookies } = patch;
    if (cookies && lane.hidesRedirects) {
      const { name } = lane.strategy;
      throw new ConfigurationError(`${name}: browsers do not let a page set cookies on a request. Use a header.`, {
        option: 'in',
        strategy: name,
      });
    }
    const headers = this.headers.with(patch);
    const redirect = this.#redirectMode(patch);
    const init: RequestInit = headers ? { ...this.init, headers, redirect } : { ...this.init, redirect };
    const url = appendQuery(this.url, query);
    const isMoved = url !== this.url;
    if (read || form.length > 0) return fetch(url, withBody(this, init, form));
    if (source && body && (isMoved || attempt > 1)) return withRereadBody(this, init).then((again) => fetch(url, again));
    return fetch(!isMoved ? input : source ? new Request(url, source) : url, init);
  }

  sendBare(): Promise<Response> {
    const { fetch } = this.lane;
    return fetch(this.input, this.init);
  }

  statusOf(response: Response): number {
    return response.status;
  }

  view(response: Response): AuthResponse {
    return new FetchAuthResponse(response);
  }

  hasLeft(response: Response): boolean {
    return response.redirected && new URL(response.url).origin !== new URL(this.url).origin;
  }

  discard(response: Response): void {
    discardResponse(response);
  }

  async next(response: Response, patch: AuthPatch): Promise<NextHop<Response> | undefined> {
    if (this.#callersMode() !== 'follow') return undefined;
    const hop = await nextHop(this, response, patch);
    if (!hop) return undefined;
    const { redirection, init } = hop;
    const lane = { ...this.lane, fetch: redirectedFetch(this.lane.fetch) };
    return { redirection, call: new FetchCall(lane, redirection.url.href, init, this.hops + 1) };
  }

  #callersMode(): RequestRedirect {
    return this.init?.redirect ?? this.source?.redirect ?? 'follow';
  }

  /** `'manual'` shows every hop, but not in browsers: there the platform may follow only where it strips the credential itself. */
  #redirectMode(patch: AuthPatch): RequestRedirect {
    const mode = this.#callersMode();
    if (mode !== 'follow' || !this.lane.hidesRedirects) return mode === 'follow' ? 'manual' : mode;
    return this.lane.unsafeAllowHiddenRedirects || isStrippedByPlatform(patch, this.lane.strategy) ? 'follow' : 'manual';
  }
}

/** The call as a strategy sees it. */
class FetchAuthRequest implements AuthRequest {
  readonly method: string;
  readonly headers: FetchHeaders;
  declare readonly body?: Uint8Array | string;
  readonly replayable: boolean;
  readonly attempt: number;
  #url: string;
  #isFinal = false;

  constructor({ url, method, headers, read, replayable }: FetchCall, attempt: number) {
    this.#url = url;
    this.method = method;
    this.headers = headers;
    if (read) this.body = read.body;
    this.replayable = replayable;
    this.attempt = attempt;
  }

  /** As fetch will write it. Only strategies that ask pay for the parse. */
  get url(): string {
    if (!this.#isFinal) this.#url = new URL(this.#url).href.replace(/#.*/s, '');
    this.#isFinal = true;
    return this.#url;
  }
}

/** `url` resolved as the platform would; where it cannot be, it is left to the client. */
function absolute(url: string): string {
  if (url.startsWith('https://') || /^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return url;
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  const base = document?.baseURI ?? location?.href; // a page can have a <base>, a worker has no document
  return base && URL.canParse(url, base) ? new URL(url, base).href : url;
}
