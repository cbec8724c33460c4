export { type ClientCredentialsOptions, type ClientCredentialsSettings, clientCredentials } from './client-credentials.ts';
