import { checkKnownKeys, type TokenSet, waitFor } from '@authseam/core';
import type { AuthorizationCode } from '../authorization-code.ts';
import { AuthorizationError } from '../authorization-error.ts';
import type { CallbackOptions } from '../handle-callback.ts';
import { queryWithout } from '../query-without.ts';
import { checkSubjectOption } from '../subject.ts';
import { ownPage } from './own-page.ts';
import { type SignInStorage, takeSignIn } from './pending-sign-in.ts';

/** Options of {@link completeSignIn}. */
export interface CompleteSignInOptions extends CallbackOptions {
  /** The page's URL. Default `location.href`. */
  readonly url?: string | undefined;
  /** What {@link signIn} was given. Default `sessionStorage`. */
  readonly storage?: SignInStorage | undefined;
  /** Takes the cleaned URL. Default: the page's own. */
  readonly history?: PageHistory | undefined;
  /** Ends this caller's wait, with its reason. A sign-in that has begun goes on: others may wait for it, and its code works once. */
  readonly signal?: AbortSignal | undefined;
}

/** What is needed of a page's `history`. */
export interface PageHistory {
  readonly state: unknown;
  replaceState(state: unknown, unused: string, url: string): void;
}

/** Somebody has signed in. */
export interface CompletedSignIn {
  readonly tokens: TokenSet;
  /** What {@link signIn} was given: an absolute URL of this origin. Nobody has gone there yet. */
  readonly returnTo: string;
}

/** The callbacks of each strategy that are being handled now, by their states, in the order in which they came. */
const underWay = new WeakMap<object, Map<string, Promise<CompletedSignIn>>>();

const OPTIONS: readonly string[] = ['url', 'storage', 'history', 'subject', 'signal'];
const STRATEGY = 'authorizationCode';

/**
 * Handles the callback that the page was loaded with, if it was: call it on each load of the page at `redirectUri`, before anything else.
 *
 * `code`, `state` and what else belongs to the callback are taken out of the URL at once, so that no reload, link, bookmark or Referer carries them
 * on; other parameters and the fragment stay. The transaction is used up, whatever comes of it.
 *
 * Concurrency: calls that come while a callback is being handled get its result, and who leaves by `signal` ends nobody's wait but their own (React's
 * StrictMode calls everything twice, and cleans up in between).
 *
 * @returns `undefined` when the URL holds no callback: without `state` a `code` or an `error` is one on the page of `redirectUri` only.
 * @throws {AuthorizationError} when this tab began no such sign-in, or the person or the server said no. {ConfigurationError} for options that are
 * misused, before anything is done: the callback is still good; and when the storage is blocked, after the URL was cleaned. And all that
 * `handleCallback` throws.
 * @see RFC 6749 §4.1.2, RFC 9207, RFC 9700 §4
 * @example
 * ```ts
 * import { authorizationCode } from '@authseam/auth-authcode';
 * import { completeSignIn } from '@authseam/auth-authcode/browser';
 *
 * const redirectUri = 'https://app.example.com/callback';
 * const auth = authorizationCode({ issuer: 'https://login.example.com', clientId: 'my-page', clientAuthentication: 'none', redirectUri });
 * export async function onLoad() {
 *   const completed = await completeSignIn(auth);
 *   if (completed) history.replaceState(null, '', completed.returnTo);
 * }
 * ```
 */
export async function completeSignIn(
  auth: Pick<AuthorizationCode, 'handleCallback' | 'redirectUri'>,
  options: CompleteSignInOptions = {},
): Promise<CompletedSignIn | undefined> {
  checkKnownKeys(options, OPTIONS, { strategy: STRATEGY });
  if (typeof options.subject !== 'function') checkSubjectOption(options, STRATEGY);
  const { signal } = options;
  signal?.throwIfAborted();
  const url = new URL(options.url ?? globalThis.location.href);
  const state = stateOf(url, auth.redirectUri);
  const current = underWay.get(auth) ?? new Map<string, Promise<CompletedSignIn>>();
  // Whoever comes second finds the URL cleaned.
  const result = state === undefined ? [...current.values()].at(-1) : (current.get(state) ?? begin(state));
  return result && waitFor(result, { signal });

  /** Without anybody's signal: `handleCallback` has time limits of its own. */
  function begin(state: string): Promise<CompletedSignIn> {
    const begun = complete(auth, url, state, options).finally(() => current.delete(state));
    underWay.set(auth, current.set(state, begun));
    return begun;
  }
}

async function complete(
  auth: Pick<AuthorizationCode, 'handleCallback'>,
  url: URL,
  state: string,
  { url: _, signal: __, storage, history = globalThis.history, ...options }: CompleteSignInOptions,
): Promise<CompletedSignIn> {
  history?.replaceState(history.state, '', withoutCallback(url));
  const pending = state ? takeSignIn(storage, state) : undefined;
  if (!pending) throw unknownSignIn();
  const returnTo = ownPage(pending.returnTo, url.href);
  const tokens = await auth.handleCallback(url.href, pending.transaction, options);
  return { tokens, returnTo };
}

/** RFC 6749 §4.1.2: a code or an error, and the state in either case. Empty where it lacks; other pages may have a `code` of their own. */
function stateOf(url: URL, redirectUri: string): string | undefined {
  const { searchParams, origin, pathname } = url;
  if (!searchParams.has('code') && !searchParams.has('error')) return undefined;
  const callback = new URL(redirectUri);
  return searchParams.get('state') ?? (origin === callback.origin && pathname === callback.pathname ? '' : undefined);
}

/** RFC 6749 §4.1.2, RFC 9207 §2, OpenID Connect Session Management 1.0 §2. */
const CALLBACK_PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'session_state'];

/** Without the parameters of the callback; all others keep their spelling. */
function withoutCallback(url: URL): string {
  const rest = new URL(url);
  rest.search = queryWithout(url, CALLBACK_PARAMETERS);
  return rest.href;
}

function unknownSignIn(): AuthorizationError {
  const message = `${STRATEGY}: this tab began no such sign-in, or has finished it: it was begun in another tab or browser, elsewhere altogether, or without \`state\`. Nothing was exchanged; start over with signIn.`;
  return new AuthorizationError(message, { code: 'CALLBACK_REJECTED', strategy: STRATEGY });
}
