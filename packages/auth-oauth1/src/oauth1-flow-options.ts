// RFC 5849 §2: what the three-legged flow needs to know.
import { ConfigurationError, checkKnownKeys, isLoopback, isPlainObject } from '@authseam/core';
import { checkPatch } from '@authseam/core/adapter';
import { oauth1 } from './oauth1.ts';
import { type OAuth1Options, SIGNING_OPTIONS } from './oauth1-options.ts';
import { encodedParameters, queryOf } from './request-parameters.ts';

/** Options of {@link oauth1Flow}: those of `oauth1` that make a signature, the server's three endpoints, and where the user comes back. */
export interface OAuth1FlowOptions
  extends Pick<
    OAuth1Options,
    | 'consumerKey'
    | 'consumerSecret'
    | 'signatureMethod'
    | 'privateKey'
    | 'realm'
    | 'placement'
    | 'version'
    | 'parameters'
    | 'nonce'
    | 'timestampSeconds'
  > {
  /** Where temporary credentials come from (RFC 5849 §2.1): absolute, https or loopback. */
  readonly requestTokenEndpoint: string;
  /** Where the user consents (§2.2): absolute, https or loopback. */
  readonly authorizationEndpoint: string;
  /** Where token credentials come from (§2.3): absolute, https or loopback. */
  readonly accessTokenEndpoint: string;
  /** Where the user is sent back to, of any scheme; `'oob'` where the server shows a code instead, which the user types in. */
  readonly callbackUrl: string;
  /** Method of both token requests. Default `'POST'`. */
  readonly method?: 'POST' | 'GET';
  /** More headers of both token requests: the `User-Agent` that Discogs wants, say. Default none. */
  readonly headers?: Readonly<Record<string, string>> | Headers;
  /** Limit of each token request, its answer included, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  /** Sends the token requests, never through an authenticated client. Default: the platform's `fetch`, looked up at each use. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** Options with their defaults. */
export type CheckedFlowOptions = Omit<OAuth1FlowOptions, 'headers'> &
  Required<Pick<OAuth1FlowOptions, 'method' | 'timeoutMs' | 'now' | 'parameters'>> & { readonly headers: Readonly<Record<string, string>> };

/**
 * `options` with their defaults.
 *
 * @throws {ConfigurationError} that names the option and never shows its value.
 */
export function checkFlowOptions(options: OAuth1FlowOptions): CheckedFlowOptions {
  checkKnownKeys(options, OPTIONS, { strategy: 'oauth1Flow' });
  const { method = 'POST', timeoutMs = 10_000, now = () => Date.now(), parameters = {}, callbackUrl } = options;
  for (const option of ENDPOINTS) checkEndpoint(options[option], option);
  refuseIf(!isCallback(callbackUrl), 'callbackUrl', `is an absolute URL without fragment and oauth_* parameters, or 'oob'`);
  refuseIf(method !== 'POST' && method !== 'GET', 'method', `is 'POST' or 'GET'`);
  refuseIf(method === 'GET' && options.placement === 'form', 'placement', "'form' needs `method: 'POST'`");
  refuseIf(!(timeoutMs > 0 && timeoutMs < 2 ** 31), 'timeoutMs', 'is a number of milliseconds above 0');
  for (const option of ['fetch', 'now', 'nonce', 'timestampSeconds'] as const) {
    refuseIf(!['function', 'undefined'].includes(typeof options[option]), option, 'is a function');
  }
  checkObject(parameters, 'parameters');
  for (const name of ['oauth_callback', 'oauth_verifier', 'oauth_token']) {
    refuseIf(Object.hasOwn(parameters, name), 'parameters', `holds \`${name}\`, which the flow itself sets`);
  }
  const headers = headersOf(options.headers);
  checkPatch({ headers }, 'oauth1Flow', 'headers');
  refuseIf(
    Object.keys(headers).some((name) => /^(?:authorization|content-type|content-length)$/i.test(name)),
    'headers',
    'holds a header that the flow itself sets',
  );
  oauth1(signingOptions(options)); // what it says about keys and methods holds here too
  return { ...options, method, headers, timeoutMs, now, parameters };
}

/** Those of `options` that `oauth1` takes too. What is not given stays so: there it makes a difference. */
function signingOptions(options: OAuth1FlowOptions): OAuth1Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => (SIGNING_OPTIONS as readonly string[]).includes(name))) as never;
}

/** @throws {ConfigurationError} unless `value` is an object of named members. */
export function checkObject(value: unknown, option: string): void {
  refuseIf(!isPlainObject(value), option, 'is an object of named members');
}

function headersOf(headers: OAuth1FlowOptions['headers'] = {}): Record<string, string> {
  if (headers instanceof Headers) return Object.fromEntries(headers);
  checkObject(headers, 'headers');
  return { ...headers };
}

/** RFC 5849 §2.1, §2.3: the answers hold secrets, so TLS is required. */
function checkEndpoint(value: unknown, option: string): void {
  const isText = typeof value === 'string' && !/[\s#\\]/.test(value) && URL.canParse(value);
  const url = isText ? new URL(value) : undefined;
  const isPrivate = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url));
  const isFit = url && isPrivate && !url.username && !url.password && !hasProtocolParameter(url.href);
  refuseIf(
    !isFit,
    option,
    'must be an absolute https URL (http on loopback only) without user name, password, fragment and oauth_* parameters',
  );
}

function isCallback(value: unknown): boolean {
  if (value === 'oob') return true;
  return typeof value === 'string' && !/[\s#]/.test(value) && URL.canParse(value) && !hasProtocolParameter(value);
}

function hasProtocolParameter(url: string): boolean {
  return encodedParameters(queryOf(url)).some(([name]) => name.startsWith('oauth_'));
}

function refuseIf(isWrong: boolean, option: string, problem: string): void {
  if (isWrong) throw new ConfigurationError(`oauth1Flow: \`${option}\` ${problem}.`, { option, strategy: 'oauth1Flow' });
}

const ENDPOINTS = ['requestTokenEndpoint', 'authorizationEndpoint', 'accessTokenEndpoint'] as const;
const OPTIONS: readonly (keyof OAuth1FlowOptions)[] = [
  ...(SIGNING_OPTIONS as readonly (keyof OAuth1FlowOptions)[]),
  ...ENDPOINTS,
  ...(['callbackUrl', 'method', 'headers', 'timeoutMs', 'fetch', 'now'] as const),
];
