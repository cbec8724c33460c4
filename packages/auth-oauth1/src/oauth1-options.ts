// RFC 5849 §3.1: what a signature needs to know.
import { type AuthStrategy, ConfigurationError, checkKnownKeys, isPlainObject, type Secret } from '@authseam/core';
import { checkPatch } from '@authseam/core/adapter';
import type { PrivateKey } from './signature/rsa.ts';
import { type SignatureMethod, signatureMethods } from './signature/signature-method.ts';

/** Options of {@link oauth1}. RFC 5849 calls the consumer "client" and its key and secret "client credentials". */
export interface OAuth1Options {
  /** Names the application. */
  readonly consumerKey: Secret;
  /** May be empty. Default empty. RSA methods do not use it. */
  readonly consumerSecret?: Secret;
  /** Names the user's consent. Absent: the request is signed for the application alone. */
  readonly token?: Secret;
  /** Required with `token`, but for RSA methods; may be empty. */
  readonly tokenSecret?: Secret;
  /** Default `'HMAC-SHA1'`. */
  readonly signatureMethod?: SignatureMethod;
  /** Required for RSA methods: PEM (PKCS#8 or PKCS#1) or a function that yields it, JWK, CryptoKey or KeyObject. */
  readonly privateKey?: PrivateKey;
  /** Stands in the header, never in the signature. Default none. */
  readonly realm?: string;
  /** Where the protocol parameters go. Default `'header'`. `'form'` makes a form body where there is none. */
  readonly placement?: 'header' | 'query' | 'form';
  /** Signs every body that is no form, through `oauth_body_hash`; an empty one too. One-shot streams are refused then. Default `false`. */
  readonly bodyHash?: boolean;
  /** `oauth_version`; `false` leaves it out. Default `'1.0'`. */
  readonly version?: '1.0' | false;
  /** Protocol parameters beside the standard ones: `oauth_callback`, or a vendor's own. Signed like those. Default none. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Whether a response besides 401, and a 400 that names an `oauth_problem`, means that the credentials were rejected. Asked for status >= 400 only. */
  readonly isRejected?: NonNullable<AuthStrategy['isRejected']>;
  /** Must answer another value each time, never an empty one. Default 26 letters and digits from the platform's cryptographic random generator. */
  readonly nonce?: () => string;
  /** Whole seconds since the epoch. Default the adapter's clock; what was learnt about the server's is added to either. */
  readonly timestampSeconds?: () => number;
}

/** Options with their defaults. */
export type CheckedOptions = OAuth1Options &
  Required<Pick<OAuth1Options, 'signatureMethod' | 'placement' | 'bodyHash' | 'version' | 'parameters'>>;

/**
 * `options` with their defaults.
 *
 * @throws {ConfigurationError} for options that are unknown or contradict each other. Secrets are checked where they are resolved.
 */
