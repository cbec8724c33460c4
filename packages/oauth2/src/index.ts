export type { AuthenticatedRequest, EndpointName } from './authenticated-request.ts';
export {
  type AuthorizationServerOptions,
  type AuthorizationServerSettings,
  type AuthorizationServerSource,
  authorizationServer,
  type ServerEndpoints,
  type TokenIssuer,
} from './authorization-server.ts';
export { checkEndpoint, endpointUrl } from './check-endpoint.ts';
export {
  type ClientAuthenticationMethod,
  type ClientAuthenticationOptions,
  type ClientAuthenticationSettings,
  type ClientAuthenticator,
  clientAuthentication,
} from './client-authentication.ts';
export type { TokenFetch } from './edge-fetch.ts';
export { type GrantParameters, type GrantParametersOptions, grantParameters } from './grant-parameters.ts';
export { checkIdToken, type IdTokenExpectations } from './id-token.ts';
export type { PrivateCryptoKey, PrivateJwk, PrivateKey } from './private-key.ts';
export {
  type GrantContext,
  type TokenEndpointClient,
  type TokenEndpointClientOptions,
  type TokenEndpointClientSettings,
  tokenEndpointClient,
} from './token-endpoint-client.ts';
export type { TokenRequestOptions } from './token-request-options.ts';
export type { TokenResponseOptions } from './token-response-options.ts';
