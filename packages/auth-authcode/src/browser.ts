export { type CompletedSignIn, type CompleteSignInOptions, completeSignIn, type PageHistory } from './browser/complete-sign-in.ts';
export type { SignInStorage } from './browser/pending-sign-in.ts';
export { type SignInOptions, signIn } from './browser/sign-in.ts';
