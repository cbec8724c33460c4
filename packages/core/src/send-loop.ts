import { checkPatch, findConflict } from './apply-patch.ts';
import { AuthError, ConfigurationError, isAuthError, UnsafeDestinationError } from './auth-error.ts';
import type { AuthEvent } from './auth-event.ts';
import type { AuthContext, AuthPatch, AuthRequest, AuthResponse, AuthStrategy, Awaitable, WithAuthOptions } from './auth-strategy.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { createOriginPolicy } from './origin-policy.ts';
import { redactedCause } from './redact.ts';
import type { Redirection } from './redirect.ts';
import { authTimeout, waitFor } from './wait-for.ts';

/** One call of one client, as the loop drives it. An adapter implements it; it holds the hop that the call has come to. */
export interface ClientCall<Response> {
  /** The hop's URL. Absolute where the client takes no other. */
  readonly url: string;
  /** Origin that stands in for `origins` where none are given. */
  readonly home?: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Makes the body readable as `readsBody` asks. Called before the first attempt, not at all for `'none'`. @throws {ConfigurationError} */
  prepare(readsBody: 'form' | 'bytes'): Awaitable<void>;
  /** The hop as the strategy sees it; a new object for each attempt. */
  request(attempt: number): AuthRequest;
  /** Sends the hop with `patch` and without following redirects, where the runtime lets it. */
  send(patch: AuthPatch, attempt: number): PromiseLike<Response>;
  /** Sends the hop, and follows redirects, as the client would without us. */
  sendBare(): PromiseLike<Response>;
  statusOf(response: Response): number;
  view(response: Response): AuthResponse;
  /** Whether the client itself followed a redirect to another origin, where our credential did not arrive. */
  hasLeft(response: Response): boolean;
  /** Frees the connection of a response that nobody gets. */
  discard(response: Response): void;
  /** Where the response leads, if the caller wants redirects followed. @throws {AuthError} past the client's limit, or where redirects are hidden. */
  redirection(response: Response, patch: AuthPatch): Redirection | undefined;
  /** Moves on to the next hop. @throws {AuthError} when its body is gone. */
  follow(redirection: Redirection): void;
}

/** Sends one call with the strategy's credentials. Rejects with the caller's abort reason, the client's own error, or an {@link AuthError}. */
export type SendLoop = <Response>(call: ClientCall<Response>) => Promise<Response>;

/**
 * The loop of every adapter: authorize, send, and, rejected once, recover, authorize, send; hop by hop along redirects. With a valid credential at
 * hand nothing asynchronous happens before the client's own send, and one continuation after it.
 *
 * @throws {ConfigurationError} for options that contradict each other, or something that is no strategy.
 */
