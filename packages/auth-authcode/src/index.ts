export { type AuthorizationCode, authorizationCode, type SignOutOptions } from './authorization-code.ts';
export type { AuthorizationCodeOptions, AuthorizationCodeSettings, AuthorizationServerChoice } from './authorization-code-options.ts';
export { AuthorizationError, type AuthorizationErrorCode } from './authorization-error.ts';
export type { AuthorizationTransaction } from './authorization-transaction.ts';
export type { AuthorizationUrlOptions } from './authorization-url.ts';
export type { CallbackUrl } from './callback-parameters.ts';
export type { CallbackOptions } from './handle-callback.ts';
export type { SignOutResult } from './sign-out.ts';
