import type { ClientMetadata } from 'oidc-provider';
import { asciiSecret } from './ascii-secret.ts';
import type { Auth0Client } from './auth0-client.ts';

/** A client in oidc-provider's words. */
export function clientMetadata(client: Auth0Client): ClientMetadata {
  return {
    client_id: client.clientId,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...authentication(client),
  };
}

function authentication(client: Auth0Client): Partial<ClientMetadata> {
  if (client.clientAuthentication === 'private_key_jwt') {
    return { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [...client.jwks.keys] } };
  }
  const { clientAuthentication = 'client_secret_post', clientSecret } = client;
  return { token_endpoint_auth_method: clientAuthentication, client_secret: asciiSecret(clientSecret) };
}
