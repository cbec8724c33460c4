import type { ReceivedRequest } from '../received-request.ts';

/** How many requests arrived, failed ones included, since the start or the last `clearRequests()`. */
export interface TokenCounts {
  /** At the token endpoint. */
  readonly tokenRequests: number;
  /** Those of them that carried a code. */
  readonly exchanges: number;
  /** Those of them that carried a refresh token. */
  readonly refreshes: number;
  /** At the revocation endpoint. */
  readonly revocations: number;
}

/** Counts in a log: live, as the log is. */
export function tokenCounts(requests: readonly ReceivedRequest[]): TokenCounts {
  const at = (purpose: string) => requests.filter(({ route }) => route === purpose);
  const withGrant = (grant: string) => at('token').filter(({ text }) => new URLSearchParams(text).get('grant_type') === grant);
  return {
    get tokenRequests() {
      return at('token').length;
    },
    get exchanges() {
      return withGrant('authorization_code').length;
    },
    get refreshes() {
      return withGrant('refresh_token').length;
    },
    get revocations() {
      return at('revocation').length;
    },
  };
}
