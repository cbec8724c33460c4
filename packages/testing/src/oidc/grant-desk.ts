// RFC 6749 §4.1.2 (a code works once), §5, §6 (refreshing); RFC 7636 §4.6; RFC 9700 §4.14.2 (rotation, and what to do on reuse).
import { createHash, randomBytes } from 'node:crypto';
import { type TokenLedger, type TokenLedgerOptions, tokenLedger } from '../token-ledger.ts';

/** What a person agreed to. */
export interface Grant {
  readonly subject: string;
  readonly scope: readonly string[];
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly nonce?: string;
  /** The same for all that this sign-in leads to. */
  readonly family: string;
}

/** Tokens, newly issued. */
export interface IssuedTokens {
  readonly grant: Grant;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** False for the tokens of a code. */
  readonly isRefreshed: boolean;
}

/** Why a code or refresh token was not taken. */
interface GrantRefusal {
  readonly error: 'invalid_grant' | 'unsupported_grant_type';
  readonly error_description: string;
}

/** Codes, refresh tokens and access tokens of one authorization server. */
export interface GrantDesk {
  readonly ledger: TokenLedger;
  /** Whether a refresh token or a code was ever used twice. */
  readonly familyRevoked: boolean;
  /** Every access and refresh token issued so far. */
  readonly tokens: readonly string[];
  /** A new code, good for 60 seconds. */
  issueCode(grant: Omit<Grant, 'family'>): string;
  /** Does what the form of a token request asks for. */
  redeem(form: URLSearchParams): IssuedTokens | GrantRefusal;
  /** Ends a family, as after a reuse. */
  reportReuse(refreshToken: string): GrantRefusal;
  /** RFC 7009: with either kind of token the whole family ends. */
  revoke(token: string): void;
  grantOf(accessToken: string): Grant | undefined;
}

/** Options of {@link grantDesk}. */
export interface GrantDeskOptions extends TokenLedgerOptions {
  /** Whether a refresh gives a new refresh token. */
  readonly rotateRefreshToken: boolean;
  /** For how long a refresh token that was used gives what replaced it once more, in seconds. Default 0: at once it is a reuse. */
  readonly graceSeconds?: number | undefined;
}

/** An empty {@link GrantDesk}. */
export function grantDesk(options: GrantDeskOptions): GrantDesk {
  const ledger = tokenLedger(options);
  const codes = new Map<string, Grant & { readonly expiresAtMs: number }>();
  const refreshTokens = new Map<string, Grant>();
  const accessTokens = new Map<string, Grant>();
  const used = new Set<string>();
  const replacements = new Map<string, { readonly refreshToken: string; readonly untilMs: number }>();
  const ended = new Set<string>();
  let familyRevoked = false;

  function end({ family }: Grant): void {
    ended.add(family);
    ledger.revokeFamily(family);
  }

  function issue(grant: Grant, isRefreshed: boolean, refreshToken = newToken('rt')): IssuedTokens {
    const accessToken = newToken('at');
    accessTokens.set(accessToken, grant);
    refreshTokens.set(refreshToken, grant);
    ledger.record(accessToken, grant);
    return { grant, accessToken, refreshToken, isRefreshed };
  }

  function exchange(form: URLSearchParams): IssuedTokens | GrantRefusal {
    const code = form.get('code') ?? '';
    const grant = codes.get(code);
    if (grant === undefined || options.now() >= grant.expiresAtMs) return refused('the code is unknown or expired');
    if (used.has(code)) return reuse(grant, 'the code was used before');
    if (form.get('redirect_uri') !== grant.redirectUri) return refused('redirect_uri is not the one of the authorization request');
    if (challengeOf(form.get('code_verifier') ?? '') !== grant.codeChallenge) return refused('code_verifier does not match');
    used.add(code);
    return issue(grant, false);
  }

  function refresh(form: URLSearchParams): IssuedTokens | GrantRefusal {
    const refreshToken = form.get('refresh_token') ?? '';
    const grant = refreshTokens.get(refreshToken);
    if (grant === undefined || ended.has(grant.family)) return refused('the refresh token is unknown or revoked');
    if (used.has(refreshToken)) {
      const replacement = replacements.get(refreshToken);
      // Once the replacement was used its owner has it: whoever comes with the old one now is somebody else.
      const isForgiven = replacement !== undefined && options.now() < replacement.untilMs && !used.has(replacement.refreshToken);
      if (isForgiven) return issue(grant, true, replacement.refreshToken);
      return reuse(grant, 'the refresh token was used before: all tokens of this sign-in are revoked');
    }
    if (!options.rotateRefreshToken) return issue(grant, true, refreshToken);
    used.add(refreshToken);
    const issued = issue(grant, true);
    const { graceSeconds = 0 } = options;
    replacements.set(refreshToken, { refreshToken: issued.refreshToken, untilMs: options.now() + graceSeconds * 1000 });
    return issued;
  }

  function reuse(grant: Grant, description: string): GrantRefusal {
    familyRevoked = true;
    end(grant);
    return refused(description);
  }

  return Object.freeze({
    ledger,
    get familyRevoked() {
      return familyRevoked;
    },
    get tokens() {
      return [...accessTokens.keys(), ...refreshTokens.keys()];
    },
    issueCode(grant: Omit<Grant, 'family'>) {
      const code = newToken('code');
      codes.set(code, { ...grant, family: newToken('family'), expiresAtMs: options.now() + 60_000 });
      return code;
    },
    redeem(form: URLSearchParams) {
      const grantType = form.get('grant_type');
      if (grantType === 'authorization_code') return exchange(form);
      if (grantType === 'refresh_token') return refresh(form);
      return { error: 'unsupported_grant_type', error_description: 'authorization_code and refresh_token only' } as const;
    },
    reportReuse(refreshToken: string) {
      const grant = refreshTokens.get(refreshToken);
      return grant === undefined ? refused('the refresh token is unknown') : reuse(grant, 'the refresh token was used before');
    },
    revoke(token: string) {
      const grant = refreshTokens.get(token) ?? accessTokens.get(token);
      if (grant !== undefined) end(grant);
    },
    grantOf: (accessToken: string) => accessTokens.get(accessToken),
  });
}

function refused(description: string): GrantRefusal {
  return { error: 'invalid_grant', error_description: description };
}

function newToken(kind: string): string {
  return `${kind}_${randomBytes(24).toString('base64url')}`;
}

function challengeOf(codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier).digest('base64url');
}
