import { appendQuery } from '../apply-patch.ts';
import { AuthError, ConfigurationError, UnsafeDestinationError } from '../auth-error.ts';
import type { AuthPatch, AuthRequest, AuthResponse, AuthStrategy } from '../auth-strategy.ts';
import { type Redirection, redirection } from '../redirect.ts';
import type { ClientCall } from '../send-loop.ts';
import { copyOfReplayable, formBody, impliedContentType, isForm, isOneShot, type ReadBody, readBody } from './fetch-body.ts';
import { FetchHeaders } from './fetch-headers.ts';
import { asRedirected, discardResponse, FetchAuthResponse } from './fetch-response.ts';
import { hidesRedirects } from './hides-redirects.ts';

/** The function that sends: the platform's `fetch`, or one that takes and answers the same. */
export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What a call needs to know beside its own input. */
export interface FetchCallSettings {
  readonly fetch: FetchLike;
  readonly strategy: Pick<AuthStrategy, 'name' | 'sensitive'>;
  readonly unsafeAllowHiddenRedirects: boolean;
}

/** As many as the Fetch standard follows. */
const MOST_REDIRECTS = 20;

/** One call of fetch. A class rather than a closure: it is made for every request, and only its prototype makes that cheap. */
export class FetchCall implements ClientCall<Response> {
  url: string;
  readonly signal: AbortSignal | undefined;
  readonly #settings: FetchCallSettings;
  readonly #input: string | URL | Request;
  readonly #init: RequestInit | undefined;
  #method: string;
  #headers: FetchHeaders;
  /** As the caller gave it; `undefined` once it was read, or left behind by a redirect. */
  #body: BodyInit | null | undefined;
  /** The caller's Request, as long as it can still be sent itself. */
  #request: Request | undefined;
  /** Its body, for every send after the first. */
  #copy: Request | undefined;
  #read: ReadBody | undefined;
  #hops = 0;

  constructor(settings: FetchCallSettings, input: string | URL | Request, init: RequestInit | undefined) {
    const request = typeof input === 'object' && 'url' in input ? input : undefined;
    this.#settings = settings;
    this.#input = input;
    this.#init = init;
    this.#request = request;
    this.url = absolute(request ? request.url : String(input), settings.strategy.name);
    this.signal = init?.signal ?? request?.signal;
    this.#method = init?.method ?? request?.method ?? 'GET';
    this.#headers = new FetchHeaders(init?.headers ?? request?.headers);
    this.#body = init?.body ?? request?.body;
    if (request?.body && !init?.body) this.#copy = copyOfReplayable(request);
  }

