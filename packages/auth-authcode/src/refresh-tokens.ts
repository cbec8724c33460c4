// RFC 6749 §6: refreshing. OpenID Connect Core 1.0 §12.2: the ID token in the answer.
import { type FetchTokenRequest, InteractionRequiredError, isAuthError, type TokenSet } from '@authseam/core';
import { checkIdToken, type TokenEndpointClient } from '@authseam/oauth2';

/** What all refreshes of one strategy have in common. */
export interface RefreshClient {
  readonly client: TokenEndpointClient;
  readonly clientId: string;
  /** Whether `issuer` is configured: else there is nothing to hold an ID token against. */
  readonly hasIssuer: boolean;
  readonly resources: readonly (readonly [string, string])[];
  readonly strategy: string;
  readonly now: () => number;
}

/** The `fetchToken` of one subject: the grant of the refresh token, or an error that says that a person has to sign in. */
export function refreshTokens(settings: RefreshClient, subject: string | undefined): (request: FetchTokenRequest) => Promise<TokenSet> {
  const { strategy } = settings;
  /** Sending it again would only be refused again. A server may give the same one to whoever signs in again: then it is another set. */
  let refused: Pick<TokenSet, 'refreshToken' | 'receivedAtMs'> | undefined;

  return async (request) => {
    const { current } = request;
    const refreshToken = current?.refreshToken;
    const isRefused = refused?.refreshToken === refreshToken && refused?.receivedAtMs === current?.receivedAtMs;
    if (!current || !refreshToken || isRefused) {
      const who = subject === undefined ? 'nobody is signed in' : 'this subject is not signed in';
      const why = refreshToken ? 'the refresh token was refused' : current ? 'the token ran out, and there is no refresh token' : who;
      throw new InteractionRequiredError(`${strategy}: ${why}. ${ADVICE}`, { strategy, subject });
    }
    try {
      return await refreshed({ ...current, refreshToken }, settings, request);
    } catch (error) {
      const isGone = isAuthError(error, 'TOKEN_ENDPOINT_ERROR') && error.error === 'invalid_grant';
      if (!isGone && (error as { code?: unknown }).code !== 'ID_TOKEN_INVALID') throw error;
      refused = current;
      const why = isGone
        ? 'the server no longer takes the refresh token (invalid_grant): it ran out, or was revoked'
        : 'a refresh was answered with an ID token that does not hold, and what came with it was thrown away';
      const details = isGone ? { error: 'invalid_grant' } : { cause: error };
      throw new InteractionRequiredError(`${strategy}: ${why}. ${ADVICE}`, { strategy, subject, ...details });
    }
  };
}

const ADVICE = 'Send the person to createAuthorizationUrl().';

async function refreshed(
  { refreshToken, accessToken, scope, idToken: previous }: TokenSet & { readonly refreshToken: string },
  { client, clientId, hasIssuer, resources, now, strategy }: RefreshClient,
  { signal, emit }: FetchTokenRequest,
): Promise<TokenSet> {
  const pairs = [['refresh_token', refreshToken] as const, ...resources];
  const { idToken, ...fresh } = await client.grant('refresh_token', pairs, { signal, emit, scope, secrets: [accessToken, previous ?? ''] });
  const kept = { ...fresh, refreshToken: fresh.refreshToken ?? refreshToken };
  if (!idToken || !hasIssuer) return { ...kept, ...(previous !== undefined && { idToken: previous }) };
  const metadata = await client.metadata(signal);
  await checkIdToken(idToken, { metadata, clientId, replaces: previous ?? 'unknown', nowMs: now(), strategy });
  return { ...kept, idToken };
}
