import { type AuthError, type Awaitable, ConfigurationError, checkKnownKeys } from '@authseam/core';
import type { AuthorizationCode } from '../authorization-code.ts';
import type { AuthorizationUrlOptions } from '../authorization-url.ts';
import { checkSubjectOption } from '../subject.ts';
import type { CallbackMessages } from './callback-page.ts';

/** What `login` needs of the strategy: `authorizationCode` answers it. */
export type LoginAuth = Pick<AuthorizationCode, 'name' | 'redirectUri' | 'createAuthorizationUrl' | 'handleCallback'>;

/** Options of `login`. */
export interface LoginOptions {
  /**
   * Is given the authorization URL, to print it: over SSH, in a container and where no browser opens it is the only way to sign in. Default: nobody
   * is, and then a browser that does not open ends the login. May be asynchronous: a browser opens once it is done. When it fails, the login does.
   */
  readonly onUrl?: ((url: string) => Awaitable<unknown>) | undefined;
  /** Opens the URL in the system's browser; `false` leaves that to the person. Default: the `open` package, which is loaded when it is needed. */
  readonly open?: ((url: string) => Awaitable<unknown>) | false | undefined;
  /** What happens meanwhile. It is not waited for, and what it throws or rejects with is a process warning and no more. */
  readonly onEvent?: ((event: LoginEvent) => Awaitable<unknown>) | undefined;
  /** What to ask the person for: more scope, a `prompt`, a `loginHint`. What an `InteractionRequiredError` says under `authorization` fits. */
  readonly authorization?: Omit<AuthorizationUrlOptions, 'redirectUri' | 'signal'> | undefined;
  /** Who signs in, by your own name for them. Left out: the strategy's default subject. */
  readonly subject?: string;
  /**
   * Host of the callback. `'localhost'` listens on 127.0.0.1 too: it is for servers that take no other name. Default: that of the strategy's
   * `redirectUri`.
   */
  readonly host?: '127.0.0.1' | '[::1]' | 'localhost' | undefined;
  /** Port of the callback, for servers that compare it although RFC 8252 §7.3 says that they must not. Default 0: one that is free. */
  readonly port?: number | undefined;
  /** Path of the callback, with its slash. Default: that of the strategy's `redirectUri`. */
  readonly path?: string | undefined;
  /** How long to wait for the person, in milliseconds. Default 300 000, five minutes. */
  readonly timeoutMs?: number | undefined;
  /** Ends the login; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** What the page in the browser says, each as plain text. Default: English. */
  readonly messages?: CallbackMessages | undefined;
}

/** What `login` reports to `onEvent`. A closed union: switch on `type`. Never a URL, a code or a token. */
export type LoginEvent =
  /** The port is open, and the person is waited for. */
  | { readonly type: 'waiting'; readonly port: number }
  /** No browser opened. The login goes on where `onUrl` has the URL. */
  | { readonly type: 'browser-failed'; readonly error: AuthError }
  /** A request that is not the callback was refused with `status`, and the wait goes on. */
  | { readonly type: 'request-refused'; readonly status: number; readonly reason: RefusalReason }
  /** The callback came; the code is exchanged now. */
  | { readonly type: 'callback-received' };

/**
 * What was wrong with a request. `'host'`: it was addressed to another name, as in DNS rebinding; `'two-hosts'`: to two of them. `'state'`: it belongs to
 * another sign-in.
 */
export type RefusalReason = 'host' | 'two-hosts' | 'path' | 'method' | 'prefetch' | 'content-type' | 'too-large' | 'state';

/** Every option, for whoever misspells one. */
const OPTIONS: readonly string[] = [
  ...['onUrl', 'open', 'onEvent', 'authorization', 'subject', 'host', 'port', 'path', 'timeoutMs', 'signal', 'messages'],
];

/** @throws {ConfigurationError} before anything is done. */
export function checkLoginOptions(options: LoginOptions, strategy: string): void {
  const check = (option: keyof LoginOptions, isFit: boolean, must: string): void => {
    if (!isFit) throw new ConfigurationError(`${strategy}: \`${option}\` must be ${must}.`, { option, strategy });
  };
  checkKnownKeys(options, OPTIONS, { strategy });
  checkSubjectOption(options, strategy);
  const { onUrl, open, onEvent, host, port = 0, path, timeoutMs = 1 } = options;
  const isCallable = (value: unknown): boolean => value === undefined || typeof value === 'function';
  check('onUrl', isCallable(onUrl), 'a function');
  check('onEvent', isCallable(onEvent), 'a function');
  check('open', open === false || isCallable(open), 'a function, or false');
  check('onUrl', open !== false || onUrl !== undefined, 'given where `open` is false: how else would anybody find the page');
  check('host', host === undefined || isLoopbackHost(host), "'127.0.0.1', '[::1]' or 'localhost'");
  check('port', Number.isInteger(port) && port >= 0 && port <= 65_535, 'a whole number from 0 to 65535');
  check('path', path === undefined || (typeof path === 'string' && isPath(path)), 'a path as a URL has it, without query and fragment');
  check('timeoutMs', Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31, 'a whole number of milliseconds, up to 24 days');
}

/** The names under which a receiver can be reached, and no other machine (RFC 8252 §7.3, §8.3). */
export function isLoopbackHost(host: unknown): boolean {
  return host === '127.0.0.1' || host === '[::1]' || host === 'localhost';
}

/** Whether a URL parser would leave `path` as it is. */
function isPath(path: string): boolean {
  return (
    URL.canParse(`http://localhost${path}`) &&
    new URL(`http://localhost${path}`).href === `http://localhost${path}` &&
    path.startsWith('/') &&
    !/[?#]/.test(path)
  );
}