  request(attempt: number): AuthRequest {
    const replayable = this.#read !== undefined || this.#copy !== undefined || !isOneShot(this.#body);
    return new FetchAuthRequest(this.url, this.#method, this.#headers, this.#read?.body, replayable, attempt);
  }

  prepare(readsBody: 'form' | 'bytes'): void | Promise<void> {
    if (this.#body === undefined || this.#body === null) return;
    const contentType = this.#headers.get('content-type') ?? impliedContentType(this.#body);
    if (readsBody === 'form' && !isForm(contentType)) return;
    if (isOneShot(this.#body) && !this.#copy) {
      const { name } = this.#settings.strategy;
      const message = `${name} signs the body, and a stream can be read only once. Send a string, bytes, a Blob, URLSearchParams or FormData.`;
      throw new ConfigurationError(message, { option: 'body', strategy: name });
    }
    const read = this.#copy ? readCopy(this.#copy) : readBody(this.#body);
    if (!(read instanceof Promise)) return this.#hold(read);
    return read.then((late) => this.#hold(late));
  }

  send(patch: AuthPatch): Promise<Response> {
    const { cookies, form } = patch;
    if (cookies && hidesRedirects()) {
      const { name } = this.#settings.strategy;
      throw new ConfigurationError(`${name}: browsers do not let a page set cookies on a request. Use a header.`, {
        option: 'in',
        strategy: name,
      });
    }
    const contentType = this.#headers.get('content-type');
    const read = form?.length
      ? formBody(this.#read, { hasBody: this.#body !== undefined && this.#body !== null, contentType, method: this.#method }, form)
      : this.#read;
    return this.#fetch(appendQuery(this.url, patch.query), this.#headers.with(patch), read, this.#redirectMode(patch));
  }

  sendBare(): Promise<Response> {
    const { fetch } = this.#settings;
    if (this.#hops === 0 && !this.#read) return fetch(this.#input, this.#init);
    return this.#fetch(this.url, this.#headers.init, this.#read, this.#callersMode()).then((response) => this.#done(response));
  }

  statusOf(response: Response): number {
    if (this.#hops > 0) this.#done(response);
    return response.status;
  }

  view(response: Response): AuthResponse {
    return new FetchAuthResponse(response);
  }

  hasLeft(response: Response): boolean {
    return response.redirected && this.#hops === 0 && new URL(response.url).origin !== new URL(this.url).origin;
  }

  discard(response: Response): void {
    discardResponse(response);
  }

  redirection(response: Response, { query }: AuthPatch): Redirection | undefined {
    if (this.#callersMode() !== 'follow') return undefined;
    const { name } = this.#settings.strategy;
    if (response.type === 'opaqueredirect') {
      const message = `${name}: the server redirects, and this browser would take the credential along unseen. Call the final URL, or see \`unsafeAllowHiddenRedirects\`.`;
      throw new UnsafeDestinationError(message, { origin: new URL(this.url).origin, strategy: name });
    }
    const { status, headers } = response;
    const next = redirection({ status, location: headers.get('location') }, { url: this.url, method: this.#method }, query);
    if (next && this.#hops >= MOST_REDIRECTS) {
      discardResponse(response);
      throw new AuthError(`${name}: more than ${MOST_REDIRECTS} redirects.`, { code: 'TOO_MANY_REDIRECTS', strategy: name });
    }
    return next;
  }

  follow(next: Redirection): void {
    const { name } = this.#settings.strategy;
    if (!next.dropsBody && isOneShot(this.#body) && !this.#copy) {
      const message = `${name}: a redirect asks for the body again, and it was a stream. Call ${next.url.origin} directly, or send bytes.`;
      throw new AuthError(message, { code: 'BODY_NOT_REPLAYABLE', strategy: name });
    }
    this.url = next.url.href;
    this.#method = next.method;
    this.#headers = this.#headers.after(next);
    this.#hops += 1;
    if (!next.dropsBody) return;
    this.#body = undefined;
    this.#copy = undefined;
    this.#read = undefined;
  }

  /** From now on the body is what was read: the bytes that are signed are the bytes that are sent. */
  #hold(read: ReadBody): void {
    this.#read = read;
    this.#copy = undefined;
  }

  async #resend(url: string, headers: HeadersInit | undefined, copy: Request, redirect: RequestRedirect): Promise<Response> {
    this.#hold(await readCopy(copy));
    return this.#fetch(url, headers, this.#read, redirect);
  }

  #fetch(url: string, headers: HeadersInit | undefined, read: ReadBody | undefined, redirect: RequestRedirect): Promise<Response> {
    const { fetch } = this.#settings;
    const request = this.#request;
    if (!request) {
      const init: RequestInit = { ...this.#init, redirect };
      if (headers !== undefined) init.headers = headers;
      if (this.#hops > 0) init.method = this.#method;
      if (this.#hops > 0 && this.#body === undefined) delete init.body;
      if (read) withBody(init, read);
      return fetch(this.#hops === 0 && url === this.url ? (this.#input as string | URL) : url, init);
    }
    const isItself = this.#hops === 0 && url === this.url && !read && !request.bodyUsed;
    if (isItself) return fetch(request, { ...this.#init, ...(headers !== undefined && { headers }), redirect });
    if (this.#copy && !read) return this.#resend(url, headers, this.#copy, redirect);
    const init: RequestInit = {
      ...settingsOf(request),
      ...this.#init,
      method: this.#method,
      redirect,
      ...(headers !== undefined && { headers }),
    };
    if (read) withBody(init, read);
    else if (this.#body !== undefined && this.#body !== null) Object.assign(init, { body: this.#body, duplex: 'half' });
    return fetch(url, init);
  }

  #callersMode(): RequestRedirect {
    return this.#init?.redirect ?? this.#request?.redirect ?? 'follow';
  }

  /** `'manual'` shows every hop, but not in browsers: there the platform may follow only where it strips the credential itself. */
  #redirectMode(patch: AuthPatch): RequestRedirect {
    const mode = this.#callersMode();
    if (mode !== 'follow') return mode;
    if (!hidesRedirects()) return 'manual';
    return this.#settings.unsafeAllowHiddenRedirects || isStripped(patch, this.#settings.strategy) ? 'follow' : 'manual';
  }

  #done(response: Response): Response {
    return response.redirected ? response : asRedirected(response);
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

  constructor(
    url: string,
    method: string,
    headers: FetchHeaders,
    body: Uint8Array | string | undefined,
    replayable: boolean,
    attempt: number,
  ) {
    this.#url = url;
    this.method = method;
    this.headers = headers;
    if (body !== undefined) this.body = body;
    this.replayable = replayable;
    this.attempt = attempt;
  }

  /** As fetch will write it. Only strategies that ask pay for the parse. */
  get url(): string {
    if (!this.#isFinal) {
      const url = new URL(this.#url);
      url.hash = '';
      this.#url = url.href;
      this.#isFinal = true;
    }
    return this.#url;
  }
}

/** Whether a browser itself strips all that is secret in `patch` on a redirect to another origin: the Authorization header, nothing else. */
function isStripped({ headers, query, form }: AuthPatch, { sensitive }: Pick<AuthStrategy, 'sensitive'>): boolean {
  const isSecret = (name: string): boolean => sensitive?.headers?.some((listed) => listed.toLowerCase() === name) ?? true;
  const names = Object.keys(headers ?? {}).map((name) => name.toLowerCase());
  return !query?.length && !form?.length && names.every((name) => name === 'authorization' || !isSecret(name));
}

/** `url` resolved as the platform would; where it cannot be, it is left to the client. @throws {ConfigurationError} for userinfo. */
function absolute(url: string, strategy: string): string {
  const base = /^[a-z][a-z0-9+.-]*:/i.test(url) ? undefined : (globalThis as { location?: { href: string } }).location?.href;
  const resolved = base !== undefined && URL.canParse(url, base) ? new URL(url, base).href : url;
  if (resolved.includes('@') && URL.canParse(resolved)) {
    const { username, password, origin } = new URL(resolved);
    if (username || password) {
      const message = `${strategy}: the URL for ${origin} holds a user name or password. Take them out; basic({ username, password }) sends them safely.`;
      throw new ConfigurationError(message, { option: 'url', strategy });
    }
  }
  return resolved;
}

function withBody(init: RequestInit, { body, contentType }: ReadBody): void {
  init.body = body;
  const headers = new FetchHeaders(init.headers);
  if (contentType !== undefined && headers.get('content-type') === null) {
    const added = headers.with({ headers: { 'Content-Type': contentType } });
    if (added) init.headers = added;
  }
}

async function readCopy(copy: Request): Promise<ReadBody> {
  return { body: new Uint8Array(await copy.clone().arrayBuffer()), contentType: copy.headers.get('content-type') ?? undefined };
}

/** What a Request carries besides URL, method, headers and body. */
function settingsOf(request: Request): RequestInit {
  const { cache, credentials, integrity, keepalive, mode, referrer, referrerPolicy, signal } = request;
  return { cache, credentials, integrity, keepalive, referrer, referrerPolicy, signal, ...(mode !== 'navigate' && { mode }) };
}
