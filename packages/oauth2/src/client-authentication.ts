// RFC 6749 §2.3, OpenID Connect Core 1.0 §9: how a client proves itself at the token endpoint.
import { ConfigurationError, checkSecret, type Secret } from '@authseam/core';
import type { ClientAuth } from 'oauth4webapi';
import { clientAuthenticator } from './client-authenticator.ts';
import { checkPrivateKey, type PrivateKey } from './private-key.ts';

/** Values of the IANA registry "OAuth Token Endpoint Authentication Methods" (RFC 7591 §2) that are spoken here. */
export type ClientAuthenticationMethod = 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'none';

/** Who the client is, and the one way in which it proves that. */
export type ClientAuthenticationOptions = {
  /** Client identifier (RFC 6749 §2.2). */
  readonly clientId: string;
} & (
  | {
      readonly clientSecret?: never;
      /** Default, where there is a `privateKey`. */
      readonly clientAuthentication?: 'private_key_jwt';
      readonly privateKey: PrivateKey;
    }
  | {
      readonly clientSecret?: never;
      /** `'none'` sends the client identifier alone. */
      readonly clientAuthentication: 'none';
      readonly privateKey?: never;
    }
  // Last, because TypeScript explains a mismatch by the last one.
  | {
      /** Asked at each token request, if it is a function. */
      readonly clientSecret: Secret;
      /** Default `'client_secret_basic'`. With `'client_secret_jwt'` the secret itself is not sent: it signs with HS256. */
      readonly clientAuthentication?: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt';
      readonly privateKey?: never;
    }
);

/** What surrounds a client's authentication. */
export interface ClientAuthenticationSettings {
  /** `name` of the strategy, for errors. */
  readonly strategy: string;
  /** Milliseconds since the epoch: dates assertions. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Resolves secrets and keys for one token request, and answers what oauth4webapi puts on it.
 *
 * @param secrets Is given the client secret, so that it can be kept out of messages.
 */
export type ClientAuthenticator = (secrets: Set<string>) => Promise<ClientAuth>;

/**
 * How one client authenticates at its token endpoint. Secrets that are functions are asked at each token request, keys imported once. The id and the
 * secret are form-encoded before Basic (RFC 6749 §2.3.1). Code for signing is loaded with the first assertion.
 *
 * Assertions are RFC 7523 as RFC 10070 tightens it: `aud` is the issuer alone (without one, the token endpoint), `typ` is
 * `client-authentication+jwt`, they live for 60 seconds, and each has a `jti` of its own.
 *
 * @throws {ConfigurationError} for a method without what it needs, with what it does not use, or with a key in another format; at first use for a key
 * that cannot be imported. Secrets and keys are never shown.
 * @see RFC 6749 §2.3, RFC 7523 §2.2, RFC 10070
 * @example
 * ```ts
 * import { clientAuthentication } from '@authseam/oauth2';
 *
 * export const authenticate = clientAuthentication({ clientId: 'reports', clientSecret: () => 'example', strategy: 'partner' });
 * ```
 */
export function clientAuthentication(options: ClientAuthenticationOptions & ClientAuthenticationSettings): ClientAuthenticator {
  const { clientId, privateKey, strategy } = options;
  const { clientAuthentication: method = privateKey ? 'private_key_jwt' : 'client_secret_basic' } = options;
  if (typeof clientId === 'function')
    throw misfit('clientId', "must be a string: call the function, as in `fromEnv('CLIENT_ID')()`", strategy);
  if (typeof clientId !== 'string') throw misfit('clientId', 'must be a string', strategy);
  checkSecret(clientId, { option: 'clientId', strategy });
  checkMethod(method, options);
  return clientAuthenticator(method, options);
}

/** One method, with all that it needs and nothing that another one needs. */
function checkMethod(
  method: unknown,
  { clientSecret, privateKey, strategy }: ClientAuthenticationOptions & ClientAuthenticationSettings,
): void {
  if (!METHODS.includes(method)) throw misfit('clientAuthentication', `must be one of ${METHODS.join(', ')}`, strategy);
  const needed = method === 'none' ? undefined : method === 'private_key_jwt' ? 'privateKey' : 'clientSecret';
  for (const [option, value] of Object.entries({ clientSecret, privateKey })) {
    if (option === needed && value === undefined)
      throw misfit(option, `is missing: ${method} needs it (a public client says \`clientAuthentication: 'none'\`)`, strategy);
    if (option !== needed && value !== undefined)
      throw misfit(option, `is not used by ${method}: leave it out, or choose another \`clientAuthentication\``, strategy);
  }
  if (clientSecret !== undefined) checkSecret(clientSecret, { option: 'clientSecret', strategy });
  if (privateKey !== undefined) checkPrivateKey(privateKey, strategy);
}

function misfit(option: string, problem: string, strategy: string): ConfigurationError {
  return new ConfigurationError(`${strategy}: \`${option}\` ${problem}.`, { option, strategy });
}

const METHODS: readonly unknown[] = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'];
