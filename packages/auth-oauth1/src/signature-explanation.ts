// RFC 5849 §3.4: what went into a signature, as data, with all masked that is secret.
import { type AuthRequest, resolveSecret, type Secret } from '@authseam/core';
import { authorizationHeader } from './authorization-header.ts';
import { maskedParameter, maskedText, maskedUri } from './masked-parameter.ts';
import type { CheckedOptions } from './oauth1-options.ts';
import { percentEncode } from './percent-encode.ts';
import { type EncodedParameter, encodedParameters, queryOf } from './request-parameters.ts';
import type { SignedRequest } from './sign-request.ts';
import type { SignatureMethod } from './signature/signature-method.ts';
import { type SignatureCause, signatureCauses } from './signature-causes.ts';
import { signatureReport } from './signature-report.ts';

/** One parameter of a signature. */
export interface ExplainedParameter {
  /** Encoded, as it is signed. */
  readonly name: string;
  /** Encoded, as it is signed. Secrets, keys and tokens hold `…` in place of what is left out. */
  readonly value: string;
  /** Where it came from: the URL, the form body, or OAuth itself. */
  readonly source: 'query' | 'form' | 'oauth';
}

/** Everything that went into one signature. No secret shows in it. */
export interface SignatureExplanation {
  /** HTTP method, in upper case as it is signed. */
  readonly method: string;
  /** RFC 5849 §3.4.1.2. */
  readonly baseStringUri: string;
  /** In the order in which they are signed (RFC 5849 §3.4.1.3.2). */
  readonly parameters: readonly ExplainedParameter[];
  /** The same as one text. */
  readonly normalizedParameters: string;
  /** RFC 5849 §3.4.1.1. Where it holds `…`, something is left out. */
  readonly baseString: string;
  /** `oauth_signature_method`. */
  readonly signatureMethod: SignatureMethod;
  /** Its parts as lengths before encoding, in characters: `(24 characters)&(empty)`. `(RSA private key)` for RSA methods. */
  readonly signingKey: string;
  /** Before encoding. For PLAINTEXT, whose signature is the signing key, that one's lengths. */
  readonly signature: string;
  /** Where the protocol parameters go, as it was configured. */
  readonly placement: 'header' | 'query' | 'form';
  /** What is added to the request: the value of `Authorization`, or the pairs that are appended to query or form. */
  readonly credentials: string;
  /** `oauth_timestamp`. */
  readonly timestampSeconds: number;
  /** What was added to our own clock, to make it the server's. */
  readonly clockOffsetSeconds: number;
  /** What in this request often makes a signature fail, likeliest first. Empty where nothing stands out. */
  readonly causes: readonly SignatureCause[];
  /** All of it as text, for a person. */
  readonly text: string;
  /** The same as `text`. */
  toString(): string;
}

/** A signature that was made, and what surrounded it. */
export interface SignatureInQuestion {
  /** As the caller made it. */
  readonly request: Pick<AuthRequest, 'method' | 'url' | 'headers' | 'body'>;
  readonly signed: SignedRequest;
  readonly options: CheckedOptions;
  /** What the timestamp is compared with: the server's `Date`, or our clock. Milliseconds since the epoch. */
  readonly referenceMs: number;
  readonly isServerTime: boolean;
}

