import type { ClientMetadata } from 'oidc-provider';
import { authenticationMetadata } from '../oidc/authentication-metadata.ts';
import type { Auth0Client } from './auth0-client.ts';

/** A client in oidc-provider's words. */
export function clientMetadata(client: Auth0Client): ClientMetadata {
  return {
    client_id: client.clientId,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...authenticationMetadata('jwks' in client ? client : { clientAuthentication: 'client_secret_post', ...client }),
  };
}
