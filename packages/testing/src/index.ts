export type { Answer, JsonBody } from './answer.ts';
export type { Auth0Client, Auth0KeyClient, Auth0SecretClient } from './auth0/auth0-client.ts';
export { type Auth0Server, type Auth0ServerOptions, auth0Server } from './auth0-server.ts';
export { denyNonLoopback, type NonLoopbackGuard } from './deny-non-loopback.ts';
export type { Echo } from './echo-of.ts';
export { type EchoServer, type EchoServerOptions, echoServer } from './echo-server.ts';
export type { RefusalStyle } from './extra-horizon/refusal-answer.ts';
export type { OAuth1TokenPair, SignatureOptions } from './extra-horizon/signature-desk.ts';
export type { ThreeLeggedOptions } from './extra-horizon/three-legged.ts';
export type { ExtraHorizonUser } from './extra-horizon/users.ts';
export {
  type ExtraHorizonServer,
  type ExtraHorizonServerOptions,
  extraHorizonServer,
} from './extra-horizon-server.ts';
export type {
  AnswerFault,
  DelayFault,
  Fault,
  FaultMoment,
  FaultScope,
  GzipBombFault,
  HugeBodyFault,
  ResetFault,
  StallFault,
  TransformFault,
} from './fault.ts';
export { findSecret, type SecretSighting } from './find-secret.ts';
export type { ErrorLie, IdTokenLie, Lies, ParameterLie } from './hostile/lies.ts';
export { type TokenFaults, tokenFaults } from './hostile/token-faults.ts';
export {
  type HostileServer,
  type HostileServerOptions,
  hostileAuthorizationServer,
  type RefreshHold,
} from './hostile-server.ts';
export { type HuvrServer, type HuvrServerOptions, huvrServer } from './huvr-server.ts';
export {
  type LoopbackServer,
  type LoopbackServerOptions,
  loopbackServer,
  type Route,
  type RouteHandler,
  type Routes,
  type ServerOptions,
} from './loopback-server.ts';
export type { OAuth1Problem, OAuth1Refusal } from './oauth1/oauth1-refusal.ts';
export type { OAuth1Verdict } from './oauth1/oauth1-verifier.ts';
export type { OAuth1SignatureMethod } from './oauth1/signature-check.ts';
export type { OAuth1Placement } from './oauth1/signed-parameters.ts';
export { type CookieJar, cookieJar } from './oidc/cookie-jar.ts';
export type { OidcClient, OidcKeyClient, OidcPublicClient, OidcSecretClient } from './oidc/oidc-client.ts';
export { type SignInOptions, type SignInResult, signIn } from './oidc/sign-in.ts';
export type { StepUp } from './oidc/subject-api.ts';
export type { TokenCounts } from './oidc/token-counts.ts';
export { type OidcServer, type OidcServerOptions, oidcServer } from './oidc-server.ts';
export { plantSecret } from './plant-secret.ts';
export type { ReceivedRequest } from './received-request.ts';
export { type ApiKeyPlace, type SdkOAuth, type SdkOAuthOptions, type SdkServer, type SdkServerOptions, sdkServer } from './sdk-server.ts';
export type { SecretForm } from './secret-forms.ts';
export { type ServerJournal, serverJournal } from './server-journal.ts';
export { type VirtualClock, type VirtualClockOptions, virtualClock } from './virtual-clock.ts';
