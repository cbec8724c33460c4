/** One request to sign, in the shapes that the contenders take. */
export interface RequestToSign {
  readonly method: string;
  /** As it is sent. */
  readonly url: string;
  /** As it is sent, `application/x-www-form-urlencoded`. */
  readonly form?: string;
  /** The same form, as the peers want it: an object of decoded fields. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** One way to sign with OAuth 1. */
export interface Signer {
  readonly name: string;
  readonly role: 'ours' | 'peer' | 'reference';
  /** Signs with HMAC-SHA1, a fresh nonce and timestamp; answers the Authorization header. */
  readonly sign: (request: RequestToSign) => string;
}

/** The credentials of every contender; those of X's documentation. */
export const credentials = {
  consumerKey: 'xvz1evFS4wEEPTGEFPHBog',
  consumerSecret: 'kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw',
  token: '370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb',
  tokenSecret: 'LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE',
} as const;
