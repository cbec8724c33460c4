import type { ClientMetadata } from 'oidc-provider';
import { authenticationMetadata } from './authentication-metadata.ts';
import type { OidcClient } from './oidc-client.ts';

/** A client in oidc-provider's words. */
export function codeClientMetadata(client: OidcClient): ClientMetadata {
  return {
    client_id: client.clientId,
    application_type: client.applicationType ?? 'web',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [...client.redirectUris],
    post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
    ...authenticationOf(client),
  };
}

function authenticationOf(client: OidcClient): Partial<ClientMetadata> {
  if ('clientSecret' in client) return authenticationMetadata({ clientAuthentication: 'client_secret_basic', ...client });
  return 'jwks' in client ? authenticationMetadata(client) : { token_endpoint_auth_method: 'none' };
}
