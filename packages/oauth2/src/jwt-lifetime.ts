// RFC 7519 §4.1.4: the expiration time of a JWT.

/**
 * For how many seconds `token` lives, if it is a JWT that says so; never throws. Counted from its `iat` where it has one, so that a server's clock that
 * is off does not matter. The signature is not checked: nothing but the time of the next refresh comes from here.
 */
export function jwtLifetimeSeconds(token: string, nowMs: number): number | undefined {
  const [, payload, signature] = token.split('.');
  if (!payload || signature === undefined) return undefined;
  try {
    const { exp, iat = nowMs / 1000 } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
    const seconds = typeof exp === 'number' && typeof iat === 'number' ? exp - iat : 0;
    return seconds > 0 ? seconds : undefined;
  } catch {
    return undefined; // an opaque token that happens to hold dots
  }
}
