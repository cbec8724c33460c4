// RFC 6750 §2.1 and §3: bearer tokens in the header, and what a resource server says when it refuses one. RFC 9470 §3 adds to it.
import type { Answer } from '../answer.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { TokenStanding } from '../token-ledger.ts';

/** The token of a request, or the answer to a request that has none. */
export function bearerTokenOf({ headers }: ReceivedRequest): { readonly token: string } | { readonly refusal: Answer } {
  const { authorization = '' } = headers;
  if (!/^bearer( |$)/i.test(authorization)) return { refusal: bearerChallenge(401) };
  const [, token] = /^bearer ([a-z0-9._~+/-]+=*)$/i.exec(authorization) ?? [];
  if (token !== undefined) return { token };
  return { refusal: bearerChallenge(400, { error: 'invalid_request', error_description: 'the Authorization header is malformed' }) };
}

/** 401 `invalid_token`. */
export function invalidToken(description: string): Answer {
  return bearerChallenge(401, { error: 'invalid_token', error_description: description });
}

/** 403 `insufficient_scope`. */
export function insufficientScope(scope: string): Answer {
  return bearerChallenge(403, { error: 'insufficient_scope', error_description: 'the access token lacks a scope', scope });
}

/** Why a token is refused, in words. */
export const STANDINGS: Readonly<Record<Exclude<TokenStanding, 'valid'>, string>> = {
  expired: 'the access token expired',
  revoked: 'the access token was revoked',
  superseded: 'a newer access token was issued',
  unknown: 'the access token was not issued here',
};

/** A challenge with these parameters. A request without any credentials is told no error code. */
export function bearerChallenge(status: number, parameters: Readonly<Record<string, string>> = {}): Answer {
  const stated = Object.entries({ realm: 'api', ...parameters }).map(([name, value]) => `${name}="${value}"`);
  return {
    status,
    headers: { 'WWW-Authenticate': `Bearer ${stated.join(', ')}` },
    body: {
      error: parameters['error'] ?? 'unauthorized',
      error_description: parameters['error_description'] ?? 'an access token is needed',
    },
  };
}
