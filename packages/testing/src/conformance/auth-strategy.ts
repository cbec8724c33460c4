// The contract as the cases know it. It is written down once more on purpose: this package shares no code with what it judges, and works with
// whatever version of `@authseam/core` the subject is built on.

/** A value, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/** A strategy, as `AuthStrategy` of `@authseam/core`. */
export interface AuthStrategy<Receipt = unknown> {
  readonly name: string;
  readonly specVersion: 1;
  readonly readsBody?: 'none' | 'form' | 'bytes';
  readonly sensitive?: { readonly headers?: readonly string[]; readonly query?: readonly string[]; readonly cookies?: readonly string[] };
  authorize(request: AuthRequest, context: AuthContext): Awaitable<AuthPatch<Receipt>>;
  isRejected?(response: AuthResponse, sent: SentAttempt<Receipt>): Awaitable<boolean>;
  recover?(response: AuthResponse, sent: SentAttempt<Receipt>, context: AuthContext): Awaitable<boolean>;
  observe?(response: AuthResponse, sent: SentAttempt<Receipt>): void;
}

/** An outgoing request, as a strategy is shown it. */
export interface AuthRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly body?: Uint8Array | string;
  readonly replayable: boolean;
  readonly attempt: number;
}

/** What a strategy adds to a request. */
export interface AuthPatch<Receipt = unknown> {
  headers?: Record<string, string>;
  query?: readonly (readonly [name: string, value: string])[];
  cookies?: Record<string, string>;
  form?: readonly (readonly [name: string, value: string])[];
  receipt?: Receipt;
}

/** One send, as a strategy sees it again. */
export interface SentAttempt<Receipt = unknown> {
  readonly request: AuthRequest;
  readonly receipt: Receipt | undefined;
}

/** A response, as a strategy is shown it. */
export interface AuthResponse {
  readonly status: number;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/** What surrounds one call of a strategy. */
export interface AuthContext {
  readonly signal?: AbortSignal;
  readonly now: () => number;
  emit(event: AuthEvent): void;
}

/** What an adapter or a strategy reports. */
export interface AuthEvent {
  readonly type: string;
  readonly strategy: string;
}
