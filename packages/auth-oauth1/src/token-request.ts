// RFC 5849 §2.1, §2.3: the requests for temporary credentials and for token credentials.
import { AuthError, type AuthRequest, type Awaitable, isAuthError, redactedCause, resolveSecret, type Secret } from '@authseam/core';
import { appendForm, appendQuery } from '@authseam/core/adapter';
import { explainRejection } from './explain-rejection.ts';
import { oauth1 } from './oauth1.ts';
import type { OAuth1TokenCredentials } from './oauth1-flow.ts';
import { endpointName, OAuth1FlowError, type OAuth1FlowErrorCode, type OAuth1FlowStep } from './oauth1-flow-error.ts';
import type { CheckedFlowOptions } from './oauth1-flow-options.ts';
import { checkOptions } from './oauth1-options.ts';
import { type ReceivedAnswer, receiveAnswer } from './receive-answer.ts';
import { credentialsIn } from './token-answer.ts';
import { tokenRefusal } from './token-refusal.ts';
import { withinTime } from './within-time.ts';

/** One of the two token requests. */
export interface TokenRequest {
  readonly step: Exclude<OAuth1FlowStep, 'authorization'>;
  readonly endpoint: string;
  /** What it is signed with besides the consumer's credentials. */
  readonly temporary?: { readonly token: string; readonly tokenSecret: string };
  /** Protocol parameters beside the standard ones. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** Where a token request stands when it fails. */
export interface TokenRequestPlace {
  /** `oauth1Flow: the request token endpoint at https://…`. */
  readonly at: string;
  readonly step: OAuth1FlowStep;
  readonly endpoint: string;
}

/**
 * Sends a signed token request, once, and reads the credentials in its answer.
 *
 * @returns A function that rejects with an `OAuth1FlowError`, a `ConfigurationError` for an unfit secret, or the signal's reason.
 */
export function createTokenRequest(options: CheckedFlowOptions): (request: TokenRequest) => Promise<OAuth1TokenCredentials> {
  const { timeoutMs } = options;
  return (request) => {
    const place = placeOf(request);
    const timeoutError = (): Error => failure('TOKEN_REQUEST_TIMEOUT', `did not answer within ${timeoutMs} ms. Try again later.`, place);
    return withinTime((signal) => exchange(options, request, place, signal), { timeoutMs, timeoutError, signal: request.signal });
  };
}

async function exchange(
  options: CheckedFlowOptions,
  { step, endpoint, temporary, parameters }: TokenRequest,
  place: TokenRequestPlace,
  signal: AbortSignal,
): Promise<OAuth1TokenCredentials> {
  const given = typeof options.consumerSecret === 'string' ? [options.consumerSecret] : [];
  const secrets = [...given, ...Object.values(temporary ?? {}), parameters['oauth_verifier'] ?? ''];
  const { method, headers } = options;
  const now = ownFunction(options.now, 'now', secrets);
  const consumer = {
    consumerKey: await ownSecret(options.consumerKey, 'consumerKey', secrets),
    consumerSecret: await ownSecret(options.consumerSecret ?? '', 'consumerSecret', secrets),
  };
  secrets.push(consumer.consumerSecret);
  const { privateKey } = options;
  const pem = typeof privateKey === 'function' && { privateKey: await ownPem(privateKey, secrets) };
  const signing = { ...signatureOptions(options, secrets), ...pem, ...consumer, ...temporary, parameters };
  const request: AuthRequest = { method, url: endpoint, headers: new Headers(headers), replayable: true, attempt: 1 };
  const patch = await oauth1(signing).authorize(request, { now, emit() {} });
  signal.throwIfAborted();
  const isForm = patch.form !== undefined;
  const init = {
    method,
    headers: { ...headers, ...patch.headers, ...(isForm && { 'Content-Type': 'application/x-www-form-urlencoded' }) },
    ...(patch.form && { body: appendForm(undefined, patch.form) }),
    signal,
  };
  let answer: ReceivedAnswer;
  try {
    answer = await receiveAnswer(options.fetch, appendQuery(endpoint, patch.query), init);
  } catch (error) {
    if (isAuthError(error)) throw error;
    throw failure('TOKEN_REQUEST_FAILED', 'could not be reached, or broke off. Check the URL and the network.', place, {
      cause: redactedCause(error, secrets),
    });
  }
  const read = credentialsIn(answer, step);
  if ('credentials' in read) return read.credentials;
  if ('misfit' in read) throw failure('OAUTH1_FLOW_BAD_ANSWER', read.misfit, place, { status: answer.status });
  const explain = explainRejection(checkOptions(signing));
  const explanation = patch.receipt && (await explain(request, patch.receipt, answer.headers.get('date')));
  throw await tokenRefusal(answer, {
    place,
    explanation,
    secrets: [...secrets, ...read.secrets],
    timestampSeconds: patch.receipt?.timestampSeconds,
  });
}

/** The options that `oauth1` takes too. Of `consumerSecret` and `token` the values of this request are added. */
function signatureOptions(options: CheckedFlowOptions, secrets: readonly string[]) {
  const { signatureMethod, privateKey, realm, placement, version } = options;
  const nonce = options.nonce && ownFunction(options.nonce, 'nonce', secrets);
  const timestampSeconds = options.timestampSeconds && ownFunction(options.timestampSeconds, 'timestampSeconds', secrets);
  const given = { signatureMethod, privateKey, realm, placement, version, nonce, timestampSeconds };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<typeof given> as object;
}

/** @throws {AuthError} with code `STRATEGY_FAILED` when the caller's own function does: that is no failure of the server. */
async function ownSecret(secret: Secret, option: string, secrets: readonly string[]): Promise<string> {
  try {
    return await resolveSecret(secret, { option, strategy: 'oauth1Flow', allowEmpty: option !== 'consumerKey' });
  } catch (error) {
    throw ownFailure(error, option, secrets);
  }
}

/** @throws {AuthError} as {@link ownSecret}. What it yields is checked where it is imported. */
async function ownPem(read: () => Awaitable<string>, secrets: readonly string[]): Promise<string> {
  try {
    return await read();
  } catch (error) {
    throw ownFailure(error, 'privateKey', secrets);
  }
}

/** `read`, with what it throws named; `secrets` are those known by then. */
function ownFunction<T>(read: () => T, option: string, secrets: readonly string[]): () => T {
  return () => {
    try {
      return read();
    } catch (error) {
      throw ownFailure(error, option, secrets);
    }
  };
}

function ownFailure(error: unknown, option: string, secrets: readonly string[]): unknown {
  if (isAuthError(error)) return error;
  const message = `oauth1Flow: the function given as \`${option}\` failed.`;
  return new AuthError(message, { code: 'STRATEGY_FAILED', strategy: 'oauth1Flow', cause: redactedCause(error, secrets) });
}

function placeOf({ step, endpoint: url }: TokenRequest): TokenRequestPlace {
  const endpoint = endpointName(url);
  const name = step === 'temporary-credentials' ? 'request token endpoint' : 'access token endpoint';
  return { at: `oauth1Flow: the ${name} at ${endpoint}`, step, endpoint };
}

function failure(
  code: OAuth1FlowErrorCode,
  problem: string,
  { at, step, endpoint }: TokenRequestPlace,
  more: { readonly cause?: unknown; readonly status?: number } = {},
): OAuth1FlowError {
  return new OAuth1FlowError(`${at} ${problem}`, { code, step, endpoint, ...more });
}
