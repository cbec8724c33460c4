// RFC 5849 §3.2: what a server does with a signed request. Written from the RFC, and sharing nothing with the signer that it judges.
import type { KeyObject } from 'node:crypto';
import type { ReceivedRequest } from '../received-request.ts';
import { expectedBaseString } from './expected-base-string.ts';
import { type OAuth1Refusal, refusal } from './oauth1-refusal.ts';
import { bodyHash, isSignedWith, OAUTH1_SIGNATURE_METHODS, type OAuth1SignatureMethod } from './signature-check.ts';
import { isForm, type OAuth1Placement, type SignedParameter, signedParameters } from './signed-parameters.ts';

/** Options of {@link oauth1Verifier}. */
export interface OAuth1VerifierOptions {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  /** Registered for RSA. */
  readonly publicKey?: KeyObject | undefined;
  readonly signatureMethods: readonly OAuth1SignatureMethod[];
  readonly now: () => number;
  /** How far a timestamp may be from the server's clock, either way. */
  readonly timestampWindowSeconds: number;
}

/** What a token may do here: its secret, or why it is refused. The token is `''` where none was sent. */
export type TokenLookup = (token: string) => { readonly tokenSecret: string } | OAuth1Refusal;

/** What a server made of one signed request. */
export interface OAuth1Verdict {
  /** Why it was refused; absent when everything was right. */
  readonly refusal?: OAuth1Refusal;
  /** `oauth_*` by name, decoded, as far as they could be read. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Where these stood; absent where there were none. */
  readonly placement?: OAuth1Placement;
  /** The base string as the server reads the request; absent where that was not possible. */
  readonly baseString?: string;
}

/** Judges signed requests, and remembers their nonces. */
export interface OAuth1Verifier {
  verify(request: ReceivedRequest, tokens: TokenLookup): OAuth1Verdict;
}

/** A verifier with an empty memory. */
export function oauth1Verifier(options: OAuth1VerifierOptions): OAuth1Verifier {
  const seen = new Set<string>();
  const isReplay = ({ parameters: { oauth_consumer_key, oauth_token, oauth_timestamp, oauth_nonce } }: Claim) => {
    if (oauth_nonce === undefined) return false;
    const use = JSON.stringify([oauth_consumer_key, oauth_token ?? '', oauth_timestamp, oauth_nonce]);
    const isUsed = seen.has(use);
    seen.add(use);
    return isUsed;
  };

  return Object.freeze({
    verify(request: ReceivedRequest, tokens: TokenLookup): OAuth1Verdict {
      const claim = claimOf(request);
      if ('problem' in claim) return { refusal: claim, parameters: {} };
      const { parameters, placement, baseString } = claim;
      const refused =
        misshapen(claim, options) ??
        outOfTime(claim, options) ??
        unproven(claim, options, tokens) ??
        // Last: a request that proved nothing must not use up the nonce of one that will.
        (isReplay(claim) ? refusal('nonce_used', 'The nonce was used before with this timestamp.') : undefined);
      return { parameters, placement, baseString, ...(refused !== undefined && { refusal: refused }) };
    },
  });
}

/** What a request says of itself. */
interface Claim {
  readonly request: ReceivedRequest;
  readonly parameters: Readonly<Record<string, string>>;
  readonly placement: OAuth1Placement;
  readonly baseString: string;
}

function claimOf(request: ReceivedRequest): Claim | OAuth1Refusal {
  const all = signedParameters(request);
  if (typeof all === 'string') return refusal('parameter_rejected', all);
  const own = all.filter(({ name }) => name.toString('latin1').startsWith('oauth_'));
  const placement = own[0]?.place;
  if (placement === undefined) return absent(['oauth_consumer_key', 'oauth_signature']);
  const names = own.map(({ name }) => name.toString());
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) return rejected(repeated, 'stands there more than once');
  const stray = own.find(({ place }) => place !== placement);
  if (stray !== undefined) return rejected(stray.name.toString(), `stands in the ${stray.place}, others in the ${placement}`);
  return { request, parameters: byName(own), placement, baseString: expectedBaseString(request, all) };
}

function byName(parameters: readonly SignedParameter[]): Readonly<Record<string, string>> {
  const named = parameters.map(({ name, value }) => [name.toString(), value.toString()] as const);
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(named)));
}

function misshapen({ parameters, request }: Claim, { signatureMethods }: OAuth1VerifierOptions): OAuth1Refusal | undefined {
  const { oauth_version: version, oauth_signature_method: method } = parameters;
  const isPlain = method === 'PLAINTEXT'; // which needs neither nonce nor timestamp (§3.1)
  const needed = ['oauth_consumer_key', 'oauth_signature_method', 'oauth_signature'];
  const missing = [...needed, ...(isPlain ? [] : ['oauth_timestamp', 'oauth_nonce'])].filter((name) => !parameters[name]);
  if (missing.length > 0) return absent(missing);
  if (version !== undefined && version !== '1.0') {
    return refusal('version_rejected', `oauth_version is ${version}.`, { oauth_acceptable_versions: '1.0-1.0' });
  }
  if (!signatureMethods.some((known) => known === method)) {
    return refusal('signature_method_rejected', `This server takes ${signatureMethods.join(', ')}.`);
  }
  if (parameters['oauth_body_hash'] !== undefined && isForm(request)) return rejected('oauth_body_hash', 'is not for forms');
  return undefined;
}

function outOfTime({ parameters }: Claim, { now, timestampWindowSeconds }: OAuth1VerifierOptions): OAuth1Refusal | undefined {
  const timestamp = parameters['oauth_timestamp'];
  if (timestamp === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(timestamp)) return rejected('oauth_timestamp', 'is no positive integer');
  const nowSeconds = Math.floor(now() / 1000);
  if (Math.abs(Number(timestamp) - nowSeconds) <= timestampWindowSeconds) return undefined;
  const [earliest, latest] = [nowSeconds - timestampWindowSeconds, nowSeconds + timestampWindowSeconds];
  return refusal('timestamp_refused', `The timestamp is not between ${earliest} and ${latest}.`, {
    oauth_acceptable_timestamps: `${earliest}-${latest}`,
  });
}

function unproven(claim: Claim, options: OAuth1VerifierOptions, tokens: TokenLookup): OAuth1Refusal | undefined {
  const { parameters, baseString, request } = claim;
  const { consumerKey, consumerSecret, publicKey } = options;
  if (parameters['oauth_consumer_key'] !== consumerKey) return refusal('consumer_key_unknown', 'The consumer key is unknown.');
  const token = tokens(parameters['oauth_token'] ?? '');
  if ('problem' in token) return token;
  const method = OAUTH1_SIGNATURE_METHODS.find((known) => known === parameters['oauth_signature_method']) ?? 'PLAINTEXT';
  const keys = { consumerSecret, publicKey, tokenSecret: token.tokenSecret };
  if (!isSignedWith(keys, method, baseString, parameters['oauth_signature'] ?? '')) {
    return refusal('signature_invalid', 'The signature does not match the request.');
  }
  const hash = parameters['oauth_body_hash'];
  const isOtherBody = hash !== undefined && hash !== bodyHash(method, request.body);
  return isOtherBody ? refusal('signature_invalid', 'oauth_body_hash does not match the body.') : undefined;
}

function absent(names: readonly string[]): OAuth1Refusal {
  return refusal('parameter_absent', `Missing: ${names.join(', ')}.`, { oauth_parameters_absent: names.join('&') });
}

function rejected(name: string, reason: string): OAuth1Refusal {
  return refusal('parameter_rejected', `${name} ${reason}.`, { oauth_parameters_rejected: name });
}
