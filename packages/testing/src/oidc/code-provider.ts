// OpenID Connect Core 1.0 §3.1, RFC 6749 §4.1 and §6, RFC 7636, RFC 9126, RFC 9207, RFC 7009, RFC 8707, RFC 9470, all by oidc-provider.
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { RequestListener } from 'node:http';
import type { JWK } from 'jose';
import { type AccessToken, type Configuration, errors, interactionPolicy, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { CLIENT_ALGORITHMS } from './authentication-metadata.ts';
import { codeClientMetadata } from './code-client-metadata.ts';
import { INTERACTION_PATH, interactionPages } from './interaction-pages.ts';
import { mapAdapter } from './map-adapter.ts';
import { type OidcClient, webOrigins } from './oidc-client.ts';

/** What the authorization server is made of. */
export interface CodeProviderOptions {
  readonly issuer: string;
  readonly clients: readonly OidcClient[];
  readonly users: readonly string[];
  readonly audience: string;
  readonly apiScope: readonly string[];
  /** Authentication context classes, the one of an ordinary sign-in first. */
  readonly acrValues: readonly string[];
  readonly lifetimeSeconds: number;
  readonly refreshTokens: 'always' | 'offline_access' | 'never';
  readonly rotateRefreshToken: boolean;
  readonly pushedAuthorizationRequests: 'available' | 'required' | 'off';
  readonly now: () => number;
  readonly signingKey: JWK;
  readonly onIssued: (accessToken: string, token: IssuedToken) => void;
  readonly onFamilyRevoked: (family: string) => void;
  /** A refresh token was used twice, and its family is revoked for it. */
  readonly onReuse: () => void;
  /** Told of everything that is the server's own fault. */
  readonly onFailure: (error: unknown) => void;
}

/** What a server's API has to know of an access token. */
export interface IssuedToken {
  readonly subject: string;
  readonly clientId: string;
  readonly scope: readonly string[];
  /** What one sign-in led to, refreshed or not. */
  readonly family: string;
  readonly acr: string | undefined;
  /** When the person signed in, in seconds since the epoch. */
  readonly authTimeSeconds: number;
}

/** Paths of the endpoints. */
const CODE_ROUTES = {
  authorization: '/authorize',
  token: '/token',
  revocation: '/revoke',
  pushed_authorization_request: '/par',
  userinfo: '/userinfo',
  end_session: '/logout',
  jwks: '/jwks',
} as const;

/** oidc-provider for the authorization code flow. */
export function codeProvider(options: CodeProviderOptions): RequestListener {
  const { clients, users, signingKey, acrValues, onFailure } = options;
  const provider = new Provider(options.issuer, {
    adapter: reportingAdapter(options),
    clients: clients.map(codeClientMetadata),
    jwks: { keys: [signingKey] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    routes: CODE_ROUTES,
    scopes: ['openid', 'offline_access', ...options.apiScope],
    claims: { openid: ['sub', 'acr', 'auth_time'], profile: ['name'], email: ['email', 'email_verified'], iss: null, sid: null },
    acrValues: [...acrValues],
    responseTypes: ['code'],
    pkce: { required: () => true },
    enabledJWA: { clientAuthSigningAlgValues: [...CLIENT_ALGORITHMS] },
    findAccount: (_context, id) => (users.includes(id) ? { accountId: id, claims: () => claimsOf(id) } : undefined),
    rotateRefreshToken: options.rotateRefreshToken,
    ttl: { AccessToken: options.lifetimeSeconds, RefreshToken: MONTH, Session: MONTH, Grant: MONTH, Interaction: 600, IdToken: 3600 },
    ...refreshTokenPolicy(options),
    interactions: { url: () => INTERACTION_PATH, policy: policyOf() },
    features: featuresOf(options),
    extraParams: ['audience'],
    extraTokenClaims: (context) => stepUpClaims(context),
    clientBasedCORS: (_context, origin, client) => webOrigins(client.redirectUris ?? []).includes(origin),
    renderError: (context, error) => void Object.assign(context, { type: 'json', body: error }),
    formats: { customizers: { jwt: (_context, _token, { payload }) => void Object.assign(payload, lifetime(options)) } },
  });
  provider.use(interactionPages(provider, { users, acrValues }));
  provider.on('grant.success', (context) => reportIssued(context, options));
  provider.on('grant.revoked', ({ oidc }) => {
    if (oidc.entities.RefreshToken?.consumed !== undefined && oidc.route === 'token') options.onReuse();
  });
  provider.on('server_error', (_context, error) => onFailure(error));
  // Koa prints to the console where nobody listens; the types of oidc-provider leave this event of Koa's out.
  (provider as EventEmitter).on('error', onFailure);
  return provider.callback();
}

const MONTH = 30 * 86_400;

function claimsOf(user: string): { sub: string; name: string; email: string; email_verified: boolean } {
  return { sub: user, name: `${user.charAt(0).toUpperCase()}${user.slice(1)} Example`, email: `${user}@example.com`, email_verified: true };
}

/** Storage that tells of revoked families: oidc-provider has no event for all the ways in which it revokes one. */
function reportingAdapter({ onFamilyRevoked }: CodeProviderOptions): (name: string) => ReturnType<ReturnType<typeof mapAdapter>> {
  const factory = mapAdapter();
  return (name) => {
    const adapter = factory(name);
    const revokeByGrantId = (grantId: string) => {
      onFamilyRevoked(grantId);
      return adapter.revokeByGrantId(grantId);
    };
    return { ...adapter, revokeByGrantId };
  };
}

function refreshTokenPolicy({ refreshTokens }: CodeProviderOptions): Pick<Configuration, 'issueRefreshToken'> {
  // By default oidc-provider holds to OpenID Connect Core §11; that is what remains when nothing is set.
  if (refreshTokens === 'offline_access') return {};
  return { issueRefreshToken: () => refreshTokens === 'always' };
}

/** The usual prompts, and a login whenever the session's class is none of the `acr_values` that were asked for (RFC 9470 §5). */
function policyOf(): ReturnType<typeof interactionPolicy.base> {
  const { base, Check } = interactionPolicy;
  const policy = base();
  const isTooWeak = ({ oidc }: KoaContextWithOIDC) => {
    const wanted = String(oidc.params?.['acr_values'] ?? '')
      .split(' ')
      .filter(Boolean);
    return wanted.length > 0 && !wanted.includes(oidc.acr ?? '') && oidc.result?.login === undefined;
  };
  policy.get('login')?.checks.add(new Check('acr_values', 'none of the requested ACRs was met', 'login_required', isTooWeak));
  return policy;
}

function featuresOf(options: CodeProviderOptions): NonNullable<Configuration['features']> {
  const { audience, apiScope, lifetimeSeconds, pushedAuthorizationRequests: pushed } = options;
  return {
    devInteractions: { enabled: false },
    revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
    userinfo: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: logoutPage,
      postLogoutSuccessSource: (context) => void Object.assign(context, { body: 'Signed out.' }),
    },
    pushedAuthorizationRequests: { enabled: pushed !== 'off', requirePushedAuthorizationRequests: pushed === 'required' },
    resourceIndicators: {
      enabled: true,
      defaultResource: (context, _client, oneOf) => {
        setDefaultScope(context, apiScope);
        return oneOf ?? audienceParameter(context.oidc.params) ?? [];
      },
      // Else a token of a sign-in with `openid` would be for userinfo, unless each token request repeated the resource.
      useGrantedResource: () => true,
      getResourceServerInfo(context, resource) {
        if (resource !== audience) throw new errors.InvalidTarget(`no API is registered for ${resource}`);
        setDefaultScope(context, apiScope);
        return {
          audience,
          scope: apiScope.join(' '),
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetimeSeconds,
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  };
}

/** RFC 6749 §3.3: who asks for no scope gets a default one, here the API's first. oidc-provider would refuse. */
function setDefaultScope({ oidc }: KoaContextWithOIDC, [first]: readonly string[]): void {
  const isFrontChannel = oidc.route === 'authorization' || oidc.route === 'pushed_authorization_request';
  if (oidc.params !== undefined && isFrontChannel) oidc.params['scope'] ??= first;
}

function audienceParameter(parameters: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const audience = parameters?.['audience'];
  return typeof audience === 'string' && audience !== '' ? audience : undefined;
}

function logoutPage(context: KoaContextWithOIDC, form: string): void {
  const controls = '<input type="hidden" name="logout" value="yes"><button name="decision" value="allow">Sign out</button>';
  Object.assign(context, { type: 'html', body: `<!DOCTYPE html><title>Sign out</title>${form.replace('</form>', `${controls}</form>`)}` });
}

/** Which sign-in a token goes back to: its code's, or its refresh token's. */
function sourceOf({ oidc }: KoaContextWithOIDC): { acr?: string | undefined; authTime?: number | undefined } {
  return oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken ?? {};
}

/** RFC 9068 §2.2.1: what RFC 9470 has a resource server look at. */
function stepUpClaims(context: KoaContextWithOIDC): { acr: string | undefined; auth_time: number | undefined } {
  const { acr, authTime } = sourceOf(context);
  return { acr, auth_time: authTime };
}

/** Tokens carry the time of the injected clock; oidc-provider itself knows only the machine's. */
function lifetime({ now, lifetimeSeconds }: CodeProviderOptions): { iat: number; exp: number } {
  const iat = Math.floor(now() / 1000);
  return { iat, exp: iat + lifetimeSeconds };
}

function reportIssued(context: KoaContextWithOIDC, { onIssued }: CodeProviderOptions): void {
  const token: AccessToken | undefined = context.oidc.entities.AccessToken;
  const { access_token: value } = context.body as { readonly access_token?: string };
  if (token === undefined || value === undefined) return;
  const { acr, authTime = 0 } = sourceOf(context);
  onIssued(value, {
    subject: token.accountId,
    clientId: token.clientId ?? '',
    scope: (token.scope ?? '').split(' ').filter(Boolean),
    family: token.grantId ?? '',
    acr,
    authTimeSeconds: authTime,
  });
}
