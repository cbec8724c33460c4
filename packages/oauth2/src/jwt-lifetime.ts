// RFC 7519 §4.1.4: the expiration time of a JWT.

/**
 * For how many seconds `token` lives, if it is a JWT that says so; never throws. Counted from now, and at most as long as from its `iat`: a token can
 * be handed out long after it was made. Where it would have expired by the local clock, that clock is off, and `iat` alone counts. The signature is not
 * checked: nothing but the time of the next refresh comes from here.
 */
export function jwtLifetimeSeconds(token: string, nowMs: number): number | undefined {
  const [, payload, signature] = token.split('.');
  if (!payload || signature === undefined) return undefined;
  try {
    const nowSeconds = nowMs / 1000;
    const { exp, iat = nowSeconds } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
    if (typeof exp !== 'number' || typeof iat !== 'number' || exp <= iat) return undefined;
    return exp > nowSeconds ? Math.min(exp - iat, exp - nowSeconds) : exp - iat;
  } catch {
    return undefined; // an opaque token that happens to hold dots
  }
}
