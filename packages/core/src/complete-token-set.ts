import { ConfigurationError } from './auth-error.ts';
import { isTokenSet, type TokenSet } from './token-set.ts';

/** What `fetchToken` answered, checked; a missing refresh token keeps the old one (RFC 6749 §6). */
export function completeTokenSet(fetched: TokenSet, current: TokenSet | undefined, nowMs: number, strategy: string): TokenSet {
  if (!isTokenSet(fetched)) {
    const message = `${strategy}: \`fetchToken\` must return a token set: an \`accessToken\` that a header can hold, \`expiresAtMs\` a number or left out.`;
    throw new ConfigurationError(message, { option: 'fetchToken', strategy });
  }
  const refreshToken = fetched.refreshToken ?? current?.refreshToken;
  // JSON, and so most stores, would make it `null`.
  const { expiresAtMs, ...rest } = fetched;
  const expiry = Number.isFinite(expiresAtMs) ? { expiresAtMs: expiresAtMs as number } : {};
  return Object.freeze({
    ...rest,
    ...expiry,
    receivedAtMs: fetched.receivedAtMs ?? nowMs,
    ...(refreshToken !== undefined && { refreshToken }),
  });
}
