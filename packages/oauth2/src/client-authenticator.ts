// RFC 6749 §2.3.1, RFC 7523 §2.2: client authentication methods.
import { resolveSecret, type Secret } from '@authseam/core';
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None } from 'oauth4webapi';
import type {
  ClientAuthenticationMethod,
  ClientAuthenticationOptions,
  ClientAuthenticationSettings,
  ClientAuthenticator,
} from './client-authentication.ts';
import { ownFunction } from './own-function.ts';
import type { PrivateKey } from './private-key.ts';

/** Authenticates with `method`, whose options were checked. */
export function clientAuthenticator(
  method: ClientAuthenticationMethod,
  { clientSecret, privateKey, strategy, now = () => Date.now() }: ClientAuthenticationOptions & ClientAuthenticationSettings,
): ClientAuthenticator {
  let signer: ClientAuth | undefined;

  return async (secrets) => {
    if (method === 'none') return None();
    if (method === 'private_key_jwt') {
      const { privateKeyJwt } = await import('./client-assertion.ts');
      signer ??= privateKeyJwt(privateKey as PrivateKey, { strategy, now });
      return signer;
    }
    const use = { option: 'clientSecret', strategy };
    const secret = await ownFunction(() => resolveSecret(clientSecret as Secret, use), use);
    secrets.add(secret);
    if (method === 'client_secret_basic') return ClientSecretBasic(secret);
    if (method === 'client_secret_post') return ClientSecretPost(secret);
    const { clientSecretJwt } = await import('./client-assertion.ts');
    return clientSecretJwt(secret, { now });
  };
}
