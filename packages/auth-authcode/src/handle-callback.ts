// RFC 6749 §4.1.2: the authorization response. RFC 9207: its issuer. RFC 9700 §4: what may be wrong with it.
import { AuthError, redact, type TokenSet } from '@authseam/core';
import { checkIdToken, type TokenEndpointClient, type TokenIssuer } from '@authseam/oauth2';
import { AuthorizationError, callbackRejected } from './authorization-error.ts';
import { type AuthorizationTransaction, checkTransaction } from './authorization-transaction.ts';
import { type CallbackUrl, callbackParameters } from './callback-parameters.ts';
import type { SubjectChoice } from './subject.ts';
import { withinTime } from './time-limit.ts';
import { usedStates } from './used-states.ts';

/** Options of `handleCallback`. */
export interface CallbackOptions {
  /**
   * Who signed in, by your own name for them, or what tells it from their tokens. Left out: the strategy's default subject. `undefined`, a user that a
   * lookup did not find, is an error.
   */
  readonly subject?: SubjectChoice;
  /** Ends the wait with its reason. When the exchange has begun by then, the code is spent: the person has to sign in again. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** What callbacks of one strategy are handled with. */
export interface CallbackSettings {
  readonly client: TokenEndpointClient;
  readonly clientId: string;
  /** Whether `issuer` is configured: else the server has no name to compare `iss` with. */
  readonly hasIssuer: boolean;
  /** `resource` parameters, which the token request repeats (RFC 8707 §2.2). */
  readonly resources: readonly (readonly [string, string])[];
  readonly now: () => number;
  readonly strategy: string;
}

/** Limit of each step, in milliseconds: a form post that trickles in, metadata, the exchange of the code, which is never tried again. */
const TIMEOUT_MS = 10_000;

/** Exchanges callbacks for tokens; each state once. */
export function callbackHandler(
  settings: CallbackSettings,
): (callback: CallbackUrl, transaction: AuthorizationTransaction, signal: AbortSignal | undefined) => Promise<TokenSet> {
  const { client, clientId, strategy, now } = settings;
  const used = usedStates(now);

  return async (callback, given, signal) => {
    const transaction = checkTransaction(given, strategy);
    const limit = { signal, timeoutMs: TIMEOUT_MS, strategy };
    const timeoutError = () => callbackRejected(`did not arrive within ${TIMEOUT_MS / 1000} s`, strategy);
    const parameters = await withinTime({ ...limit, timeoutError }, (limited) => callbackParameters(callback, strategy, limited));
    if (transaction.issuer !== client.serverId || transaction.clientId !== clientId) {
      throw callbackRejected('belongs to another authorization server or client than this strategy', strategy);
    }
    const state = only(parameters, 'state', strategy);
    if (state !== transaction.state) {
      const isNone = !parameters.has('code') && !parameters.has('error');
      const problem = isNone
        ? 'URL holds no callback: no `code`, no `error`'
        : 'does not belong to this transaction: its `state` is another, or missing';
      throw callbackRejected(problem, strategy);
    }
    const metadata = await withinTime({ ...limit, advice: 'Nothing was exchanged: try again.' }, (limited) => client.metadata(limited));
    checkIssuer(only(parameters, 'iss', strategy), metadata, settings);
    const [error, description, code] = ['error', 'error_description', 'code'].map((name) => only(parameters, name, strategy));
    // Of two callbacks at once only one gets past this.
    if (!used.use(state)) throw callbackRejected('was used before', strategy);
    if (error !== undefined) throw refused(error, description, transaction, strategy);
    if (!code) throw callbackRejected('holds neither a code nor an error', strategy);
    const tokens = await withinTime({ ...limit, advice: 'The code is spent: sign in again.' }, (limited) =>
      exchanged(code, transaction, settings, limited),
    );
    const { idToken, ...rest } = tokens;
    // One that nobody asked for was not made for this request.
    if (transaction.nonce === undefined) return rest;
    if (!idToken)
      throw new AuthError(`${strategy}: \`openid\` was asked for, and there is no ID token.`, { code: 'ID_TOKEN_INVALID', strategy });
    const { nonce, maxAge } = transaction;
    await checkIdToken(idToken, { metadata, clientId, nonce, maxAge, nowMs: now(), strategy });
    return tokens;
  };
}

function exchanged(
  code: string,
  { redirectUri, codeVerifier, scope }: AuthorizationTransaction,
  { client, resources }: CallbackSettings,
  signal: AbortSignal,
): Promise<TokenSet> {
  const pairs: readonly (readonly [string, string])[] = [
    ['code', code],
    ['redirect_uri', redirectUri],
    ['code_verifier', codeVerifier],
    ...resources,
  ];
  return client.grant('authorization_code', pairs, { signal, scope });
}

/** On success and on errors alike, before anything else is believed (RFC 9207 §2.4). Of metadata that say `"true"` as text the strict reading is taken. */
function checkIssuer(iss: string | undefined, metadata: TokenIssuer, { hasIssuer, strategy }: CallbackSettings): void {
  const isPromised = (metadata.authorization_response_iss_parameter_supported ?? false) !== false;
  if (iss === undefined && isPromised) throw callbackRejected('lacks the `iss` that this server always sends', strategy);
  if (iss === undefined) return;
  if (hasIssuer && iss !== metadata.issuer) throw callbackRejected('comes from another issuer', strategy);
}

function refused(
  error: string,
  description: string | undefined,
  { state, codeVerifier, nonce = '' }: AuthorizationTransaction,
  strategy: string,
): AuthorizationError {
  const secrets = [state, codeVerifier, nonce];
  const isCode = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(error) && redact(error, secrets) === error;
  const code = isCode ? error : undefined;
  const errorDescription = description ? redact(description, secrets) : undefined;
  const said = code === 'access_denied' ? 'the person, or the server, said no' : 'the authorization server refused';
  const message = `${strategy}: ${said}${code ? ` (${code})` : ''}. Nobody was signed in.`;
  return new AuthorizationError(message, { code: 'AUTHORIZATION_REFUSED', strategy, error: code, errorDescription });
}

/** The one value of `name`: what stands there twice is not believed (RFC 6749 §3.1). */
function only(parameters: URLSearchParams, name: string, strategy: string): string | undefined {
  const [value, ...more] = parameters.getAll(name);
  if (more.length > 0) throw callbackRejected(`holds \`${name}\` more than once`, strategy);
  return value;
}
