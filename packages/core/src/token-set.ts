/** The tokens of one grant (RFC 6749 §5.1). Plain JSON, so that any store can keep it. Treat it as read-only. */
export interface TokenSet {
  readonly accessToken: string;
  /** As the server wrote it; compares without case. */
  readonly tokenType: string;
  readonly refreshToken?: string;
  /** Milliseconds since the epoch, on the clock of who received it. Absent: it does not expire. Equal to `receivedAtMs`: good for one use. */
  readonly expiresAtMs?: number;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs?: number;
  /** What was granted, space-separated. */
  readonly scope?: string;
  readonly idToken?: string;
}

/** Whether `value` is a token set that can be sent: whoever made it, a server, a store or a function. */
export function isTokenSet(value: unknown): value is TokenSet {
  const { accessToken, expiresAtMs, refreshToken } = (value ?? {}) as Partial<TokenSet>;
  const isSendable = typeof accessToken === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(accessToken);
  const isTime = expiresAtMs === undefined || (typeof expiresAtMs === 'number' && !Number.isNaN(expiresAtMs));
  return isSendable && isTime && (refreshToken === undefined || typeof refreshToken === 'string');
}
