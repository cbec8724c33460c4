// RFC 6749 §4.4 (client credentials), RFC 8707 (resource indicators), RFC 9068 (JWT access tokens), RFC 8414 (metadata).
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { RequestListener } from 'node:http';
import type { JWK } from 'jose';
import { type Configuration, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { CLIENT_ALGORITHMS } from '../oidc/authentication-metadata.ts';
import { mapAdapter } from '../oidc/map-adapter.ts';
import type { Auth0Client } from './auth0-client.ts';
import { AUTH0_ROUTES } from './auth0-routes.ts';
import { clientMetadata } from './client-metadata.ts';

/** What the authorization server is made of. */
export interface AuthorizationServerOptions {
  readonly issuer: string;
  readonly clients: readonly Auth0Client[];
  /** The audience that it issues tokens for. */
  readonly audience: string;
  /** Every scope of that API. */
  readonly apiScope: readonly string[];
  readonly lifetimeSeconds: number;
  readonly now: () => number;
  /** The private RS256 key that signs tokens. */
  readonly signingKey: JWK;
  /** Told of everything that is the server's own fault. */
  readonly onFailure: (error: unknown) => void;
}

/** oidc-provider with Auth0's routes, its `audience` parameter, and JWT access tokens (RFC 9068). */
export function authorizationServer(options: AuthorizationServerOptions): RequestListener {
  const provider = new Provider(options.issuer, {
    adapter: mapAdapter(),
    clients: options.clients.map(clientMetadata),
    jwks: { keys: [options.signingKey] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    routes: AUTH0_ROUTES,
    // A scope of the API must not stand here too: oidc-provider's consent would loop on one that is not granted.
    scopes: ['openid', 'offline_access'],
    enabledJWA: { clientAuthSigningAlgValues: [...CLIENT_ALGORITHMS] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
    ttl: { ClientCredentials: options.lifetimeSeconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: resourceIndicators(options),
    },
    // Set where the defaults would print a notice: errors are JSON for people too, and any page may ask for tokens.
    renderError: (context, error) => void Object.assign(context, { type: 'json', body: error }),
    clientBasedCORS: () => true,
    formats: { customizers: { jwt: (_context, _token, { payload }) => void Object.assign(payload, lifetime(options)) } },
  });
  provider.on('server_error', (_context, error) => options.onFailure(error));
  // Koa prints to the console where nobody listens; the types of oidc-provider leave this event of Koa's out.
  (provider as EventEmitter).on('error', options.onFailure);
  return provider.callback();
}

/** Tokens carry the time of the injected clock; oidc-provider itself knows only the machine's. */
function lifetime({ now, lifetimeSeconds }: AuthorizationServerOptions): { iat: number; exp: number } {
  const iat = Math.floor(now() / 1000);
  return { iat, exp: iat + lifetimeSeconds };
}

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

function resourceIndicators({ audience, apiScope, clients, lifetimeSeconds }: AuthorizationServerOptions): ResourceIndicators {
  const grantedScope = (clientId: string) => (clients.find((client) => client.clientId === clientId)?.scope ?? apiScope).join(' ');
  return {
    enabled: true,
    // Auth0's `audience` is not among the parameters that oidc-provider keeps; the parsed body still has it.
    defaultResource: (context) => audienceParameter(context) ?? [],
    getResourceServerInfo(context, resource, client) {
      if (resource !== audience) throw new errors.InvalidTarget(`no API is registered for ${resource}`);
      const scope = grantedScope(client.clientId);
      const { params } = context.oidc;
      // At Auth0 a client that asks for no scope gets all that it was granted; oidc-provider would give none.
      if (params !== undefined) params['scope'] ??= scope;
      return { audience, scope, accessTokenFormat: 'jwt', accessTokenTTL: lifetimeSeconds, jwt: { sign: { alg: 'RS256' } } };
    },
  };
}

function audienceParameter({ oidc }: KoaContextWithOIDC): string | undefined {
  const audience = oidc.body?.['audience'];
  return typeof audience === 'string' && audience !== '' ? audience : undefined;
}