export function createSendLoop(strategy: AuthStrategy, options: WithAuthOptions): SendLoop {
  checkStrategy(strategy);
  const { maxAttempts = 2, timeoutMs, onEvent } = checkOptions(options);
  const { name, readsBody = 'none' } = strategy;
  const policy = createOriginPolicy(strategy, options);
  const emit = onEvent ? emitTo(onEvent) : () => {};
  const lasting: AuthContext = Object.freeze({ now: Date.now, emit });
  let checkedPatch: AuthPatch | undefined;

  function run<Response>(call: ClientCall<Response>): Promise<Response> {
    try {
      const { signal } = call;
      if (signal?.aborted) return Promise.reject(signal.reason);
      const refusal = policy.refusal(call.url, call.home);
      if (refusal) {
        emit({ type: 'request-bare', strategy: name, origin: originOf(call.url), reason: refusal });
        return Promise.resolve(call.sendBare());
      }
      const context = signal ? { ...lasting, signal } : lasting;
      const prepared = readsBody === 'none' ? undefined : call.prepare(readsBody);
      if (!prepared) return authorize(call, context, 1);
      return wait(prepared, context).then(() => authorize(call, context, 1), rethrow(context));
    } catch (error) {
      return Promise.reject(typed(error, lasting));
    }
  }

  function authorize<Response>(call: ClientCall<Response>, context: AuthContext, attempt: number): Promise<Response> {
    try {
      const request = call.request(attempt);
      const patch = strategy.authorize(request, context);
      if (!isPromiseLike(patch)) return dispatch(call, context, request, patch);
      return wait(patch, context).then((late) => dispatch(call, context, request, late), rethrow(context));
    } catch (error) {
      return Promise.reject(typed(error, context));
    }
  }

  function dispatch<Response>(call: ClientCall<Response>, context: AuthContext, request: AuthRequest, patch: AuthPatch): Promise<Response> {
    // Strategies that send the same patch again and again have it checked once.
    if (patch !== checkedPatch) {
      checkPatch(patch, name);
      checkedPatch = patch;
    }
    if (isEmpty(patch)) return Promise.resolve(call.sendBare());
    const conflict = findConflict(request, patch);
    if (conflict) {
      emit({ type: 'credential-conflict', strategy: name, ...conflict });
      return Promise.resolve(call.sendBare());
    }
    return call.send(patch, request.attempt).then((response) => {
      const status = call.statusOf(response);
      if (strategy.observe && !call.hasLeft(response)) strategy.observe(call.view(response), { request, receipt: patch.receipt });
      return status >= 200 && status < 300 ? response : afterwards(call, context, request, patch, response);
    }) as Promise<Response>;
  }

  /** What is left to do after a response that is no success: follow it, recover from it, or hand it over. */
  async function afterwards<Response>(
    call: ClientCall<Response>,
    context: AuthContext,
    request: AuthRequest,
    patch: AuthPatch,
    response: Response,
  ): Promise<Response> {
    const next = call.redirection(response, patch);
    if (next) {
      call.discard(response);
      return followed(call, context, next);
    }
    const { attempt } = request;
    if (!(await isRejected(call, context, request, patch, response))) return response;
    const status = call.statusOf(response);
    emit({ type: 'rejected', strategy: name, status, attempt });
    if (!strategy.recover || (attempt > 1 && attempt >= maxAttempts)) return response;
    try {
      const sent = { request, receipt: patch.receipt };
      if (!(await wait(Promise.resolve(strategy.recover(call.view(response), sent, context)), context))) return response;
    } catch (error) {
      call.discard(response);
      throw typed(error, context);
    }
    if (attempt >= maxAttempts || !request.replayable) {
      const reason = request.replayable ? 'max-attempts' : 'body-not-replayable';
      emit({ type: 'replay-skipped', strategy: name, reason });
      return response;
    }
    call.discard(response);
    return authorize(call, context, attempt + 1);
  }

  function followed<Response>(call: ClientCall<Response>, context: AuthContext, next: Redirection): Promise<Response> {
    const { origin, href } = next.url;
    if (next.isDowngrade && !policy.isNamed(next.url)) {
      const message = `${name}: a redirect from https to ${origin} was not followed. Name that origin in \`origins\` if it is meant.`;
      throw new UnsafeDestinationError(message, { origin, strategy: name });
    }
    call.follow(next);
    const refusal = next.crossOrigin && !policy.isNamed(next.url) ? 'redirect' : policy.refusal(href, call.home);
    if (!refusal) return authorize(call, context, 1);
    emit({ type: 'request-bare', strategy: name, origin, reason: refusal });
    return Promise.resolve(call.sendBare());
  }

  async function isRejected<Response>(
    call: ClientCall<Response>,
    context: AuthContext,
    request: AuthRequest,
    { receipt }: AuthPatch,
    response: Response,
  ): Promise<boolean> {
    const status = call.statusOf(response);
    if (status < 400 || call.hasLeft(response)) return false;
    if (status === 401 || !strategy.isRejected) return status === 401;
    try {
      return await wait(Promise.resolve(strategy.isRejected(call.view(response), { request, receipt })), context);
    } catch (error) {
      if (context.signal?.aborted) {
        call.discard(response);
        throw error;
      }
      emit({ type: 'rejection-check-failed', strategy: name, status });
      return false;
    }
  }

  function wait<T>(work: PromiseLike<T>, { signal }: AuthContext): Promise<T> {
    return waitFor(work, { signal, timeoutMs, timeoutError: () => authTimeout(name, timeoutMs ?? 0) });
  }

  /** What the strategy threw, as the caller gets it: the caller's own abort and our errors as they are, foreign ones typed. */
  function typed(error: unknown, { signal }: AuthContext): unknown {
    if (isAuthError(error) || (signal?.aborted && error === signal.reason)) return error;
    const cause = redactedCause(error);
    const message = `${name}: no credentials for this request${cause?.message ? `: ${cause.message}` : ''}. Nothing more was sent.`;
    return new AuthError(message, { code: 'STRATEGY_FAILED', strategy: name, cause });
  }

  function rethrow(context: AuthContext): (error: unknown) => never {
    return (error) => {
      throw typed(error, context);
    };
  }

  return run;
}

function isEmpty({ headers, query, cookies, form }: AuthPatch): boolean {
  for (const _ in headers) return false;
  for (const _ in cookies) return false;
  return !query?.length && !form?.length;
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'null';
}

/** A listener cannot break what it listens to: what it throws is reported as EventTarget reports it, as an uncaught exception. */
function emitTo(onEvent: (event: AuthEvent) => void): (event: AuthEvent) => void {
  return (event) => {
    try {
      onEvent(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

function checkStrategy(strategy: unknown): void {
  const { authorize, specVersion } = (strategy ?? {}) as Partial<AuthStrategy>;
  if (typeof authorize !== 'function' || specVersion !== 1) {
    const message = 'Expected an AuthStrategy with `specVersion` 1, such as apiKey({ key }) or clientCredentials({ … }).';
    throw new ConfigurationError(message, { option: 'strategy' });
  }
}

function checkOptions(options: WithAuthOptions): WithAuthOptions {
  const { maxAttempts = 2, timeoutMs } = options;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1) {
    throw new ConfigurationError('`maxAttempts` counts the sends of one hop: a whole number from 1.', { option: 'maxAttempts' });
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new ConfigurationError('`timeoutMs` is a number of milliseconds above 0.', { option: 'timeoutMs' });
  }
  return options;
}
