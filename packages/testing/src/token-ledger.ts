/** What a server thinks of an access token that a client shows it. */
export type TokenStanding = 'valid' | 'expired' | 'revoked' | 'superseded' | 'unknown';

/** Options of {@link tokenLedger}. */
export interface TokenLedgerOptions {
  readonly now: () => number;
  readonly lifetimeSeconds: number;
  /** Accept only the access token that was issued last. Default false. */
  readonly onlyNewestToken?: boolean | undefined;
}

/** Every access token that a server issued, and what became of it. */
export interface TokenLedger {
  /** How many tokens were issued. */
  readonly issued: number;
  record(accessToken: string): void;
  standing(accessToken: string): TokenStanding;
  /** Every token issued so far counts as expired. */
  expireTokens(): void;
  /** Every token issued so far counts as revoked. */
  revokeTokens(): void;
}

/** An empty {@link TokenLedger}. */
export function tokenLedger({ now, lifetimeSeconds, onlyNewestToken = false }: TokenLedgerOptions): TokenLedger {
  const expiries = new Map<string, number>();
  const revoked = new Set<string>();
  let newest: string | undefined;
  let issued = 0;

  return Object.freeze({
    get issued() {
      return issued;
    },
    record(accessToken: string) {
      expiries.set(accessToken, now() + lifetimeSeconds * 1000);
      newest = accessToken;
      issued += 1;
    },
    standing(accessToken: string): TokenStanding {
      const expiresAtMs = expiries.get(accessToken);
      if (expiresAtMs === undefined) return 'unknown';
      if (revoked.has(accessToken)) return 'revoked';
      if (now() >= expiresAtMs) return 'expired';
      return onlyNewestToken && accessToken !== newest ? 'superseded' : 'valid';
    },
    expireTokens() {
      for (const accessToken of expiries.keys()) expiries.set(accessToken, Number.NEGATIVE_INFINITY);
    },
    revokeTokens() {
      for (const accessToken of expiries.keys()) revoked.add(accessToken);
    },
  });
}