/** Takes a signed request apart. Secrets that are functions are asked once more: only their lengths, and what is odd about them, are used. */
export async function explainSigned(question: SignatureInQuestion): Promise<SignatureExplanation> {
  const { signed, options } = question;
  const { signatureMethod, placement, realm } = options;
  const { parameters, requestParameters, baseString, credentials, timestampSeconds, clockOffsetSeconds } = signed;
  const parts = baseString.split('&');
  const [method = '', uri = '', normalized = ''] = parts.map(decodeURIComponent);
  const secrets = { consumerSecret: await secretNow(options.consumerSecret), tokenSecret: await secretNow(options.tokenSecret) };
  const isRsa = signatureMethod.startsWith('RSA-');
  const signingKey = isRsa ? '(RSA private key)' : `${lengthOf(secrets.consumerSecret)}&${lengthOf(secrets.tokenSecret)}`;
  const isPlaintext = signatureMethod === 'PLAINTEXT';
  const mask = (parameter: EncodedParameter, source: ExplainedParameter['source']): EncodedParameter =>
    maskedParameter(parameter, source, credentials);

  const shown = sourcedParameters(question, normalized).map(({ parameter, source }): ExplainedParameter => {
    const [name, value] = mask(parameter, source);
    return { name, value, source };
  });
  const normalizedParameters = shown.map(({ name, value }) => `${name}=${value}`).join('&');
  const baseStringUri = maskedUri(uri, credentials);
  const shownMethod = maskedText(method, credentials);
  const shownParts = [shownMethod, baseStringUri, normalizedParameters];
  const sent = parameters.map((parameter) => mask(parameter, 'oauth'));
  const signature: EncodedParameter = ['oauth_signature', isPlaintext ? '…' : encodeURIComponent(signed.signature)];
  const pairs = [...sent, signature].map(([name, value]) => `${name}=${value}`).join('&');

  return withReport({
    method: shownMethod,
    baseStringUri,
    parameters: shown,
    normalizedParameters,
    baseString: parts.map((part, index) => encodedAround(shownParts[index] ?? '', part)).join('&'),
    signatureMethod,
    signingKey,
    signature: isPlaintext ? signingKey : signed.signature,
    placement,
    credentials: placement === 'header' ? authorizationHeader([...sent, signature], realm && maskedText(realm, credentials)) : pairs,
    timestampSeconds,
    clockOffsetSeconds,
    causes: signatureCauses({ ...question, secrets, names: requestParameters.map(([name]) => name) }),
  });
}

/** The parameters in the order in which they were signed, read off the base string itself, each with where it came from. */
function sourcedParameters({ request, signed }: SignatureInQuestion, normalized: string) {
  const own = signed.requestParameters;
  const queryCount = encodedParameters(queryOf(new URL(request.url).href)).length;
  const sourced = [
    ...own.map((parameter, index) => ({ parameter, source: index < queryCount ? 'query' : 'form' }) as const),
    ...signed.parameters.map((parameter) => ({ parameter, source: 'oauth' }) as const),
  ];
  return normalized.split('&').flatMap((pair) => {
    const at = sourced.findIndex(({ parameter: [name, value] }) => `${name}=${value}` === pair);
    return at < 0 ? [] : sourced.splice(at, 1);
  });
}

/** A secret whose function fails now has signed before: that failure is not the one to tell about. */
async function secretNow(secret: Secret | undefined): Promise<string | undefined> {
  try {
    return await resolveSecret(secret ?? '', { option: 'secret', strategy: 'oauth1', allowEmpty: true });
  } catch {
    return undefined;
  }
}

function lengthOf(secret: string | undefined): string {
  if (secret === undefined) return '(unknown)';
  return secret === '' ? '(empty)' : `(${secret.length} character${secret.length === 1 ? '' : 's'})`;
}

/** `shown` as it is signed, with the marks of what is left out: the signed part itself where nothing is. */
function encodedAround(shown: string, signedPart: string): string {
  return shown === decodeURIComponent(signedPart) ? signedPart : shown.split('…').map(percentEncode).join('…');
}

/** The report is made when it is read, does not show among the data, and is what `console.log` prints, of an error that holds it too. */
function withReport(data: Omit<SignatureExplanation, 'text' | 'toString'>): SignatureExplanation {
  const text = { get: () => signatureReport(data) };
  const toText = { value: () => signatureReport(data) };
  return Object.freeze(
    Object.defineProperties({ ...data }, { text, toString: toText, [Symbol.for('nodejs.util.inspect.custom')]: toText }),
  ) as SignatureExplanation;
}