export function checkOptions(options: OAuth1Options): CheckedOptions {
  checkKnownKeys(options, OPTIONS, { strategy: 'oauth1' });
  const { signatureMethod = 'HMAC-SHA1', placement = 'header', bodyHash = false, version = '1.0', realm } = options;
  refuseIf(!signatureMethods.includes(signatureMethod), 'signatureMethod', `is one of ${signatureMethods.join(', ')}`);
  checkTypes(options);
  const parameters = { ...options.parameters };
  const isRsa = signatureMethod.startsWith('RSA-');
  const isPlaintext = signatureMethod === 'PLAINTEXT';
  const { privateKey, token, tokenSecret } = options;
  refuseIf(!PLACEMENTS.includes(placement), 'placement', `is 'header', 'query' or 'form'`);
  refuseIf(version !== '1.0' && version !== false, 'version', `is '1.0' or false`);
  refuseIf(isRsa && (privateKey === undefined || privateKey === null), 'privateKey', `is required for ${signatureMethod}`);
  refuseIf(!isRsa && privateKey !== undefined, 'privateKey', `is for RSA methods; ${signatureMethod} signs with the secrets`);
  refuseIf(
    !isRsa && 'consumerSecret' in options && options.consumerSecret === undefined,
    'consumerSecret',
    `is undefined; if it is empty, say ''`,
  );
  refuseIf(token === undefined && tokenSecret !== undefined, 'token', 'is missing, and there is a `tokenSecret`');
  refuseIf('token' in options && token === undefined, 'token', 'is undefined; to sign for the application alone, leave it out');
  refuseIf(!isRsa && token !== undefined && tokenSecret === undefined, 'tokenSecret', `belongs to \`token\`; if it is empty, say ''`);
  refuseIf(bodyHash && isPlaintext, 'bodyHash', 'needs a signature to protect it, and PLAINTEXT has none');
  refuseIf(bodyHash && placement === 'form', 'bodyHash', "never goes with a form body, and `placement: 'form'` needs one");
  refuseIf(realm !== undefined && placement !== 'header', 'realm', 'stands in the Authorization header only');
  if (realm !== undefined) checkPatch({ headers: { Authorization: `OAuth realm="${realm}"` } }, 'oauth1', 'realm');
  for (const [name, value] of Object.entries(parameters)) {
    refuseIf(
      name === 'oauth_token' ? token !== undefined : OWN.includes(name),
      'parameters',
      `holds \`${name}\`, which has an option or is computed`,
    );
    refuseIf(name === '' || typeof value !== 'string', 'parameters', 'maps names to strings');
  }
  return { ...options, ...checkedSources(options), signatureMethod, placement, bodyHash, version, parameters };
}

/** What types say, for callers without them. */
function checkTypes({ bodyHash = false, realm = '', parameters = {}, ...options }: OAuth1Options): void {
  for (const option of ['isRejected', 'nonce', 'timestampSeconds'] as const) {
    refuseIf(options[option] !== undefined && typeof options[option] !== 'function', option, 'is a function');
  }
  refuseIf(typeof bodyHash !== 'boolean', 'bodyHash', 'is true or false');
  refuseIf(typeof realm !== 'string', 'realm', 'is a string');
  refuseIf(!isPlainObject(parameters), 'parameters', 'maps names to strings, as a plain object');
}

/** The caller's own sources of nonces and time, checked at each use: a server would take what they got wrong for a bad signature. */
function checkedSources({ nonce, timestampSeconds }: OAuth1Options): Pick<OAuth1Options, 'nonce' | 'timestampSeconds'> {
  const checkedNonce = (own: () => unknown): string => {
    const value = own();
    refuseIf(typeof value !== 'string' || value === '', 'nonce', 'must yield a string that is not empty');
    return value as string;
  };
  const checkedTime = (own: () => number): number => {
    const value = own();
    refuseIf(!Number.isFinite(value) || value < 0, 'timestampSeconds', 'must yield seconds since the epoch: Math.floor(ms / 1000)');
    return value;
  };
  return {
    ...(nonce && { nonce: () => checkedNonce(nonce) }),
    ...(timestampSeconds && { timestampSeconds: () => checkedTime(timestampSeconds) }),
  };
}

function refuseIf(isWrong: boolean, option: string, problem: string): void {
  if (isWrong) throw new ConfigurationError(`oauth1: \`${option}\` ${problem}.`, { option, strategy: 'oauth1' });
}

/** Those that make a signature: {@link oauth1} and the flow have them in common. */
export const SIGNING_OPTIONS: readonly (keyof OAuth1Options)[] = [
  ...(['consumerKey', 'consumerSecret', 'signatureMethod', 'privateKey', 'realm', 'placement'] as const),
  ...(['version', 'parameters', 'nonce', 'timestampSeconds'] as const),
];
const OPTIONS: readonly (keyof OAuth1Options)[] = [...SIGNING_OPTIONS, 'token', 'tokenSecret', 'bodyHash', 'isRejected'];
const PLACEMENTS: readonly unknown[] = ['header', 'query', 'form'];
const OWN: readonly string[] = [
  'realm',
  ...['consumer_key', 'nonce', 'signature', 'signature_method', 'timestamp', 'version', 'body_hash', 'consumer_secret', 'token_secret'].map(
    (name) => `oauth_${name}`,
  ),
];
