// OpenID Connect Core 1.0 §3.1.3.7 and §12.2: what an ID token must say.
import { AuthError, redact } from '@authseam/core';
import {
  clockSkew,
  clockTolerance,
  expectNoNonce,
  getValidatedIdTokenClaims,
  type IDToken,
  processAuthorizationCodeResponse,
  processRefreshTokenResponse,
} from 'oauth4webapi';
import type { TokenIssuer } from './authorization-server.ts';

/** What an ID token is held against. */
export interface IdTokenExpectations {
  readonly metadata: TokenIssuer;
  readonly clientId: string;
  /** That of the authorization request. Left out: there must be none. */
  readonly nonce?: string | undefined;
  /** `max_age` of the authorization request, in seconds. */
  readonly maxAge?: number | undefined;
  /**
   * In the answer to a refresh, the ID token before this one, or `'unknown'`: the subject must be the same, and the nonce if there is one. `nonce`,
   * `maxAge` and the expiry are of no interest then: some servers send the first one again, and that is no reason to end a session.
   */
  readonly replaces?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** `name` of the strategy, for the error. */
  readonly strategy: string;
}

/** Clocks differ by so many seconds. */
const TOLERANCE_SECONDS = 300;
/** Characters of a subject identifier. */
const LONGEST_SUBJECT = 255;
/** Between what one server writes down about one sign-in there is no more than this. */
const ROUNDING_SECONDS = 5;

/**
 * The claims of an ID token that came straight from the token endpoint: issuer, subject, audience, authorized party, times, nonce and `auth_time` are
 * checked. Its signature is not: over TLS from the token endpoint that is the server's word as much as a signature is (§3.1.3.7, 6).
 *
 * @throws {AuthError} with code `ID_TOKEN_INVALID`, which never shows the token.
 * @example
 * ```ts
 * import { checkIdToken, type TokenIssuer } from '@authseam/oauth2';
 *
 * const expected = { clientId: 'my-app', nonce: 'n-0S6', nowMs: Date.now(), strategy: 'example' };
 * export const claimsOf = (idToken: string, metadata: TokenIssuer) => checkIdToken(idToken, { ...expected, metadata });
 * ```
 */
export async function checkIdToken(idToken: string, expected: IdTokenExpectations): Promise<Readonly<IDToken>> {
  const { clientId, nonce, maxAge, replaces, nowMs, strategy } = expected;
  const metadata = { id_token_signing_alg_values_supported: ALGORITHMS, ...expected.metadata };
  const tolerance = replaces === undefined ? TOLERANCE_SECONDS : Number.MAX_SAFE_INTEGER;
  const client = { client_id: clientId, [clockTolerance]: tolerance, [clockSkew]: Math.round((nowMs - Date.now()) / 1000) };
  // The rest of the answer has been read by now: only its ID token is of interest.
  const answer = Response.json({ access_token: '-', token_type: 'bearer', id_token: idToken });
  try {
    if (replaces !== undefined) {
      const claims = getValidatedIdTokenClaims(await processRefreshTokenResponse(metadata, client, answer)) as IDToken;
      expectParties(claims, clientId);
      expectSameSignIn(claims, replaces);
      return claims;
    }
    const result = await processAuthorizationCodeResponse(metadata, client, answer, {
      expectedNonce: nonce ?? expectNoNonce,
      requireIdToken: true,
    });
    const claims = getValidatedIdTokenClaims(result) as IDToken;
    expectParties(claims, clientId);
    if (claims.iat > nowMs / 1000 + TOLERANCE_SECONDS) throw new Error('its `iat` lies in the future');
    if (maxAge !== undefined) expectRecent(claims, maxAge);
    return claims;
  } catch (error) {
    const reason = redact(error instanceof Error ? error.message : 'unreadable', [idToken]);
    const message = `${strategy}: the ID token does not hold: ${reason}. Nobody was signed in.`;
    throw new AuthError(message, { code: 'ID_TOKEN_INVALID', strategy });
  }
}

/** What a server may sign with whose metadata are not asked for. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519', 'RS384', 'PS384', 'ES384', 'RS512', 'PS512', 'ES512', 'HS256'];

/** OpenID Connect Core 1.0 §2, §3.1.3.7, 4 and 5: what oauth4webapi asks for several audiences only, and does not ask of the subject. */
function expectParties({ azp, sub }: IDToken, clientId: string): void {
  if (azp !== undefined && azp !== clientId) throw new Error('its `azp` is another client');
  if (sub === '' || sub.length > LONGEST_SUBJECT) throw new Error(`its \`sub\` must have 1 to ${LONGEST_SUBJECT} characters`);
}

/** By the server's clock alone: `max_age` may be 0, and clocks differ by more. */
function expectRecent({ auth_time: signedInAt, iat }: IDToken, maxAge: number): void {
  if (signedInAt === undefined) throw new Error('`max_age` was asked for, and it does not tell when the person signed in');
  if (signedInAt + maxAge + ROUNDING_SECONDS < iat) throw new Error('the person signed in longer ago than `max_age` allows');
}

/** OpenID Connect Core 1.0 §12.2. The one before was checked when it came. */
function expectSameSignIn({ sub, nonce }: IDToken, previous: string): void {
  const before = payloadOf(previous);
  if (!before) return;
  if (before.sub !== sub) throw new Error('it names another subject than the one before it');
  if (nonce !== undefined && nonce !== before.nonce) throw new Error('its nonce is of another sign-in');
}

/** Unchecked; `undefined` for what is no JWT. */
function payloadOf(jwt: string): Partial<IDToken> | undefined {
  const [, payload = ''] = jwt.split('.');
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) ?? undefined;
  } catch {
    return undefined;
  }
}
