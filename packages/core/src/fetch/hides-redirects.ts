/**
 * Whether this runtime's fetch hides redirects: browsers answer `redirect: 'manual'` with an opaque response, and React Native follows in any case.
 * Asked for by user agent: browsers, and what imitates them in tests, where a redirect that shows after all is followed like anywhere else.
 */
export function hidesRedirects(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string; product?: string } };
  return navigator?.product === 'ReactNative' || /^Mozilla\//.test(navigator?.userAgent ?? '');
}
