import { afterwards } from './aftermath.ts';
import { checkPatch, findConflict, isEmptyPatch } from './apply-patch.ts';
import { AuthError, ConfigurationError, isAuthError } from './auth-error.ts';
import type {
  AuthContext,
  AuthPatch,
  AuthRequest,
  AuthResponse,
  AuthStrategy,
  Awaitable,
  SentAttempt,
  WithAuthOptions,
} from './auth-strategy.ts';
import { checkKnownKeys } from './check-known-keys.ts';
import { checkStrategy } from './check-strategy.ts';
import { foreignCause } from './foreign-cause.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { createOriginPolicy, type OriginPolicy } from './origin-policy.ts';
import type { Redirection } from './redirect.ts';
import { waitFor } from './wait-for.ts';
import { report, withoutErrors } from './without-errors.ts';

/** One hop of one call of one client, as the loop drives it. An adapter implements it. */
export interface ClientCall<Response> {
  /** Absolute where the client takes no other. */
  readonly url: string;
  /** Origin that stands in for `origins` where none are given. */
  readonly home?: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** The client's own limit of the call, as much as is left of it: waits for the strategy count against it, and its error is the client's. */
  limit?(): ClientLimit | undefined;
  /** Called before each wait for the strategy: takes a copy, once, of what the caller could still change. */
  hold?(): void;
  /** Called before the first attempt: makes the body readable as `readsBody` asks, and knows then whether it can be sent twice. */
  prepare?(readsBody: 'none' | 'form' | 'bytes'): Awaitable<void> | undefined;
  /** The hop as the strategy sees it; a new object for each attempt. */
  request(attempt: number): AuthRequest;
  /** Sends the hop with `patch` and without following redirects, where the runtime lets it. */
  send(patch: AuthPatch, attempt: number): PromiseLike<Response>;
  /** Sends the hop, and follows redirects, as the client would without us. */
  sendBare(attempt?: number): PromiseLike<Response>;
  statusOf(response: Response): number;
  view(response: Response): AuthResponse;
  /** Whether the client itself followed a redirect to another origin, where our credential did not arrive. */
  hasLeft?(response: Response): boolean;
  /** Frees the connection of a response that nobody gets. */
  discard(response: Response): void;
  /** The next hop, if the response redirects and the caller wants that followed. @throws {AuthError} when it cannot be taken. */
  next(response: Response, patch: AuthPatch): Awaitable<NextHop<Response> | undefined>;
}

/** How long a client lets a call take, and what it throws then. */
export interface ClientLimit {
  /** Milliseconds from now. */
  readonly timeoutMs: number;
  timeoutError(): Error;
}

/** Where a redirect leads. */
export interface NextHop<Response> {
  readonly redirection: Redirection;
  readonly call: ClientCall<Response>;
}

/** Sends one call with the strategy's credentials. Rejects with the caller's abort reason, the client's own error, or an {@link AuthError}. */
export type SendLoop = <Response>(call: ClientCall<Response>) => Promise<Response>;

/** One strategy with one adapter's options: what both halves of the loop share. */
export interface Lane {
  readonly strategy: AuthStrategy;
  readonly policy: OriginPolicy;
  readonly maxAttempts: number;
  readonly base: AuthContext;
  authorize<Response>(call: ClientCall<Response>, context: AuthContext, attempt: number): Promise<Response>;
  /**
   * Waits for the strategy as long as the caller's signal, `timeoutMs` and the client itself let it. What the strategy throws is typed: the caller's
   * own abort and our errors stay as they are, foreign ones become an `AuthError`.
   */
  wait<Response, T>(call: ClientCall<Response>, work: () => Awaitable<T>, context: AuthContext): Promise<T>;
}

/**
 * The loop of every adapter: authorize, send, and, rejected once, recover, authorize, send; hop by hop along redirects. With a valid credential at
 * hand nothing asynchronous happens before the client's own send, and one continuation after it. What follows a response that is no success stands
 * in `aftermath.ts`.
 *
 * @throws {ConfigurationError} for options that contradict each other, or something that is no strategy.
 */
export function createSendLoop(strategy: AuthStrategy, options: WithAuthOptions): SendLoop {
  checkStrategy(strategy);
  checkOptions(options);
  const loop = new Loop(strategy, options);
  return (call) => loop.run(call);
}

/** A class rather than closures: applications have thousands of clients, and a closure for each step would weigh more than all they hold. */
class Loop implements Lane {
  readonly strategy: AuthStrategy;
  readonly policy: OriginPolicy;
  readonly maxAttempts: number;
  readonly base: AuthContext;
  readonly #timeoutMs: number | undefined;
  #checkedPatch: AuthPatch | undefined;

  constructor(strategy: AuthStrategy, options: WithAuthOptions) {
    const { maxAttempts = 2, timeoutMs, onEvent } = options;
    this.strategy = strategy;
    this.policy = createOriginPolicy(strategy, options);
    this.maxAttempts = maxAttempts;
    this.base = onEvent ? { now, emit: withoutErrors(onEvent) } : unobserved;
    this.#timeoutMs = timeoutMs;
  }

