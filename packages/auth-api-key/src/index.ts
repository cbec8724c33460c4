export { type ApiKeyOptions, apiKey } from './api-key.ts';
export { type BasicOptions, basic } from './basic.ts';
export { type BearerTokenOptions, bearerToken } from './bearer-token.ts';
