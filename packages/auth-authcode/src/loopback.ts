/// <reference types="node" />
// Everything below needs Node; the rest of the package does not.
export type { CallbackMessage, CallbackMessages } from './loopback/callback-page.ts';
export { type LoginErrorCode, login } from './loopback/login.ts';
export type { LoginAuth, LoginEvent, LoginOptions } from './loopback/login-options.ts';
