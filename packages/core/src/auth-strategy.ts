import type { AuthEvent } from './auth-event.ts';

/** A value, or a promise of it. What is available at once is answered at once: the hot path of every adapter is synchronous. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * What to add to one request, and what to do when the server rejects it. A strategy never sends the user's request.
 *
 * Implement it to support a scheme of your own. To test one needs no client: `authorize` is a plain function.
 *
 * @typeParam Receipt What the strategy wants to see again with the response: the token or nonce that was used.
 * @example
 * ```ts
 * import type { AuthStrategy } from '@authseam/core';
 *
 * export const partnerKey = (key: string): AuthStrategy => ({
 *   name: 'partnerKey',
 *   specVersion: 1,
 *   authorize: () => ({ headers: { 'X-Partner': key } }),
 * });
 * ```
 */
export interface AuthStrategy<Receipt = unknown> {
  /** Stands in errors, events and docs: `'oauth1'`. */
  readonly name: string;
  /** Version of this contract. */
  readonly specVersion: 1;
  /**
   * What of the body `authorize` needs. `'none'` (default): bodies are not looked at and uploads keep streaming. `'form'`: the body when its media
   * type is `application/x-www-form-urlencoded`. `'bytes'`: every body; a one-shot stream is then a `ConfigurationError` before anything is sent.
   */
  readonly readsBody?: 'none' | 'form' | 'bytes';
  /** Which names of its patches are secret. Absent: all of them. */
  readonly sensitive?: SensitiveNames;
  /**
   * Says what to add to `request`. Called anew for every attempt and every redirect hop; answers synchronously whenever it can.
   *
   * @throws Whatever it throws reaches the caller as an `AuthError`, and nothing is sent.
   */
  authorize(request: AuthRequest, context: AuthContext): Awaitable<AuthPatch<Receipt>>;
  /**
   * Whether a response other than 401 means that the credential was rejected. Asked for status >= 400 only. One that throws counts as `false`,
   * with the event `rejection-check-failed`.
   */
  isRejected?(response: AuthResponse, sent: SentAttempt<Receipt>): Awaitable<boolean>;
  /** Called once after a rejection. `true`: authorize again and send once more. A throw reaches the caller instead of the rejected response. */
  recover?(response: AuthResponse, sent: SentAttempt<Receipt>, context: AuthContext): Awaitable<boolean>;
  /** Sees every response to a request that carried its credential: DPoP nonces, clock skew, acceptance of a token. Synchronous; must not throw. */
  observe?(response: AuthResponse, sent: SentAttempt<Receipt>): void;
}

/** Header, query parameter and cookie names that carry secrets. Header names compare without case. */
export interface SensitiveNames {
  readonly headers?: readonly string[];
  readonly query?: readonly string[];
  readonly cookies?: readonly string[];
}

/** A client's outgoing request, read-only and neutral: what goes on the wire after every hook and interceptor of the user. */
export interface AuthRequest {
  /** As sent: the methods that the Fetch standard knows in upper case (`'POST'`), others as the client spells them. */
  readonly method: string;
  /**
   * Absolute, exactly as sent, without fragment, before this strategy's own query parameters. May be a lazy getter, and what it told is what the
   * client then sends: axios gets that URL in place of `baseURL` and `params`, which it could spell otherwise. Read it only if you need it.
   */
  readonly url: string;
  /** The caller's own headers. */
  readonly headers: { get(name: string): string | null };
  /** Present only as far as `readsBody` asks for it. */
  readonly body?: Uint8Array | string;
  /** Whether the body can be sent a second time. */
  readonly replayable: boolean;
  /** 1 for the first send of a hop, 2 for its replay. */
  readonly attempt: number;
}

/**
 * What a strategy adds to a request. What the caller already put there under the same name wins: then the whole patch is dropped, so that a signature
 * is never sent in halves.
 */
export interface AuthPatch<Receipt = unknown> {
  headers?: Record<string, string>;
  /** Unencoded; appended to the URL in this order, percent-encoded, without touching what stands there. */
  query?: readonly (readonly [name: string, value: string])[];
  /** Appended to the caller's cookies. Cookie octets only (RFC 6265 §4.1.1). */
  cookies?: Record<string, string>;
  /** Unencoded; appended to a form body, or makes one where there is no body. Needs `readsBody: 'form'`. */
  form?: readonly (readonly [name: string, value: string])[];
  /** Comes back with the response, so that a rejection names what was rejected. */
  receipt?: Receipt;
}

/** One send, as the strategy may want to remember it. */
export interface SentAttempt<Receipt = unknown> {
  readonly request: AuthRequest;
  readonly receipt: Receipt | undefined;
}

/** A response as a strategy sees it. Reading it leaves the caller's own body whole and unread. */
export interface AuthResponse {
  /** HTTP status; 0 where a browser hides the response. */
  readonly status: number;
  /** URL that answered, without fragment; empty where the client does not tell. May hold what the strategy put into the query: not for logs. */
  readonly url: string;
  /** Header by name, in any case, several values joined by `', '`; `null` where there is none, or a browser does not show it (CORS). */
  readonly headers: { get(name: string): string | null };
  /** The body as UTF-8 text; at most the first 64 KiB, and what comes within 10 seconds. @throws whatever the reading fails with. */
  text(): Promise<string>;
  /** The body as JSON. @throws {SyntaxError} when it is none, or longer than `text()` gives, without quoting it. */
  json(): Promise<unknown>;
}

/** What surrounds one call of a strategy. */
export interface AuthContext {
  /** The caller's own signal: end this caller's wait on it, never work that is shared with others. */
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Reports to the adapter's `onEvent`. */
  emit(event: AuthEvent): void;
}

/** Options of every adapter. */
export interface WithAuthOptions {
  /**
   * Where credentials may go, as origins (`https://api.example.com`): one or more, no wildcards. Default: the axios instance's `baseURL` origin if
   * there is one, else wherever the caller itself addressed the request; never an origin that a redirect chose. Elsewhere the request goes out bare,
   * with an event.
   */
  readonly origins?: string | readonly string[] | undefined;
  /** Lets credentials travel over plain `http:` to the origins named in `origins`. Default `false`: https and loopback only. */
  readonly allowInsecureHttp?: boolean | undefined;
  /** Sends of one hop, the first included. Default 2. With 1 a rejection is still recovered from, for the next call, but not replayed. */
  readonly maxAttempts?: number | undefined;
  /** Limit of each wait for credentials, in milliseconds; `AuthError` with code `AUTH_TIMEOUT` past it. Default: none but the strategy's own. */
  readonly timeoutMs?: number | undefined;
  /** Sees what happens: bare requests, rejections, refreshes. Tokens never show. What it throws is reported as a warning, and nothing else. */
  readonly onEvent?: ((event: AuthEvent) => void) | undefined;
  /**
   * Browsers follow redirects out of sight and forward custom headers to any origin. By default a request whose credential the browser would not
   * strip fails on a redirect; `true` lets the browser follow, and leak.
   */
  readonly unsafeAllowHiddenRedirects?: boolean | undefined;
}
