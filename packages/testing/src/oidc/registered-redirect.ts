// RFC 8252 §7.3, RFC 9700 §4.1.3.

/** Whether a redirect URI is registered: exactly, or but for the port of http on a loopback address. Without a list any URI is. */
export function isRegisteredRedirect(redirectUri: string, registered: readonly string[] | undefined): boolean {
  if (!URL.canParse(redirectUri)) return false;
  if (registered === undefined) return true;
  return registered.some((known) => withoutLoopbackPort(known) === withoutLoopbackPort(redirectUri));
}

function withoutLoopbackPort(uri: string): string {
  return uri.replace(/^(http:\/\/(?:127\.0\.0\.1|\[::1\])):\d{1,5}/, '$1');
}
