import { misuse } from './misuse.ts';

/**
 * What has to be remembered between sending somebody off and the callback: plain JSON. Keep it with that user agent's session (a cookie that only the
 * server reads, sessionStorage), never in a URL: it holds the PKCE code verifier. It is good for one callback.
 */
export interface AuthorizationTransaction {
  /** Ties the callback to this user agent (RFC 6749 §10.12). */
  readonly state: string;
  /** Proves that the code was asked for here (RFC 7636 §4.1). */
  readonly codeVerifier: string;
  readonly redirectUri: string;
  /** The server that the code may be sent to, and no other (RFC 9700 §4.4). */
  readonly issuer: string;
  /** The client that asked. */
  readonly clientId: string;
  /** Ties the ID token to this request; with `openid` only. */
  readonly nonce?: string;
  /** `max_age` that was asked for, in seconds. */
  readonly maxAge?: number;
  /** What was asked for, space-separated. */
  readonly scope?: string;
}

/** `value` as a transaction. @throws {ConfigurationError} that never shows it. */
export function checkTransaction(value: unknown, strategy: string): AuthorizationTransaction {
  const transaction = (value ?? {}) as Record<string, unknown>;
  const isText = (name: string): boolean => typeof transaction[name] === 'string' && transaction[name] !== '';
  const isOptional = (name: string, type: string): boolean => [type, 'undefined'].includes(typeof transaction[name]);
  const isWhole = ['state', 'codeVerifier', 'redirectUri', 'issuer', 'clientId'].every(isText);
  // Without its nonce an ID token of another sign-in would do.
  const isTied = !`${transaction['scope']}`.split(' ').includes('openid') || isText('nonce');
  if (isWhole && isTied && isOptional('nonce', 'string') && isOptional('maxAge', 'number') && isOptional('scope', 'string')) {
    return value as AuthorizationTransaction;
  }
  const must = 'must be what createAuthorizationUrl answered, kept as JSON. Without it nobody knows whose callback this is';
  throw misuse('transaction', must, strategy);
}
