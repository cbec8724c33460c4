// RFC 5849 §3: authenticated requests.
import {
  type AuthContext,
  type AuthPatch,
  type AuthRequest,
  type AuthStrategy,
  isLoopback,
  type SensitiveNames,
  UnsafeDestinationError,
} from '@authseam/core';
import { authorizationHeader } from './authorization-header.ts';
import { explainRejection } from './explain-rejection.ts';
import { oauthProblem } from './oauth-problem.ts';
import { type CheckedOptions, checkOptions, type OAuth1Options } from './oauth1-options.ts';
import { createRecovery } from './recovery.ts';
import { createServerClocks } from './server-clock.ts';
import { createRequestSigner, type SignedRequest } from './sign-request.ts';
import { whenReady } from './when-ready.ts';

/**
 * Signs every request as RFC 5849 says: the method, the URL as it is sent, and the fields of a form body, anew for each attempt and each redirect hop.
 * A rejection that names an `oauth_problem` becomes an `OAuth1Error`; one for a wrong clock is mended from the server's `Date` and sent once more, and
 * so is one after which a secret's function answers something else. A 401 without a reason goes to the caller.
 *
 * Multipart bodies and streams are not signed, by the RFC; see `bodyHash`.
 *
 * @throws {ConfigurationError} for options that are unknown or contradict each other, or a key that does not fit; secrets are never shown.
 * @see RFC 5849 §3
 * @example
 * ```ts
 * import { fromEnv } from '@authseam/core';
 * import { oauth1 } from '@authseam/auth-oauth1';
 *
 * export const auth = oauth1({
 *   consumerKey: fromEnv('API_OAUTH_CONSUMER_KEY'),
 *   consumerSecret: fromEnv('API_OAUTH_CONSUMER_SECRET'),
 *   token: fromEnv('API_OAUTH_TOKEN'),
 *   tokenSecret: fromEnv('API_OAUTH_TOKEN_SECRET'),
 * });
 * ```
 */
export function oauth1(options: OAuth1Options): AuthStrategy<SignedRequest> {
  const checked = checkOptions(options);
  const { signatureMethod, placement, realm, bodyHash, isRejected, timestampSeconds } = checked;
  const signer = createRequestSigner(checked);
  const clocks = createServerClocks();
  const clock = ({ now }: AuthContext): number => Math.floor(timestampSeconds ? timestampSeconds() : now() / 1000);

  function patchOf(receipt: SignedRequest): AuthPatch<SignedRequest> {
    const { parameters, signature } = receipt;
    // Base64, or a key whose parts are encoded: of these the platform's encoding is the RFC's.
    const all = [...parameters, ['oauth_signature', encodeURIComponent(signature)] as const];
    if (placement === 'header') return { headers: { Authorization: authorizationHeader(all, realm) }, receipt };
    const pairs = all.map(([name, value]) => [decodeURIComponent(name), decodeURIComponent(value)] as const);
    return placement === 'query' ? { query: pairs, receipt } : { form: pairs, receipt };
  }

  return Object.freeze({
    name: 'oauth1',
    specVersion: 1,
    readsBody: bodyHash ? 'bytes' : 'form',
    sensitive: sensitiveNames(checked),
    authorize(request, context) {
      if (signatureMethod === 'PLAINTEXT') requireTls(request);
      return whenReady(signer.sign(request, clock(context), clocks.offsetSeconds(request.url)), patchOf);
    },
    async isRejected(response, sent) {
      if (await isRejected?.(response, sent)) return true;
      // RFC 5849 §3.2: what a server does not support it refuses with 400.
      return response.status === 400 && (await oauthProblem(response)) !== undefined;
    },
    recover: createRecovery(signer, clocks, clock, explainRejection(checked)),
  } satisfies AuthStrategy<SignedRequest>);
}

/** The names under which a credential, or a signature made with it, travels. Form fields are part of the body. */
function sensitiveNames({ placement, parameters }: CheckedOptions): SensitiveNames {
  if (placement === 'header') return { headers: ['authorization'] };
  return placement === 'query' ? { query: ['oauth_consumer_key', 'oauth_token', 'oauth_signature', ...Object.keys(parameters)] } : {};
}

/** RFC 5849 §3.4.4: with PLAINTEXT the secrets themselves travel, whatever the adapter's options allow. */
function requireTls({ url }: AuthRequest): void {
  const target = new URL(url);
  if (target.protocol === 'https:' || isLoopback(target)) return;
  const { origin } = target;
  const message = `oauth1: PLAINTEXT sends the secrets themselves, so not to ${origin}. Use https, or a method that signs, such as HMAC-SHA1.`;
  throw new UnsafeDestinationError(message, { origin, strategy: 'oauth1' });
}
