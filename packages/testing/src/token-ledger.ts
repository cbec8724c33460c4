/** What a server thinks of an access token that a client shows it. */
export type TokenStanding = 'valid' | 'expired' | 'revoked' | 'superseded' | 'unknown';

/** Options of {@link tokenLedger}. */
export interface TokenLedgerOptions {
  readonly now: () => number;
  readonly lifetimeSeconds: number;
  /** Accept only the access token that its owner was issued last. Default false. */
  readonly onlyNewestToken?: boolean | undefined;
}

/** Whose an access token is. */
interface TokenOwner {
  /** Newer tokens supersede older ones of the same subject only. Default: all tokens have the same. */
  readonly subject?: string;
  /** What can be revoked together: the tokens of one sign-in. Default: none. */
  readonly family?: string;
}

/** Every access token that a server issued, and what became of it. */
export interface TokenLedger {
  /** How many tokens were issued. */
  readonly issued: number;
  record(accessToken: string, owner?: TokenOwner): void;
  standing(accessToken: string): TokenStanding;
  /** Every token issued so far counts as expired. */
  expireTokens(): void;
  /** Every token issued so far counts as revoked. */
  revokeTokens(): void;
  /** Every token of one family issued so far counts as revoked. */
  revokeFamily(family: string): void;
}

/** An empty {@link TokenLedger}. */
export function tokenLedger({ now, lifetimeSeconds, onlyNewestToken = false }: TokenLedgerOptions): TokenLedger {
  const expiries = new Map<string, number>();
  const owners = new Map<string, TokenOwner>();
  const revoked = new Set<string>();
  const newest = new Map<string | undefined, string>();
  const revoke = (isMeant: (owner: TokenOwner) => boolean) => {
    for (const [accessToken, owner] of owners) if (isMeant(owner)) revoked.add(accessToken);
  };

  return Object.freeze({
    get issued() {
      return owners.size;
    },
    record(accessToken: string, owner: TokenOwner = {}) {
      expiries.set(accessToken, now() + lifetimeSeconds * 1000);
      owners.set(accessToken, owner);
      newest.set(owner.subject, accessToken);
    },
    standing(accessToken: string): TokenStanding {
      const expiresAtMs = expiries.get(accessToken);
      if (expiresAtMs === undefined) return 'unknown';
      if (revoked.has(accessToken)) return 'revoked';
      if (now() >= expiresAtMs) return 'expired';
      return onlyNewestToken && newest.get(owners.get(accessToken)?.subject) !== accessToken ? 'superseded' : 'valid';
    },
    expireTokens() {
      for (const accessToken of expiries.keys()) expiries.set(accessToken, Number.NEGATIVE_INFINITY);
    },
    revokeTokens: () => revoke(() => true),
    revokeFamily: (family: string) => revoke((owner) => owner.family === family),
  });
}
