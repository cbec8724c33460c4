import { createHmac } from 'node:crypto';
import { authseam } from './authseam.ts';
import { baseStringOf } from './base-string-of.ts';
import { credentials, type RequestToSign, type Signer } from './sign.ts';

const key = `${credentials.consumerSecret}&${credentials.tokenSecret}`;

/** What no signer can save: the HMAC of a base string that is ready-made. */
export function bareHmac(request: RequestToSign): Signer {
  const baseString = baseStringOf(request, authseam.sign(request));
  return { name: 'bare createHmac', role: 'reference', sign: () => createHmac('sha1', key).update(baseString).digest('base64') };
}
