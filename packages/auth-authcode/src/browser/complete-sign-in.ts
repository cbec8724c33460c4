import type { TokenSet } from '@authseam/core';
import type { AuthorizationCode } from '../authorization-code.ts';
import { AuthorizationError } from '../authorization-error.ts';
import type { CallbackOptions } from '../handle-callback.ts';
import { queryWithout } from '../query-without.ts';
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

/** The callback of each strategy that is being handled now. */
const underWay = new WeakMap<object, { readonly state: string; readonly result: Promise<CompletedSignIn> }>();

/**
 * Handles the callback that the page was loaded with, if it was: call it on each load of the page at `redirectUri`, before anything else.
 *
 * `code`, `state` and what else belongs to the callback are taken out of the URL at once, so that no reload, link, bookmark or Referer carries them
 * on; other parameters and the fragment stay. The transaction is used up, whatever comes of it.
 *
 * Concurrency: calls that come while a callback is being handled get its result (React's StrictMode calls everything twice).
 *
 * @returns `undefined` when the URL holds no callback: without `state` a `code` or an `error` is one on the page of `redirectUri` only.
 * @throws {AuthorizationError} when this tab began no such sign-in, or the person or the server said no. {ConfigurationError} when the storage is
 * blocked. And all that `handleCallback` throws.
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
  const url = new URL(options.url ?? globalThis.location.href);
  const state = stateOf(url, auth.redirectUri);
  const current = underWay.get(auth);
  if (current && (state === undefined || state === current.state)) return current.result;
  if (state === undefined) return undefined;
  const result = complete(auth, url, state, options).finally(() => underWay.delete(auth));
  underWay.set(auth, { state, result });
  return result;
}

async function complete(
  auth: Pick<AuthorizationCode, 'handleCallback'>,
  url: URL,
  state: string,
  { url: _, storage, history = globalThis.history, ...options }: CompleteSignInOptions,
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
  const strategy = 'authorizationCode';
  const message = `${strategy}: this tab began no such sign-in, or has finished it: it was begun in another tab or browser, elsewhere altogether, or without \`state\`. Nothing was exchanged; start over with signIn.`;
  return new AuthorizationError(message, { code: 'CALLBACK_REJECTED', strategy });
}
