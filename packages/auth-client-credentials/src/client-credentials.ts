// RFC 6749 §4.4: the client credentials grant.
import {
  type AuthStrategy,
  ConfigurationError,
  checkKnownKeys,
  createTokenManager,
  fromTokenSource,
  type TokenSet,
  type TokenSource,
  type TokenStore,
} from '@authseam/core';
import {
  type AuthorizationServerOptions,
  type ClientAuthenticationOptions,
  type GrantParametersOptions,
  grantParameters,
  type TokenRequestOptions,
  type TokenResponseOptions,
  tokenEndpointClient,
} from '@authseam/oauth2';

/** Options of {@link clientCredentials}: which server, which client, and the rest. */
export type ClientCredentialsOptions = AuthorizationServerOptions & ClientAuthenticationOptions & ClientCredentialsSettings;

/** Those that do not depend on each other. */
export interface ClientCredentialsSettings extends GrantParametersOptions {
  /** Where the token request departs from RFC 6749: JSON, other field names, more headers. Default: nowhere. */
  readonly tokenRequest?: TokenRequestOptions;
  /** Where the answer departs from it: a form, other places, a lifetime that is not told. Default: nowhere. */
  readonly tokenResponse?: TokenResponseOptions;
  /** Word before the token at the API, HUVR's `'Token'` say. When given, a missing or other `token_type` is accepted. Default `'Bearer'`. */
  readonly scheme?: string;
  /** Where other strategies, and other processes, find the token. Default: this strategy's memory. */
  readonly store?: TokenStore;
  /**
   * Under which name they find it. Default: server, client, scope, audience, resource and parameters, as JSON. Give one where something else makes two
   * tokens different, a tenant in `tokenRequest.headers` say.
   */
  readonly storeKey?: string;
  /** Whether a response other than 401 means that the token was rejected. Asked for status >= 400. Default: only 401 does. */
  readonly isRejected?: NonNullable<AuthStrategy<TokenSet>['isRejected']>;
  /** Sends token and metadata requests; one that `withAuth` returned is used without its authentication. Default: the platform's `fetch`, looked up at each use. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** In [0, 1): spreads refreshes and retries. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Sends a token that it gets for the client itself, and refreshes: early in the background, at once when the API rejects it. The server is found by
 * its `issuer` or named by its `tokenEndpoint`; it may want JSON, other names or another scheme.
 *
 * Concurrency: any number of calls share one token and one request for it, and with a `store` any number of processes do. A caller's abort ends its own
 * wait only. A rejection names the token that was sent: 200 late rejections cost one token request. After
 * `invalid_client` none goes out for 30 s.
 *
 * A refresh token that a server adds is not kept: the client's own credentials get the next one (RFC 6749 §4.4.3).
 *
 * @returns A frozen strategy that is a token source too: `getToken()` for what is no HTTP client of yours, `invalidate()` to forget. Always `await`
 * `getToken()`: a token that is at hand it may answer without a promise, so that there is no `.then` to call.
 * @throws {ConfigurationError} at once for options that are missing, misused or contradict each other. Its methods reject with an `AuthError`:
 * `TokenEndpointError` for what the server answered, `TOKEN_REQUEST_FAILED` and `TOKEN_REQUEST_TIMEOUT` for when it did not.
 * @see RFC 6749 §4.4, RFC 6750 §2.1
 * @example
 * ```ts
 * import { fromEnv } from '@authseam/core';
 * import { clientCredentials } from '@authseam/auth-client-credentials';
 *
 * export const auth = clientCredentials({
 *   tokenEndpoint: 'https://login.example.com/oauth/token',
 *   clientId: 'reports',
 *   clientSecret: fromEnv('REPORTS_CLIENT_SECRET'),
 * });
 * ```
 */
export function clientCredentials(options: ClientCredentialsOptions): AuthStrategy<TokenSet> & Required<TokenSource> {
  const name = 'clientCredentials';
  checkKnownKeys(options, OPTIONS, { strategy: name });
  const { clientId, storeKey, scheme, store, isRejected, now, random } = options;
  checkSettings(options, name);
  const client = tokenEndpointClient({ ...options, strategy: name });
  const { scope, pairs, key } = grantParameters(options, name);
  const source = createTokenManager({
    key: storeKey ?? JSON.stringify(['client_credentials', client.serverId, clientId, ...key]),
    name,
    async fetchToken({ signal, emit }) {
      const { refreshToken: _, ...tokens } = await client.grant('client_credentials', pairs, { signal, emit, scope });
      return tokens;
    },
    ...(store && { store }),
    ...(now && { now }),
    ...(random && { random }),
  });
  return Object.freeze({
    ...source,
    ...fromTokenSource(source, { name, ...(scheme !== undefined && { scheme }), ...(isRejected && { isRejected }) }),
  });
}

/** What neither the token endpoint client nor the token manager looks at before it is used. */
function checkSettings({ storeKey = 'key', store, ...functions }: ClientCredentialsSettings, strategy: string): void {
  const check = (option: string, isFit: boolean, must: string): void => {
    if (!isFit) throw new ConfigurationError(`${strategy}: \`${option}\` must be ${must}.`, { option, strategy });
  };
  check('storeKey', typeof storeKey === 'string' && storeKey !== '', 'text');
  const isStore = !store || (['get', 'set', 'delete'] as const).every((method) => typeof store[method] === 'function');
  check('store', isStore, 'a TokenStore, such as memoryStore() or fileStore({ directory })');
  for (const option of ['isRejected', 'fetch', 'now', 'random'] as const) {
    check(option, ['function', 'undefined'].includes(typeof functions[option]), 'a function');
  }
}

const OPTIONS: readonly (keyof ClientCredentialsOptions)[] = [
  'issuer',
  'tokenEndpoint',
  'clientId',
  'clientSecret',
  'clientAuthentication',
  'privateKey',
  'scope',
  'audience',
  'resource',
  'parameters',
  'tokenRequest',
  'tokenResponse',
  'scheme',
  'store',
  'storeKey',
  'isRejected',
  'fetch',
  'now',
  'random',
];
