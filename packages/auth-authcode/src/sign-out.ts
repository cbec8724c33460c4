// RFC 7009: revocation. OpenID Connect RP-Initiated Logout 1.0.
import { isAuthError, type TokenSet } from '@authseam/core';
import { endpointUrl, type TokenEndpointClient } from '@authseam/oauth2';
import { withinTime } from './time-limit.ts';

/** Who signs out of what. */
export interface SignOutRequest {
  readonly client: TokenEndpointClient;
  readonly clientId: string;
  readonly strategy: string;
  /** What was forgotten here: of the store and of memory, where they differ. */
  readonly tokens: readonly TokenSet[];
  readonly postLogoutRedirectUri: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What became of a sign-out. The tokens are forgotten here in any case. */
export interface SignOutResult {
  /** The server has revoked them. `false`: it cannot, or could not be reached; they run out by themselves. */
  readonly isRevoked: boolean;
  /** Where to send the person to sign out of the server too, if it is an OpenID server (OpenID Connect RP-Initiated Logout 1.0 §2). */
  readonly logoutUrl?: string;
}

/** Nobody waits longer for the server, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Revokes what nobody will use, as far as it goes: nobody waits for it. */
export function revokeQuietly(client: TokenEndpointClient, strategy: string, set: TokenSet): void {
  withinTime({ signal: undefined, timeoutMs: TIMEOUT_MS, strategy }, (limited) => revoke(client, set, limited)).catch(() => {});
}

/** Revokes what can be revoked. A server that fails is told by the result: what is forgotten here is forgotten. */
export async function signOutOfServer(request: SignOutRequest): Promise<SignOutResult> {
  const { client, strategy, tokens, signal } = request;
  const limit = { signal, timeoutMs: TIMEOUT_MS, strategy };
  const revoking = withinTime(limit, async (limited) => {
    const answers = await Promise.all(tokens.map((set) => revoke(client, set, limited)));
    return answers.length > 0 && answers.every(Boolean);
  });
  const finding = withinTime(limit, (limited) => logoutUrl(request, limited));
  // Side by side: what one of them waits for is no reason for the other to wait longer, or to come to nothing.
  const [isRevoked, url] = await Promise.all([
    revoking.catch((error: unknown) => unlessOurs(error, false)),
    finding.catch((error: unknown) => unlessOurs(error, undefined)),
  ]);
  return { isRevoked, ...(url !== undefined && { logoutUrl: url }) };
}

/** With the refresh token servers revoke the access token too (RFC 7009 §2.1). @returns Whether the server can. */
async function revoke(client: TokenEndpointClient, { refreshToken, accessToken }: TokenSet, signal: AbortSignal): Promise<boolean> {
  const metadata = await client.metadata(signal);
  if (!metadata.revocation_endpoint) return false;
  const token = refreshToken ?? accessToken;
  const hint = refreshToken ? 'refresh_token' : 'access_token';
  const parameters = [['token', token] as const, ['token_type_hint', hint] as const];
  await client.request({ endpoint: 'revocation_endpoint', parameters, signal, secrets: [token] });
  return true;
}

/** Where a person signs out of the server itself, if it has such a place. */
async function logoutUrl(
  { client, clientId, tokens, postLogoutRedirectUri }: SignOutRequest,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { end_session_endpoint: endpoint } = await client.metadata(signal);
  const url = endpointUrl(endpoint);
  if (!url) return undefined;
  const idToken = tokens.find((set) => set.idToken !== undefined)?.idToken;
  const parameters = { client_id: clientId, id_token_hint: idToken, post_logout_redirect_uri: postLogoutRedirectUri };
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

function unlessOurs<T>(error: unknown, instead: T): T {
  if (!isAuthError(error)) throw error;
  return instead;
}
