import { withAuth } from '@authseam/adapter-fetch';
import { type AuthorizationCode, authorizationCode } from '@authseam/auth-authcode';
import type { AuthEvent } from '@authseam/core';
import { webStore } from '@authseam/store-web';

const { VITE_ISSUER: issuer, VITE_CLIENT_ID: clientId, VITE_API_URL: apiUrl, VITE_SCOPE: scope = 'openid profile' } = import.meta.env;

/** Where the server sends people back to: registered there to the letter. */
export const redirectUri: string = new URL('/', location.href).href;

/**
 * Tokens in localStorage: a reload, a new tab and a restart of the browser stay signed in, and tabs share one refresh. The price: every script that
 * ever runs on this origin, an injected one too, can read the refresh token and take it along. Without `store` they are in this page's memory only,
 * and each reload goes to the server again. Where much is at stake, keep tokens out of the browser altogether: examples/web-backend.
 */
export const auth: AuthorizationCode = authorizationCode({
  issuer,
  clientId,
  clientAuthentication: 'none', // whatever a page knows, its readers know: there is no secret, PKCE takes its place
  redirectUri,
  scope,
  store: webStore({ storage: localStorage }),
});

/** Asks the API who is calling: the token is added, refreshed when it has run out, and goes nowhere else. */
export async function whoAmI(onEvent: (event: AuthEvent) => void): Promise<Record<string, unknown>> {
  const api = withAuth(fetch, auth, { origins: new URL(apiUrl).origin, onEvent });
  const response = await api(apiUrl);
  if (!response.ok) throw new Error(`The API answered ${response.status}.`);
  return (await response.json()) as Record<string, unknown>;
}