  run<Response>(call: ClientCall<Response>): Promise<Response> {
    const { strategy, policy, base } = this;
    try {
      const { url, home, signal } = call;
      if (signal?.aborted) return Promise.reject(signal.reason);
      const reason = policy.refusal(url, home);
      if (reason) {
        base.emit({ type: 'request-bare', strategy: strategy.name, origin: URL.canParse(url) ? new URL(url).origin : 'null', reason });
        return Promise.resolve(call.sendBare());
      }
      const context = signal ? { ...base, signal } : base;
      const prepared = call.prepare?.(strategy.readsBody ?? 'none');
      if (!prepared) return this.authorize(call, context, 1);
      call.hold?.();
      return this.wait(call, () => prepared, context).then(() => this.authorize(call, context, 1));
    } catch (error) {
      return Promise.reject(this.#typed(error, base));
    }
  }

  authorize<Response>(call: ClientCall<Response>, context: AuthContext, attempt: number): Promise<Response> {
    let request: AuthRequest;
    let patch: Awaitable<AuthPatch>;
    try {
      request = call.request(attempt);
      patch = this.strategy.authorize(request, context);
    } catch (error) {
      return Promise.reject(this.#typed(error, context));
    }
    if (isPromiseLike(patch)) {
      call.hold?.();
      const late = patch;
      return this.wait(call, () => late, context).then((ready) => this.#dispatch(call, context, request, ready));
    }
    try {
      return this.#dispatch(call, context, request, patch);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #dispatch<Response>(call: ClientCall<Response>, context: AuthContext, request: AuthRequest, patch: AuthPatch): Promise<Response> {
    const { strategy } = this;
    // Strategies that send the same patch again and again have it checked once.
    if (patch !== this.#checkedPatch) {
      checkPatch(patch, strategy.name);
      if (isEmptyPatch(patch)) return Promise.resolve(call.sendBare(request.attempt));
      this.#checkedPatch = patch;
    }
    const conflict = findConflict(request, patch);
    if (conflict) {
      context.emit({ type: 'credential-conflict', strategy: strategy.name, ...conflict });
      return Promise.resolve(call.sendBare(request.attempt));
    }
    return Promise.resolve(call.send(patch, request.attempt)).then((response) => {
      const status = call.statusOf(response);
      if (strategy.observe && !call.hasLeft?.(response)) observe(strategy, call.view(response), { request, receipt: patch.receipt });
      return status >= 200 && status < 300 ? response : afterwards(this, call, context, { request, patch, response, status });
    });
  }

  wait<Response, T>(call: ClientCall<Response>, work: () => Awaitable<T>, context: AuthContext): Promise<T> {
    const timeoutMs = this.#timeoutMs;
    const typedWork = new Promise<T>((resolve) => resolve(work())).catch((error: unknown) => {
      throw this.#typed(error, context);
    });
    const clients = call.limit?.();
    const isClients = clients && clients.timeoutMs <= (timeoutMs ?? clients.timeoutMs);
    return waitFor(typedWork, {
      signal: context.signal,
      ...(isClients ? clients : { timeoutMs, timeoutError: () => this.#timeoutError() }),
    });
  }

  #timeoutError(): AuthError {
    const { name } = this.strategy;
    const message = `${name}: no credentials within ${this.#timeoutMs} ms (\`timeoutMs\`). A refresh under way goes on for later calls.`;
    return new AuthError(message, { code: 'AUTH_TIMEOUT', strategy: name });
  }

  #typed(error: unknown, { signal }: AuthContext): unknown {
    if (isAuthError(error) || (signal?.aborted && error === signal.reason)) return error;
    const { name } = this.strategy;
    const cause = foreignCause(error);
    return new AuthError(`${name}: no credentials: ${cause?.message ?? 'unknown error'}`, {
      code: 'STRATEGY_FAILED',
      strategy: name,
      cause,
    });
  }
}

function observe(strategy: AuthStrategy, response: AuthResponse, sent: SentAttempt): void {
  try {
    strategy.observe?.(response, sent);
  } catch (error) {
    report(error);
  }
}

const now = (): number => Date.now();

/** The context of all clients whose events nobody wants. */
const unobserved: AuthContext = Object.freeze({ now, emit: () => {} });

function checkOptions(options: WithAuthOptions): void {
  const fail = (option: string, expected: string): never => {
    throw new ConfigurationError(`\`${option}\` must be ${expected}.`, { option });
  };
  checkKnownKeys(options, OPTIONS); // a misspelt `origins` would let credentials go anywhere
  const { maxAttempts = 2, timeoutMs = 1, onEvent } = options;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1) fail('maxAttempts', 'a whole number from 1');
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0)) fail('timeoutMs', 'a number of milliseconds above 0');
  if (onEvent !== undefined && typeof onEvent !== 'function') fail('onEvent', 'a function');
}

const OPTIONS: readonly string[] = [
  'origins',
  'allowInsecureHttp',
  'maxAttempts',
  'timeoutMs',
  'onEvent',
  'unsafeAllowHiddenRedirects',
] satisfies (keyof WithAuthOptions)[];
