import type { AuthEvent, AuthStrategy } from '../auth-strategy.ts';

/** An adapter to be judged, with one client. */
export interface AdapterSubject {
  readonly name: string;
  /**
   * A new client with `strategy` plugged in. What the client is handed for a call (`init`, config, options) should be frozen: an adapter that changes what
   * is the caller's fails then.
   */
  attach(strategy: AuthStrategy, options?: AdapterOptions, settings?: ClientSettings): ClientFunction;
  /** The same client without the adapter: the measure of what is sent and thrown. */
  bare(settings?: ClientSettings): ClientFunction;
  /** What the client itself cannot do, and why: cases that need it are skipped with this reason. */
  readonly cannot?: Readonly<Partial<Record<Ability, string>>>;
}

/**
 * What not every client can do: upload `streams`; answer before the body is there (`earlyAnswers`); follow `redirects`, and tell the `finalUrl`; take
 * query `params` as an object, `nestedParams` with lists and objects, and a `paramsSerializer`; let `hooks` of the user change a request late;
 * `transforms` of bodies; `retries` of its own; a `timeout`; take a URL with a user name without showing the password (`userinfo`).
 */
export type Ability =
  | 'streams'
  | 'earlyAnswers'
  | 'redirects'
  | 'finalUrl'
  | 'params'
  | 'nestedParams'
  | 'paramsSerializer'
  | 'hooks'
  | 'transforms'
  | 'retries'
  | 'timeout'
  | 'userinfo';

/** Options of every adapter, as `WithAuthOptions` of `@authseam/core`. */
export interface AdapterOptions {
  readonly origins?: string | readonly string[];
  readonly allowInsecureHttp?: boolean;
  readonly maxAttempts?: number;
  readonly timeoutMs?: number;
  readonly onEvent?: (event: AuthEvent) => void;
}

/** How a client is set up before its first call. */
export interface ClientSettings {
  /** Its own retries, without a pause, of a 503 and of a broken connection. Default 0. */
  readonly retries?: number;
  /** A hook of the user that changes each request as late as the client lets it. */
  readonly hook?: LateHook;
  /** What the client itself does to bodies. */
  readonly transform?: BodyTransform;
}

/** A change to a request, by a hook that was registered before or after the strategy was attached. */
export interface LateHook {
  readonly registered: 'before' | 'after';
  /** Appended to the query: `'late=1'`. */
  readonly query: string;
  /** Set on the request. */
  readonly header: readonly [name: string, value: string];
  /** Takes the place of the body. */
  readonly body?: string;
}

/** What a client does to each body, once per call. */
export interface BodyTransform {
  request(text: string): string;
  response(text: string): string;
}

/** Sends one request. What is no HTTP answer, a broken connection, an abort or an error of the strategy, rejects as the client rejects. */
export type ClientFunction = (url: string, request?: ClientRequest) => Promise<ClientResponse>;

/** One request, in words that every client knows. */
export interface ClientRequest {
  /** Default `'GET'`. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ClientBody;
  /** Sent as JSON, in place of `body`. */
  readonly json?: unknown;
  /** Query parameters, encoded by the client. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Encodes `params` in the client's place. */
  readonly paramsSerializer?: (params: Readonly<Record<string, unknown>>) => string;
  readonly signal?: AbortSignal;
  /** The client's own limit, in milliseconds. */
  readonly timeoutMs?: number;
  /** Asks for the answer as soon as its headers are there, where the client has to be asked; its body is read after that. */
  readonly early?: boolean;
  /** `false` turns the client's errors for HTTP statuses off. Default: as the client does. */
  readonly throwHttpErrors?: boolean;
  /** Another strategy for this request, or none. */
  readonly authStrategy?: AuthStrategy | false;
}

/** What a client may be given to send. A client that knows no async iterables or web streams is given what it has in their place. */
export type ClientBody =
  | string
  | Uint8Array<ArrayBuffer>
  | ArrayBuffer
  | URLSearchParams
  | FormData
  | Blob
  | ReadableStream<Uint8Array<ArrayBuffer>>
  | AsyncIterable<Uint8Array<ArrayBuffer>>;

/** What came back. */
export interface ClientResponse {
  readonly status: number;
  /** Left out where the client does not tell. */
  readonly url?: string | undefined;
  /** Left out where the client does not tell. */
  readonly redirected?: boolean | undefined;
  readonly text: string;
  /** What the client threw for this status, as it threw it. */
  readonly error?: unknown;
}

/** A skip for what the client cannot do. */
export function needs(...abilities: readonly Ability[]): (subject: AdapterSubject) => string | undefined {
  return ({ cannot = {} }) => abilities.map((ability) => cannot[ability]).find((reason) => reason !== undefined);
}
