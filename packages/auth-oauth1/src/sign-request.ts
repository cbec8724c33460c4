// RFC 5849 §3: authenticated requests.
import type { AuthRequest, Awaitable } from '@authseam/core';
import { createBodyHash } from './body-hash.ts';
import { type Credentials, createCredentials } from './credentials.ts';
import { createNonces } from './nonce.ts';
import type { CheckedOptions } from './oauth1-options.ts';
import { percentEncode } from './percent-encode.ts';
import { type EncodedParameter, requestParameters } from './request-parameters.ts';
import { createSigners } from './signature/signature-method.ts';
import { signatureBaseString } from './signature-base-string.ts';
import { whenReady } from './when-ready.ts';

/** What of a request goes into its signature. */
export type SignableRequest = Pick<AuthRequest, 'method' | 'url' | 'headers' | 'body'>;

/** One request's signature, and what it was made of. No secret shows in it, but under PLAINTEXT, whose signature is one. */
export interface SignedRequest {
  /** The protocol parameters without `oauth_signature`, encoded, in the order in which they are sent. */
  readonly parameters: readonly EncodedParameter[];
  /** The caller's own parameters, of query and form body, encoded, in the order in which they stand there. */
  readonly requestParameters: readonly EncodedParameter[];
  /** RFC 5849 §3.4.1.1. */
  readonly baseString: string;
  /** Not encoded. */
  readonly signature: string;
  /** `oauth_timestamp`. */
  readonly timestampSeconds: number;
  /** What was added to our own clock, to make it the server's. */
  readonly clockOffsetSeconds: number;
  /** The credentials that signed. */
  readonly credentials: Credentials;
}

/** Signs a request as of `nowSeconds + clockOffsetSeconds`, with a nonce of its own. */
type SignRequest = (request: SignableRequest, nowSeconds: number, clockOffsetSeconds: number) => Awaitable<SignedRequest>;

/** What signs requests, and the credentials that it signs with next. */
export interface RequestSigner {
  readonly sign: SignRequest;
  readonly credentials: () => Awaitable<Credentials>;
}

/**
 * What signs requests with `options`. Keys are imported once; synchronous as far as credentials and runtime are.
 *
 * @throws {ConfigurationError} for unfit credentials or keys; `sign` throws it for `oauth_*` parameters in the request itself.
 */
export function createRequestSigner(options: CheckedOptions): RequestSigner {
  const { signatureMethod, privateKey, bodyHash, version, nonce = createNonces() } = options;
  const credentials = createCredentials(options, createSigners(signatureMethod, privateKey));
  const hashBody = bodyHash ? createBodyHash(signatureMethod) : undefined;
  const encode = ([name, value]: readonly [string, string]): EncodedParameter => [percentEncode(name), percentEncode(value)];
  const constant = [...(version ? [['oauth_version', version] as const] : []), ...Object.entries(options.parameters)].map(encode);

  function signWith(current: Credentials, ...[request, nowSeconds, clockOffsetSeconds]: Parameters<SignRequest>): Awaitable<SignedRequest> {
    const timestampSeconds = nowSeconds + clockOffsetSeconds;
    const { isForm, parameters: own } = requestParameters(request, bodyHash);
    const parameters: EncodedParameter[] = [
      current.consumerKey,
      ['oauth_nonce', percentEncode(nonce())],
      ['oauth_signature_method', signatureMethod],
      ['oauth_timestamp', String(timestampSeconds)],
      ...current.token,
      ...constant,
    ];
    const finish = (hash?: string): Awaitable<SignedRequest> => {
      if (hash !== undefined) parameters.push(['oauth_body_hash', percentEncode(hash)]);
      const baseString = signatureBaseString({
        method: request.method,
        url: request.url,
        parameters: own.length === 0 ? parameters : parameters.concat(own),
      });
      const signed = (signature: string): SignedRequest => ({
        parameters,
        requestParameters: own,
        baseString,
        signature,
        timestampSeconds,
        clockOffsetSeconds,
        credentials: current,
      });
      return whenReady(current.sign(baseString), signed);
    };
    return hashBody && !isForm ? whenReady(hashBody(request.body), finish) : finish();
  }

  const sign: SignRequest = (...what) => whenReady(credentials(), (current) => signWith(current, ...what));
  return { sign, credentials };
}
