// RFC 5849 §3.1, §3.4.2: the consumer's and the token's shared secrets.
import { type Awaitable, checkSecret, isPromiseLike, redact, resolveSecret, type Secret, type SecretUse } from '@authseam/core';
import type { OAuth1Options } from './oauth1-options.ts';
import { percentEncode } from './percent-encode.ts';
import type { EncodedParameter } from './request-parameters.ts';
import type { Sign } from './signature/signature-method.ts';

/** One set of values of the four credentials. */
export interface Credentials {
  /** `oauth_consumer_key`, encoded. */
  readonly consumerKey: EncodedParameter;
  /** `oauth_token`, encoded; none where the request is signed for the application alone. */
  readonly token: readonly EncodedParameter[];
  /** Signs with the secrets, or with the private key. */
  readonly sign: Sign;
  /** Masks the secrets, and the token, in a server's words. A function, so that nobody who looks at a receipt sees them. */
  readonly redact: (text: string) => string;
  /** Whether the values are those of `other`, of the same strategy. Objects do not tell: tenants that take turns each get a new one for the same values. */
  readonly equals: (other: Credentials) => boolean;
}

/**
 * Resolves the credentials for each request; at once when they are strings or synchronous functions. Keys are made once for the same values.
 *
 * @throws {ConfigurationError} for a secret that cannot be one.
 */
export function createCredentials(
  options: OAuth1Options,
  signerOf: (signingKey: string, pem?: string) => Sign,
): () => Awaitable<Credentials> {
  const { consumerKey, consumerSecret = '', token = '', tokenSecret = '', privateKey } = options;
  const sources: readonly Source[] = [
    source(consumerKey, 'consumerKey', false),
    source(consumerSecret, 'consumerSecret', true),
    source(token, 'token', options.token === undefined),
    source(tokenSecret, 'tokenSecret', true),
    // Looked at when it is imported: it holds line breaks, which no other secret may.
    ...(typeof privateKey === 'function' ? [{ secret: privateKey }] : []),
  ];
  const valuesOf = new WeakMap<Credentials, readonly string[]>();
  let last: { readonly values: readonly string[]; readonly credentials: Credentials } | undefined;

  function credentialsOf(values: readonly string[]): Credentials {
    if (last && areSame(values, last.values)) return last.credentials;
    const [key = '', secret = '', tokenValue = '', tokenSecretValue = ''] = values.slice(0, 4).map(percentEncode);
    const signingKey = `${secret}&${tokenSecretValue}`;
    const secrets = [...values.slice(1), signingKey];
    const credentials: Credentials = {
      consumerKey: ['oauth_consumer_key', key],
      token: options.token === undefined ? [] : [['oauth_token', tokenValue]],
      sign: signerOf(signingKey, values[4]),
      redact: (text) => redact(text, secrets),
      equals: (other) => areSame(values, valuesOf.get(other)),
    };
    valuesOf.set(credentials, values);
    last = { values, credentials };
    return credentials;
  }

  if (sources.every(({ secret }) => typeof secret === 'string')) {
    const fixed = credentialsOf(sources.map(({ secret }) => secret as string));
    return () => fixed;
  }
  return () => {
    const values = sources.map(({ secret, use }) => (use ? resolveSecret(secret, use) : secret()));
    return values.some(isPromiseLike) ? Promise.all(values).then(credentialsOf) : credentialsOf(values as string[]);
  };
}

function areSame(values: readonly string[], others: readonly string[] | undefined): boolean {
  return values.every((value, index) => value === others?.[index]);
}

type Source = { readonly secret: Secret; readonly use: SecretUse } | { readonly secret: () => Awaitable<string>; readonly use?: never };

function source(secret: Secret, option: string, allowEmpty: boolean): Source {
  const use = { option, strategy: 'oauth1', allowEmpty };
  checkSecret(secret, use);
  return { secret, use };
}
