import type { AuthorizationCode } from '../authorization-code.ts';
import type { AuthorizationUrlOptions } from '../authorization-url.ts';
import { ownPage } from './own-page.ts';
import { keepSignIn, type SignInStorage } from './pending-sign-in.ts';

/** Options of {@link signIn}. What an `InteractionRequiredError` says under `authorization` fits. */
export interface SignInOptions extends Omit<AuthorizationUrlOptions, 'responseMode'> {
  /** Where the person was, for {@link completeSignIn} to answer: a page of this origin, or a path. Default: the page as it is now. */
  readonly returnTo?: string | undefined;
  /** Where the transaction is kept meanwhile. Default `sessionStorage`: this tab's, and gone with it. */
  readonly storage?: SignInStorage | undefined;
  /** Goes there. Default `location.assign`. */
  readonly assign?: ((url: string) => void) | undefined;
}

/**
 * Sends the person off to sign in. The server sends them back to `redirectUri`, a page that calls {@link completeSignIn}.
 *
 * Concurrency: every sign-in has a transaction of its own. Tabs, and clicks, do not disturb each other.
 *
 * @returns Once the browser has been told to leave: a page that the back button brings to life again goes on from here.
 * @throws {ConfigurationError} for a `returnTo` of another origin, a storage that is blocked or full, and all that `createAuthorizationUrl` refuses.
 * @see RFC 6749 §4.1.1, RFC 7636, RFC 10017
 * @example
 * ```ts
 * import { authorizationCode } from '@authseam/auth-authcode';
 * import { signIn } from '@authseam/auth-authcode/browser';
 *
 * const redirectUri = 'https://app.example.com/callback';
 * const auth = authorizationCode({ issuer: 'https://login.example.com', clientId: 'my-page', clientAuthentication: 'none', redirectUri });
 * export const onClick = () => signIn(auth);
 * ```
 */
export async function signIn(auth: Pick<AuthorizationCode, 'createAuthorizationUrl'>, options: SignInOptions = {}): Promise<void> {
  const { returnTo, storage, assign = (url) => globalThis.location.assign(url), ...request } = options;
  const page = globalThis.location.href;
  const target = ownPage(returnTo ?? page, page);
  const { url, transaction } = await auth.createAuthorizationUrl(request);
  keepSignIn(storage, { transaction, returnTo: target, startedAtMs: Date.now() });
  assign(url);
}
