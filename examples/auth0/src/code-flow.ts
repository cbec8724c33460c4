import { type AuthorizationCode, authorizationCode } from '@authseam/auth-authcode';

/** An Auth0 tenant, an application without a secret ("Native", "Single Page Application"), and an API whose identifier is `audience`. */
export interface Auth0Login {
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string;
  /** One of the application's "Allowed Callback URLs". */
  readonly redirectUri: string;
}

/** The same API, called on behalf of a person: code + PKCE. */
export const codeFlow = {
  /** `offline_access` is what makes Auth0 give a refresh token, if the API allows it ("Allow Offline Access"). */
  auth({ issuer, clientId, audience, redirectUri }: Auth0Login): AuthorizationCode {
    const scope = 'openid offline_access read:messages';
    return authorizationCode({ issuer, clientId, clientAuthentication: 'none', redirectUri, audience, scope });
  },

  /** @param browse Takes a person's browser to a URL, and answers with the one that it came back with. */
  async login(auth: AuthorizationCode, browse: (url: string) => Promise<string>): Promise<void> {
    const { url, transaction } = await auth.createAuthorizationUrl();
    await auth.handleCallback(await browse(url), transaction);
  },

  /** Asks an API that answers with the token's `sub`. `api` is any authorized fetch. */
  async whoAmI(api: typeof fetch, { whoAmIUrl }: { readonly whoAmIUrl: string }): Promise<string> {
    const response = await api(whoAmIUrl);
    if (!response.ok) throw new Error(`The API answered ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { sub: string }).sub;
  },
};
