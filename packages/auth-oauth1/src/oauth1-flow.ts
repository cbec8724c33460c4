// RFC 5849 §2: redirection-based authorization.
import { ConfigurationError, checkKnownKeys } from '@authseam/core';
import { appendQuery } from '@authseam/core/adapter';
import { verifierOf } from './authorization-callback.ts';
import { type CheckedFlowOptions, checkFlowOptions, checkObject, type OAuth1FlowOptions } from './oauth1-flow-options.ts';
import { createTokenRequest } from './token-request.ts';

/**
 * What has to be kept between the two halves of a flow, with the session of the user agent that started it. Plain JSON. It holds a temporary secret:
 * keep it on the server, or where only this user can read it, and use it once.
 */
export interface OAuth1Transaction {
  /** `oauth_token` of the temporary credentials. */
  readonly token: string;
  /** Its secret. */
  readonly tokenSecret: string;
  /** Where it can be redeemed: a transaction of another server is refused. */
  readonly accessTokenEndpoint: string;
}

/** Token credentials: what `oauth1` takes as `token` and `tokenSecret`. They do not expire unless the server says so. */
export interface OAuth1TokenCredentials {
  /** `oauth_token`, decoded: names the user's consent. */
  readonly token: string;
  /** `oauth_token_secret`, decoded; some servers have an empty one. */
  readonly tokenSecret: string;
  /** What else the server answered, its own words: `user_id`, `screen_name`, `oauth_session_handle`, … */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Options of {@link OAuth1Flow.start}. */
export interface OAuth1FlowStartOptions {
  /** More parameters of the authorization URL: `screen_name`, `perms`, … Default none. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

/** The two halves of a flow; between them the user is away. */
export interface OAuth1Flow {
  /**
   * Gets temporary credentials, and says where to send the user.
   *
   * @throws {OAuth1FlowError} when the server refuses, answers with no credentials, or does not confirm the callback.
   */
  start(options?: OAuth1FlowStartOptions): Promise<{ readonly url: string; readonly transaction: OAuth1Transaction }>;
  /**
   * Exchanges what the user came back with for token credentials. Once: temporary credentials are good for one exchange, and a server refuses the
   * second.
   *
   * @param callback The URL that the user came back to, absolute or from its path on; with `callbackUrl: 'oob'` the code that the user typed in.
   * @throws {OAuth1FlowError} with code `OAUTH1_FLOW_DENIED` without consent, `OAUTH1_FLOW_MISMATCH` for the callback of another transaction, before
   * anything is sent; and as `start` does.
   */
  finish(
    callback: string | URL,
    transaction: OAuth1Transaction,
    options?: { readonly signal?: AbortSignal },
  ): Promise<OAuth1TokenCredentials>;
}

/**
 * The three-legged flow: temporary credentials, the user's consent, token credentials. Keeps no state: what has to be remembered is the transaction.
 *
 * Each token request is sent once and never again by itself, its answer limited to 64 KiB and `timeoutMs`; redirects are refused. The callback must be
 * confirmed by the server, and the user must come back with the token that they left with: nobody can be talked into finishing another's flow (which
 * was the hole in OAuth 1.0 before revision A).
 *
 * @throws {ConfigurationError} for options that are missing, misused or contradict each other.
 * @see RFC 5849 §2
 * @example
 * ```ts
 * import { oauth1Flow } from '@authseam/auth-oauth1';
 *
 * const site = 'https://login.example.com/oauth';
 * export const flow = oauth1Flow({
 *   ...{ consumerKey: 'example-consumer', consumerSecret: 'example-secret', callbackUrl: 'https://app.example.com/callback' },
 *   ...{ requestTokenEndpoint: `${site}/initiate`, authorizationEndpoint: `${site}/authorize`, accessTokenEndpoint: `${site}/token` },
 * });
 * // const { url, transaction } = await flow.start();   keep the transaction, redirect to the URL, and at the callback:
 * // const { token, tokenSecret } = await flow.finish(request.url, transaction);
 * ```
 */
export function oauth1Flow(options: OAuth1FlowOptions): OAuth1Flow {
  const checked = checkFlowOptions(options);
  const { requestTokenEndpoint, authorizationEndpoint, accessTokenEndpoint, callbackUrl } = checked;
  const request = createTokenRequest(checked);

  return Object.freeze({
    async start(options = {}) {
      checkKnownKeys(options, ['parameters', 'signal'], { strategy: 'oauth1Flow' });
      const { parameters = {}, signal } = options;
      checkObject(parameters, 'parameters');
      checkAuthorizationParameters(checked, parameters);
      const { token, tokenSecret } = await request({
        step: 'temporary-credentials',
        endpoint: requestTokenEndpoint,
        parameters: { ...checked.parameters, oauth_callback: callbackUrl },
        signal,
      });
      const url = appendQuery(authorizationEndpoint, [['oauth_token', token], ...Object.entries(parameters)]);
      return { url, transaction: { token, tokenSecret, accessTokenEndpoint } };
    },

    async finish(callback, transaction, options = {}) {
      checkKnownKeys(options, ['signal'], { strategy: 'oauth1Flow' });
      const { signal } = options;
      checkTransaction(transaction);
      const verifier = verifierOf(callback, transaction, checked);
      const { token, tokenSecret } = transaction;
      const parameters = { ...checked.parameters, oauth_verifier: verifier };
      return request({ step: 'token-credentials', endpoint: accessTokenEndpoint, temporary: { token, tokenSecret }, parameters, signal });
    },
  } satisfies OAuth1Flow);
}

function checkAuthorizationParameters({ authorizationEndpoint }: CheckedFlowOptions, parameters: Readonly<Record<string, string>>): void {
  const { searchParams } = new URL(authorizationEndpoint);
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value === 'string' && name !== 'oauth_token' && !searchParams.has(name)) continue;
    const message = 'oauth1Flow: `parameters` maps names to strings; none that the authorization URL has already.';
    throw new ConfigurationError(message, { option: 'parameters', strategy: 'oauth1Flow' });
  }
}

function checkTransaction(transaction: OAuth1Transaction | null | undefined): void {
  const { token, tokenSecret, accessTokenEndpoint } = transaction ?? {};
  if (token && [token, tokenSecret, accessTokenEndpoint].every((value) => typeof value === 'string')) return;
  const message =
    'oauth1Flow: `transaction` is not what start() answered. Was it kept with the session of the user who left? If not, start again.';
  throw new ConfigurationError(message, { option: 'transaction', strategy: 'oauth1Flow' });
}
