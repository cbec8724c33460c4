import { ConfigurationError, UnsafeDestinationError } from './auth-error.ts';
import type { AuthPatch, AuthStrategy } from './auth-strategy.ts';

/**
 * Whether this runtime's fetch hides redirects: browsers answer `redirect: 'manual'` with an opaque response, and React Native follows in any case.
 * Told by user agent: browsers, and what imitates them in tests, where a redirect that shows after all is followed like anywhere else.
 */
export function hidesRedirects(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string; product?: string } };
  return navigator?.product === 'ReactNative' || /^Mozilla\//.test(navigator?.userAgent ?? '');
}

/** Whether a browser itself strips all that is secret in `patch` on a redirect to another origin: the Authorization header, nothing else. */
export function isStrippedByPlatform({ headers, query, form }: AuthPatch, { sensitive }: Pick<AuthStrategy, 'sensitive'>): boolean {
  const secret = sensitive?.headers?.map((name) => name.toLowerCase());
  const stays = (name: string): boolean => name === 'authorization' || (sensitive !== undefined && !secret?.includes(name));
  return !query?.length && !form?.length && Object.keys(headers ?? {}).every((name) => stays(name.toLowerCase()));
}

/** What a call fails with where the platform would have taken a credential along a redirect, out of sight. */
export function hiddenRedirect(url: string, strategy: string): UnsafeDestinationError {
  const message = `${strategy}: the server redirects, and this browser would take the credential along unseen. Call the final URL, or see \`unsafeAllowHiddenRedirects\`.`;
  return new UnsafeDestinationError(message, { origin: new URL(url).origin, strategy });
}

/** What a call with a cookie credential fails with in a browser. */
export function noCookiesHere(strategy: string): ConfigurationError {
  return new ConfigurationError(`${strategy}: browsers do not let a page set cookies on a request. Use a header.`, {
    option: 'in',
    strategy,
  });
}
