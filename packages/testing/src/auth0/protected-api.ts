// RFC 6750 §2.1 and §3 (bearer tokens and challenges), RFC 9068 §4 (validating JWT access tokens).
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { Answer } from '../answer.ts';
import type { Route, Routes } from '../loopback-server.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { TokenLedger, TokenStanding } from '../token-ledger.ts';

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
  { headers }: ReceivedRequest,
  options: ProtectedApiOptions,
  keys: ReturnType<typeof createLocalJWKSet>,
): Promise<Verdict> {
  const { authorization = '' } = headers;
  if (!/^bearer( |$)/i.test(authorization)) return { refusal: challenge(401) };
  const [, token] = /^bearer ([a-z0-9._~+/-]+=*)$/i.exec(authorization) ?? [];
  if (token === undefined) return { refusal: challenge(400, 'invalid_request', 'the Authorization header is malformed') };
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
    return standing === 'valid' ? { claims: payload } : { refusal: invalidToken(REASONS[standing]) };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return { refusal: invalidToken(error instanceof errors.JWTExpired ? REASONS.expired : 'the access token is not valid') };
  }
}

const REASONS: Readonly<Record<Exclude<TokenStanding, 'valid'>, string>> = {
  expired: 'the access token expired',
  revoked: 'the access token was revoked',
  superseded: 'a newer access token was issued',
  unknown: 'the access token was not issued here',
};

function invalidToken(description: string): Answer {
  return challenge(401, 'invalid_token', description);
}

function insufficientScope(scope: string): Answer {
  return challenge(403, 'insufficient_scope', 'the access token lacks a scope', scope);
}

/** RFC 6750 §3: a request without any credentials is told no error code. */
function challenge(status: number, error?: string, description?: string, scope?: string): Answer {
  const parameters = { realm: 'api', error, error_description: description, scope };
  const stated = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return {
    status,
    headers: { 'WWW-Authenticate': `Bearer ${stated.map(([name, value]) => `${name}="${value}"`).join(', ')}` },
    body: { error: error ?? 'unauthorized', error_description: description ?? 'an access token is needed' },
  };
}
