import { type AuthorizationCode, authorizationCode } from '@authseam/auth-authcode';
import type { Secret } from '@authseam/core';

/** A customer's application, as it is registered with the API. */
export interface SdkApplication {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly redirectUri: string;
}

/** What a customer with an application of their own gives the SDK: it calls on behalf of who signed in, and refreshes by itself. */
export const codeFlow = {
  /** One strategy for all users; `auth.session(user)` is the one of each. */
  auth({ oauth }: { readonly oauth: SdkApplication }): AuthorizationCode {
    const { authorizationEndpoint, tokenEndpoint, revocationEndpoint, clientId, clientSecret, redirectUri } = oauth;
    const endpoints = { authorizationEndpoint, tokenEndpoint, revocationEndpoint }; // the API publishes no metadata
    return authorizationCode({ ...endpoints, clientId, clientSecret, redirectUri, scope: 'read write offline_access' });
  },

  /** @param browse Takes a person's browser to a URL, and answers with the one it came back with: in a web application two requests. */
  async login(auth: AuthorizationCode, browse: (url: string) => Promise<string>): Promise<void> {
    const { url, transaction } = await auth.createAuthorizationUrl();
    await auth.handleCallback(await browse(url), transaction);
  },
};
