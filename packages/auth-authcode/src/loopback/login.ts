// RFC 8252: OAuth 2.0 for native apps, in the system's browser and with a loopback redirect.
import process from 'node:process';
import { AuthError, ConfigurationError, isAuthError, redactedCause, type TokenSet, waitFor } from '@authseam/core';
import type { AuthorizationTransaction } from '../authorization-transaction.ts';
import { checkAuthorizationUrl, openInBrowser } from './authorization-page.ts';
import { type CallbackReceiver, type CallbackReceiverOptions, callbackReceiver } from './callback-receiver.ts';
import { checkLoginOptions, type LoginAuth, type LoginEvent, type LoginOptions } from './login-options.ts';
import { loopbackRedirectUri } from './loopback-redirect-uri.ts';

/** What each `code` that only `login` uses means. */
export type LoginErrorCode =
  /** No browser opened, and there is no `onUrl` that would have shown the URL. */
  'BROWSER_FAILED';

declare module '@authseam/core' {
  interface AuthErrors {
    BROWSER_FAILED: AuthError;
  }
}

/**
 * Signs the person at this machine in: listens on a free port of the loopback interface, opens the system's browser, waits for the callback, exchanges
 * its code and keeps the tokens. Other requests, and callbacks of other sign-ins, are refused and the wait goes on; the first callback with the right
 * `state` settles it. The port is closed when it ends, in whichever way.
 *
 * Concurrency: any number at once, each has a port and a state of its own. `timeoutMs` is for the person: a code that came is exchanged.
 *
 * @param auth What `authorizationCode` answered, with a loopback `redirectUri` ('http://127.0.0.1/callback'), whose port is replaced.
 * @returns The tokens. The strategy and its store have them too, so that most programs need no more than the wait.
 * @throws {ConfigurationError} for options, a redirect URI that is not loopback, a port that is taken, a URL that no browser is sent to.
 * {AuthError} with code `AUTH_TIMEOUT` when nobody came within `timeoutMs`, with `BROWSER_FAILED` when nobody could. What `createAuthorizationUrl` and
 * `handleCallback` throw: an `AuthorizationError` when the person said no. The reason of `signal`.
 * @see RFC 8252
 * @example
 * ```ts
 * import { authorizationCode } from '@authseam/auth-authcode';
 * import { login } from '@authseam/auth-authcode/loopback';
 *
 * const auth = authorizationCode({
 *   issuer: 'https://login.example.com',
 *   clientId: 'my-cli',
 *   clientAuthentication: 'none',
 *   redirectUri: 'http://127.0.0.1/callback',
 * });
 * export const signIn = () => login(auth, { onUrl: (url) => console.error(`Sign in at ${url}`) });
 * ```
 */
export async function login(auth: LoginAuth, options: LoginOptions = {}): Promise<TokenSet> {
  if (typeof auth?.handleCallback !== 'function')
    throw new ConfigurationError('login: `auth` must be what authorizationCode() answered.', { option: 'auth' });
  checkLoginOptions(options, auth.name);
  const { port = 0, messages, timeoutMs = 300_000, subject, signal } = options;
  const given = { ...(subject !== undefined && { subject }), ...(signal && { signal }) };
  const redirectUri = loopbackRedirectUri(auth, options);
  signal?.throwIfAborted();
  const strategy = auth.name;
  const emit = emitterOf(options);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(tooLate(timeoutMs, strategy)), timeoutMs);
  const limited = { ...options, signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal };
  let receiver: CallbackReceiver | undefined;
  try {
    const onRefused: CallbackReceiverOptions['onRefused'] = (status, reason) => emit({ type: 'request-refused', status, reason });
    receiver = await callbackReceiver({ redirectUri, port, messages, strategy, onRefused });
    const { parameters, transaction } = await waitFor(callbackOf(auth, receiver, limited, emit), limited);
    emit({ type: 'callback-received' });
    return await answered(receiver, auth.handleCallback(parameters, transaction, given));
  } finally {
    clearTimeout(timer);
    await receiver?.close();
  }
}

/** Sends the person off, and waits. */
async function callbackOf(
  auth: LoginAuth,
  receiver: CallbackReceiver,
  { authorization, onUrl, open = openInBrowser, signal }: LoginOptions,
  emit: (event: LoginEvent) => void,
): Promise<{ readonly parameters: URLSearchParams; readonly transaction: AuthorizationTransaction }> {
  const redirectUri = receiver.redirectUri.href;
  const { url: given, transaction } = await auth.createAuthorizationUrl({ ...authorization, redirectUri, signal });
  const url = checkAuthorizationUrl(given, auth.name);
  signal?.throwIfAborted(); // no browser opens for nobody
  const callback = receiver.callback(transaction.state);
  emit({ type: 'waiting', port: Number(receiver.redirectUri.port || 80) });
  const shown = onUrl?.(url);
  const opening = Promise.withResolvers<never>();
  let hasCome = false;
  const failed = (cause: unknown): void => {
    if (hasCome || signal?.aborted) return; // a browser that ends badly later on has done its work
    const error = notOpened(redactedCause(cause, [url, transaction.state]), auth.name);
    emit({ type: 'browser-failed', error });
    if (!onUrl) opening.reject(error);
  };
  const sendOff = async (): Promise<void> => {
    await shown;
    if (!open || hasCome || signal?.aborted) return;
    await (async () => open(url))().catch(failed);
  };
  sendOff().catch(opening.reject);
  const parameters = await Promise.race([callback, opening.promise]);
  hasCome = true;
  return { parameters, transaction };
}

/** What became of it, which the page in the browser says too. */
async function answered(receiver: CallbackReceiver, exchange: Promise<TokenSet>): Promise<TokenSet> {
  try {
    const tokens = await exchange;
    receiver.answer('signedIn');
    return tokens;
  } catch (error) {
    receiver.answer(isAuthError(error, 'AUTHORIZATION_REFUSED') ? 'refused' : 'failed');
    throw error;
  }
}

/** Who only looks on cannot break what it looks at. */
function emitterOf({ onEvent }: LoginOptions): (event: LoginEvent) => void {
  const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));
  return (event) => void (async () => onEvent?.(event))().catch(warn);
}

function tooLate(timeoutMs: number, strategy: string): AuthError {
  const message = `${strategy}: nobody signed in within ${timeoutMs / 1_000} s. Call login again, with a longer \`timeoutMs\` perhaps.`;
  return new AuthError(message, { code: 'AUTH_TIMEOUT', strategy });
}

function notOpened(cause: Error | undefined, strategy: string): AuthError {
  const message = `${strategy}: no browser opened. Give \`onUrl\`, and print the URL there for the person to open it.`;
  return new AuthError(message, { code: 'BROWSER_FAILED', strategy, cause });
}
