import type { AuthPatch, AuthStrategy } from '../auth-strategy.ts';

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
