// RFC 6749 §4.1: the authorization code grant. RFC 7636: PKCE.
import {
  type AuthStrategy,
  checkKnownKeys,
  isAuthError,
  memoryStore,
  type TokenSet,
  type TokenSource,
  TokenStoreError,
} from '@authseam/core';
import { grantParameters, tokenEndpointClient } from '@authseam/oauth2';
import { type AuthorizationCodeOptions, checkSettings, OPTIONS } from './authorization-code-options.ts';
import type { AuthorizationTransaction } from './authorization-transaction.ts';
import { type AuthorizationUrlOptions, authorizationUrl } from './authorization-url.ts';
import type { CallbackUrl } from './callback-parameters.ts';
import { type CallbackOptions, callbackHandler } from './handle-callback.ts';
import type { Session } from './session.ts';
import { createSessions } from './sessions.ts';
import { revokeQuietly, type SignOutResult, signOutOfServer } from './sign-out.ts';
import { checkSubject, checkSubjectOption, subjectOf } from './subject.ts';

/** Options of `signOut`. */
export interface SignOutOptions {
  /** Who leaves. Left out: the default subject. `undefined`, a user that a lookup did not find, is an error. */
  readonly subject?: string;
  /** Where the server sends people back to after signing out of it, as it is registered there. Default: it keeps them. */
  readonly postLogoutRedirectUri?: string | undefined;
  /** Ends the wait for the server with its reason. The tokens are forgotten here by then; nobody knows whether they were revoked. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link authorizationCode} answers: a strategy and token source for its default subject, and what signs people in and out. */
export interface AuthorizationCode extends AuthStrategy<TokenSet>, Required<TokenSource> {
  /** As it was configured. */
  readonly redirectUri: string;
  /**
   * Where to send somebody to sign in. Nothing is remembered here: keep `transaction` with that user agent until the callback.
   *
   * @throws {ConfigurationError} when the metadata are another issuer's, or the server does not support PKCE with S256.
   */
  createAuthorizationUrl(
    options?: AuthorizationUrlOptions,
  ): Promise<{ readonly url: string; readonly transaction: AuthorizationTransaction }>;
  /**
   * Exchanges the code of a callback for tokens and keeps them. One request, never repeated.
   *
   * @throws {AuthorizationError} when the callback does not belong to `transaction`, or says no. {TokenEndpointError} when the exchange is refused.
   * {AuthError} with code `ID_TOKEN_INVALID`. {ConfigurationError} for a `subject` that is none; and what a function given for it throws: the code is
   * spent by then, and nothing is kept. {TokenStoreError} when the tokens could not be stored. What is not kept is revoked, where the server can.
   */
  handleCallback(callbackUrl: CallbackUrl, transaction: AuthorizationTransaction, options?: CallbackOptions): Promise<TokenSet>;
  /**
   * The strategy of one of many users. Cheap: make one for each request, or keep it. Users never share tokens, and never wait for each other. Who was
   * not asked for in a while is read from the store again. Call its methods on it: they do not work alone. Always `await` its `getToken()`.
   *
   * @param subject Your own name for the user: it becomes part of the store key.
   */
  session(subject: string): AuthStrategy<TokenSet> & Required<TokenSource>;
  /**
   * Forgets the tokens here, and revokes them at the server where it can (RFC 7009). A refresh under way changes nothing any more. Another process that
   * has the token in memory may send it until it runs out, and cannot refresh it.
   *
   * @throws {TokenStoreError} when the store could not forget them; they were revoked nevertheless, where the server can.
   */
  signOut(options?: SignOutOptions): Promise<SignOutResult>;
}

/**
 * Signs people in with the authorization code grant and PKCE (S256, always), sends their tokens and refreshes them for ever. The server is found by
 * its `issuer` or named by its endpoints.
 *
 * Concurrency: per subject everything that `createTokenManager` promises; a refresh token is sent by one caller at a time, and with a `store` that
 * locks by one process at a time.
 *
 * @returns A frozen strategy that is a token source too. Always `await` its `getToken()`, and a session's: a token that is at hand it may answer without
 * a promise, so that there is no `.then` to call.
 * @throws {ConfigurationError} at once for options that are missing, misused or contradict each other. Calls end in an `InteractionRequiredError` when
 * a person has to sign in, first or again; its `authorization` goes to `createAuthorizationUrl` as it is.
 * @see RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 9700
 * @example
 * ```ts
 * import { authorizationCode } from '@authseam/auth-authcode';
 *
 * const auth = authorizationCode({
 *   issuer: 'https://login.example.com',
 *   clientId: 'my-app',
 *   clientAuthentication: 'none',
 *   redirectUri: 'https://app.example.com/callback',
 *   scope: 'openid offline_access',
 * });
 * export const signIn = () => auth.createAuthorizationUrl();
 * ```
 */
export function authorizationCode(options: AuthorizationCodeOptions): AuthorizationCode {
  const strategy = 'authorizationCode';
  checkKnownKeys(options, OPTIONS, { strategy });
  checkSettings(options, strategy);
  const { clientId, redirectUri, storeKey, store = memoryStore(), now = () => Date.now() } = options;
  const client = tokenEndpointClient({
    ...options,
    strategy,
    endpoints: {
      authorization_endpoint: options.authorizationEndpoint,
      revocation_endpoint: options.revocationEndpoint,
      pushed_authorization_request_endpoint: options.pushedAuthorizationRequestEndpoint,
      end_session_endpoint: options.endSessionEndpoint,
    },
  });
  const grant = grantParameters(options, strategy);
  const resources = grant.pairs.filter(([name]) => name === 'resource');
  const base = storeKey ?? JSON.stringify(['authorization_code', client.serverId, clientId, ...grant.key]);
  const settings = { client, clientId, redirectUri, grant, resources, hasIssuer: options.issuer !== undefined, now, strategy };
  const sessions = createSessions({ ...options, ...settings, store, base });
  const exchange = callbackHandler(settings);

  return Object.freeze({
    ...ownMethods(sessions.of(undefined)),
    redirectUri,
    createAuthorizationUrl: (request: AuthorizationUrlOptions = {}) => authorizationUrl(settings, request),
    async handleCallback(callbackUrl: CallbackUrl, transaction: AuthorizationTransaction, given: CallbackOptions = {}) {
      checkKnownKeys(given, ['subject', 'signal'], { strategy });
      const { subject, signal } = given;
      if (typeof subject !== 'function') checkSubjectOption(given, strategy);
      const tokens = await exchange(callbackUrl, transaction, signal);
      try {
        return await sessions.adopt(await subjectOf(subject, tokens, strategy, signal), tokens);
      } catch (error) {
        revokeQuietly(client, strategy, tokens);
        throw isAuthError(error, 'TOKEN_STORE_ERROR') ? notKept(error, strategy) : error;
      }
    },
    session(subject: string) {
      checkSubject(subject, strategy);
      return sessions.of(subject);
    },
    async signOut(given: SignOutOptions = {}) {
      checkKnownKeys(given, ['subject', 'signal', 'postLogoutRedirectUri'], { strategy });
      const { subject, signal, postLogoutRedirectUri } = given;
      checkSubjectOption(given, strategy);
      const { tokens, failure } = await sessions.forget(subject);
      const result = await signOutOfServer({ client, clientId, strategy, tokens, postLogoutRedirectUri, signal });
      // Told last: what the store could not forget is worth nothing once it is revoked.
      if (failure) throw failure;
      return result;
    },
  });
}

/** Trying again is no use: the code is spent. */
function notKept(cause: TokenStoreError, strategy: string): TokenStoreError {
  const message = `${strategy}: the token store failed, and nobody is signed in. The code is spent: send the person to createAuthorizationUrl() again.`;
  return new TokenStoreError(message, { operation: cause.operation, strategy, cause });
}

/** As properties of its own, which a spread copies: a session has them on its class. */
function ownMethods(session: Session): AuthStrategy<TokenSet> & Required<TokenSource> {
  return {
    name: session.name,
    specVersion: session.specVersion,
    sensitive: session.sensitive,
    authorize: session.authorize.bind(session),
    isRejected: session.isRejected.bind(session),
    recover: session.recover.bind(session),
    observe: session.observe.bind(session),
    getToken: session.getToken.bind(session),
    rejected: session.rejected.bind(session),
    accepted: session.accepted.bind(session),
    invalidate: session.invalidate.bind(session),
  };
}
