export { type ExplainableRequest, type ExplainSignatureOptions, explainSignature } from './explain-signature.ts';
export { oauth1 } from './oauth1.ts';
export { OAuth1Error, type OAuth1ErrorCode, type OAuth1ErrorOptions } from './oauth1-error.ts';
export {
  type OAuth1Flow,
  type OAuth1FlowStartOptions,
  type OAuth1TokenCredentials,
  type OAuth1Transaction,
  oauth1Flow,
} from './oauth1-flow.ts';
export { OAuth1FlowError, type OAuth1FlowErrorCode, type OAuth1FlowErrorOptions, type OAuth1FlowStep } from './oauth1-flow-error.ts';
export type { OAuth1FlowOptions } from './oauth1-flow-options.ts';
export type { OAuth1Options } from './oauth1-options.ts';
export type { EncodedParameter } from './request-parameters.ts';
export type { SignedRequest } from './sign-request.ts';
export type { PrivateKey, RsaCryptoKey, RsaPrivateJwk } from './signature/rsa.ts';
export type { SignatureMethod } from './signature/signature-method.ts';
export type { SignatureCause, SignatureCauseCode } from './signature-causes.ts';
export type { ExplainedParameter, SignatureExplanation } from './signature-explanation.ts';
