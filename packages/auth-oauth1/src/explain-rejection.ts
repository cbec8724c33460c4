import type { AuthRequest } from '@authseam/core';
import type { CheckedOptions } from './oauth1-options.ts';
import type { SignedRequest } from './sign-request.ts';
import type { SignatureExplanation } from './signature-explanation.ts';

/**
 * What takes a rejected request apart for its error. The code for that is loaded when it is needed; where it cannot be, the error goes without: why the
 * server refused is more than why this could not be explained.
 */
export function explainRejection(
  options: CheckedOptions,
): (request: AuthRequest, signed: SignedRequest, serverDate: string | null) => Promise<SignatureExplanation | undefined> {
  return async (request, signed, serverDate) => {
    try {
      const { explainSigned } = await import('./signature-explanation.ts');
      const serverMs = Date.parse(serverDate ?? '');
      const isServerTime = !Number.isNaN(serverMs);
      return await explainSigned({ request, signed, options, referenceMs: isServerTime ? serverMs : Date.now(), isServerTime });
    } catch {
      return undefined;
    }
  };
}
