// RFC 6750 §2.1 and §3 (bearer tokens and challenges), RFC 9068 §4 (validating JWT access tokens).
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { Answer } from '../answer.ts';
import type { Route, Routes } from '../loopback-server.ts';
import { bearerTokenOf, insufficientScope, invalidToken, STANDINGS } from '../oidc/bearer-challenge.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { TokenLedger } from '../token-ledger.ts';

/** What the API checks tokens against. */
export interface ProtectedApiOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The authorization server's public keys. */
  readonly jwks: JSONWebKeySet;
  readonly ledger: TokenLedger;
  readonly now: () => number;
}

/** The routes of Auth0's sample API (RFC 6750): `/api/public`, `/api/private`, and `/api/private-scoped` for `read:messages`. */
export function protectedApi(options: ProtectedApiOptions): Routes {
  const keys = createLocalJWKSet(options.jwks);
  const guarded = (message: string, requiredScope?: string): Route => {
    return async (request) => {
      const verdict = await verdictOn(request, options, keys);
      if ('refusal' in verdict) return verdict.refusal;
      const { sub, client_id, scope = '' } = verdict.claims;
      if (requiredScope !== undefined && !String(scope).split(' ').includes(requiredScope)) return insufficientScope(requiredScope);
      return { body: { message, sub, client_id, scope } };
    };
  };
  return {
    'GET /api/public': () => ({ body: { message: 'Hello from a public endpoint! No token was needed.' } }),
    'GET /api/private': guarded('Hello from a private endpoint! Your token is valid.'),
    'GET /api/private-scoped': guarded('Hello from a private endpoint! Your token has read:messages.', 'read:messages'),
  };
}

type Verdict = { readonly claims: JWTPayload } | { readonly refusal: Answer };

async function verdictOn(
  request: ReceivedRequest,
  options: ProtectedApiOptions,
  keys: ReturnType<typeof createLocalJWKSet>,
): Promise<Verdict> {
  const bearer = bearerTokenOf(request);
  if ('refusal' in bearer) return bearer;
  const { token } = bearer;
  try {
    const { issuer, audience, now } = options;
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ['RS256'],
      requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
      currentDate: new Date(now()),
    });
    const standing = options.ledger.standing(token);
    return standing === 'valid' ? { claims: payload } : { refusal: invalidToken(STANDINGS[standing]) };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return { refusal: invalidToken(error instanceof errors.JWTExpired ? STANDINGS.expired : 'the access token is not valid') };
  }
}
