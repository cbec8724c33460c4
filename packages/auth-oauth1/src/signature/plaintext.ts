// RFC 5849 §3.4.4: PLAINTEXT.
import type { Sign } from './signature-method.ts';

/** The signature is the signing key itself: nothing of the request is protected, and whoever reads it has the secrets. */
export function plaintextSigner(signingKey: string): Sign {
  return () => signingKey;
}
