// RFC 5849 §3.4: what goes into a signature, shown.
import { checkOptions, type OAuth1Options } from './oauth1-options.ts';
import { createRequestSigner } from './sign-request.ts';
import { signableRequest } from './signable-request.ts';
import { explainSigned, type SignatureExplanation } from './signature-explanation.ts';

/** A request to take apart, as fetch takes it. It is not sent. */
export interface ExplainableRequest {
  /** Default `'GET'`. */
  readonly method?: string | undefined;
  /** Absolute. */
  readonly url: string | URL;
  /** As fetch takes them. Default none. */
  readonly headers?: RequestInit['headers'];
  /** Text, bytes or a form. Default none. */
  readonly body?: string | Uint8Array | URLSearchParams | undefined;
}

/** Options of {@link explainSignature}: those of `oauth1`, and the time. Fix `nonce` and `timestampSeconds` to take apart a request that was sent. */
export interface ExplainSignatureOptions extends OAuth1Options {
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** What is added to the timestamp, in seconds, because the server's clock is ahead of ours. Default 0. */
  readonly clockOffsetSeconds?: number;
}

/**
 * Signs `request` as `oauth1` would and shows everything that goes into the signature, and what in this very request often makes a server say that it
 * does not match. For a person who compares it with what the server says; nothing is sent, and no server is asked.
 *
 * Secrets do not show, and keys and tokens show their first and last two characters. The nonce is another one than that of the request that failed,
 * unless `nonce` and `timestampSeconds` repeat it.
 *
 * @returns Data, all of it parts of the signature as they are encoded in it, and a report: `String(explanation)`, `explanation.text`.
 * @throws {ConfigurationError} as `oauth1` and the adapters do: for unfit options, a relative URL, userinfo or `oauth_*` parameters in the request, and
 * form fields where no form is.
 * @throws {UnsafeDestinationError} for PLAINTEXT over plain http beyond loopback.
 * @see RFC 5849 §3.4
 * @example
 * ```ts
 * import { explainSignature } from '@authseam/auth-oauth1';
 *
 * const keys = { consumerKey: 'example-consumer', consumerSecret: 'example secret' };
 * const explanation = await explainSignature({ url: 'https://api.example.com/items?tag=a+b' }, keys);
 * console.log(explanation.signingKey); // → (14 characters)&(empty)
 * console.log(explanation.causes[0]?.code); // → plus-in-query
 * console.log(`${explanation}`);
 * ```
 */
export async function explainSignature(request: ExplainableRequest, options: ExplainSignatureOptions): Promise<SignatureExplanation> {
  const { now = () => Date.now(), clockOffsetSeconds = 0, ...signing } = options ?? ({} as ExplainSignatureOptions); // JavaScript may leave them out
  const checked = checkOptions(signing);
  const signable = signableRequest(request, checked);
  const nowMs = now();
  const nowSeconds = Math.floor(checked.timestampSeconds ? checked.timestampSeconds() : nowMs / 1000);
  const signed = await createRequestSigner(checked).sign(signable.signed, nowSeconds, clockOffsetSeconds);
  return explainSigned({ request: signable.given, signed, options: checked, referenceMs: nowMs, isServerTime: false });
}
