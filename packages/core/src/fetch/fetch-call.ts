import { absoluteUrl } from '../absolute-url.ts';
import { appendQuery } from '../apply-patch.ts';
import type { AuthPatch, AuthRequest, AuthResponse, AuthStrategy, Awaitable } from '../auth-strategy.ts';
import { isStrippedByPlatform, noCookiesHere } from '../hidden-redirects.ts';
import { type Body, heldBody, isOneShot, type ReadBody } from '../request-body.ts';
import type { ClientCall, NextHop } from '../send-loop.ts';
import { prepareBody, withBody, withRereadBody } from './fetch-body.ts';
import { FetchHeaders } from './fetch-headers.ts';
import type { FetchLike } from './fetch-like.ts';
import { nextHop, redirectedFetch } from './fetch-redirect.ts';
import { discardResponse, FetchAuthResponse } from './fetch-response.ts';

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
  init: RequestInit | undefined;
  readonly hops: number;
  /** The input, where it is a Request. */
  readonly source: Request | undefined;
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  readonly method: string;
  readonly headers: FetchHeaders;
  #body: Body | null | undefined;
  /** Whether the body is that of `source`. */
  readonly isSourceBody: boolean;
  replayable: boolean;
  /** The body as it was read for the strategy: what is signed is what is sent. */
  read: ReadBody | undefined;
  /** Reads the body of `source` once more. */
  reread: (() => Promise<ReadBody>) | undefined;
  #isHeld = false;

  constructor(lane: FetchLane, input: string | URL | Request, init: RequestInit | undefined, hops = 0) {
    const source = typeof input === 'object' && 'url' in input ? input : undefined;
    this.lane = lane;
    this.init = init;
    this.hops = hops;
    this.source = source;
    this.url = absoluteUrl(source?.url ?? String(input));
    this.signal = (init?.signal === undefined ? source?.signal : init.signal) ?? undefined;
    this.method = normalized(init?.method ?? source?.method ?? 'GET');
    this.headers = new FetchHeaders(init?.headers ?? source?.headers);
    this.#body = init?.body;
    this.isSourceBody = !isPresent(init?.body) && isPresent(source?.body);
    this.replayable = !this.isSourceBody && !isOneShot(this.#body);
    this.read = undefined;
    this.reread = undefined;
  }

  /** Of a Request it is the one that is there now: probing and copying put another in its place. */
  get body(): Body | null | undefined {
    return this.isSourceBody ? this.source?.body : this.#body;
  }

  prepare(readsBody: 'none' | 'form' | 'bytes'): Awaitable<void> | undefined {
    const isNeeded = this.isSourceBody || (readsBody !== 'none' && isPresent(this.#body));
    return isNeeded ? prepareBody(this, readsBody) : undefined;
  }

  request(attempt: number): AuthRequest {
    return new FetchAuthRequest(this, attempt);
  }

  send(patch: AuthPatch, attempt: number): Promise<Response> {
    const { lane, source, isSourceBody, read } = this;
    const { fetch } = lane;
    const { query, form = [], cookies } = patch;
    if (cookies && lane.hidesRedirects) throw noCookiesHere(lane.strategy.name);
    const headers = this.headers.with(patch);
    const redirect = this.#redirectMode(patch);
    const init: RequestInit = headers ? { ...this.init, headers, redirect } : { ...this.init, redirect };
    const url = query ? appendQuery(this.url.trim(), query) : this.url;
    const isMoved = query !== undefined && url !== this.url;
    if (read || form.length > 0) return fetch(url, withBody(this, init, form));
    if (isSourceBody && (isMoved || attempt > 1)) return withRereadBody(this, init).then((again) => fetch(url, again));
    return fetch(!source ? url : isMoved ? new Request(url, source) : source, init);
  }

  sendBare(attempt = 1): Promise<Response> {
    const { fetch } = this.lane;
    if (this.isSourceBody && attempt > 1) {
      return withRereadBody(this, { ...this.init, headers: this.headers.without([]) }).then((again) => fetch(this.url, again));
    }
    return fetch(this.source ?? this.url, this.init);
  }

  hold(): void {
    // Past the first hop everything is ours already.
    if (this.#isHeld || this.hops > 0) return;
    this.#isHeld = true;
    this.headers.hold();
    this.#body = heldBody(this.#body);
    this.init = this.init && {
      ...this.init,
      ...(isPresent(this.#body) && { body: this.#body }),
      ...(this.init.headers && { headers: this.headers.without([]) }),
    };
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
  /** With the Content-Type that a body which was read brings along. */
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
    if (read) {
      this.body = read.body;
      const { contentType } = read;
      if (contentType && headers.get('content-type') === null)
        this.headers = new FetchHeaders([...headers.without([]), ['Content-Type', contentType]]);
    }
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

/** An empty string is a body, `null` is none. */
function isPresent(body: Body | null | undefined): body is Body {
  return body !== undefined && body !== null;
}

/** As fetch writes the methods that it knows (Fetch standard, "normalize a method"); others are sent as they are. */
function normalized(method: string): string {
  if (method === 'GET' || method === 'POST') return method;
  const upper = method.toUpperCase();
  return /^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/.test(upper) ? upper : method;
}
