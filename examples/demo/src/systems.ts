import type { AuthStrategy } from '@authseam/core';
import * as auth0 from '@authseam/example-auth0';
import * as extraHorizon from '@authseam/example-extra-horizon';
import * as huvr from '@authseam/example-huvr';
import * as sdk from '@authseam/example-sdk';
import {
  auth0Server,
  extraHorizonServer,
  huvrServer,
  type LoopbackServer,
  type OidcServer,
  oidcServer,
  type SdkServer,
  sdkServer,
  signIn,
} from '@authseam/testing';

/** A system, as its example calls it. */
export interface DemoSystem {
  readonly name: string;
  /** Starts its embedded server. */
  start(): Promise<RunningSystem>;
}

/** A system whose server is up. */
export interface RunningSystem {
  readonly server: DemoServer;
  /** A strategy that knows no token yet. */
  auth(): DemoAuth;
  whoAmI(api: typeof fetch): Promise<string>;
}

/** A strategy, and the person that some need. */
interface DemoAuth {
  readonly strategy: AuthStrategy;
  /** Signs them in; nothing where no person is needed. */
  signIn(): Promise<void>;
}

/** An embedded server, with what only some of them have. */
export interface DemoServer extends LoopbackServer {
  readonly apiKey?: string;
  readonly clientSecret?: string;
  /** Only where tokens are issued. */
  revokeTokens?(): void;
}

/** A superseded token is refused too: whoever fetches two where one would do has failures to show for it. */
const strict = { onlyNewestToken: true };

/** Every system that has an example. Adding one is a line here. */
export const systems: readonly DemoSystem[] = [
  system('HUVR', () => huvrServer(strict), huvr),
  system('Auth0', () => auth0Server(strict), auth0),
  system('Auth0, PKCE', () => oidcServer({ ...strict, clients: [native], apiScope: ['read:messages'] }), {
    ...auth0.codeFlow,
    whoAmI: (api, { apiUrl }: OidcServer) => auth0.codeFlow.whoAmI(api, { whoAmIUrl: `${apiUrl}/api/me` }),
  }),
  system('Extra Horizon', async () => withFixedTokens(await extraHorizonServer()), extraHorizon),
  system('SDK', () => sdkServer(), sdk),
  system('SDK, code', async () => withTokens(await sdkServer({ oauth: strict })), { ...sdk, ...sdk.codeFlow }),
];

/** An application without a secret. Nobody listens at its redirect URI: the browser stops there. */
const native = { clientId: 'native-app', clientAuthentication: 'none', redirectUris: ['https://app.example/callback'] } as const;

/** A server whose client was given its token, and can get no other: revoking it would only show that calls fail then. */
function withFixedTokens<Server extends DemoServer>(server: Server): Server {
  return Object.create(server, { revokeTokens: { value: undefined } });
}

/** What the OAuth 2 side of an SDK's server has, where the others have it. */
function withTokens(server: SdkServer): SdkServer & DemoServer {
  const { clientSecret, revokeTokens } = server.oauth;
  return Object.create(server, { clientSecret: { value: clientSecret }, revokeTokens: { value: revokeTokens } });
}

/** What every example exports. */
interface Example<Server, Strategy extends AuthStrategy> {
  auth(server: Server): Strategy;
  /** Where a person is needed. `browse` takes them to a URL, and answers with the one that they came back with. */
  login?(auth: Strategy, browse: (url: string) => Promise<string>): Promise<void>;
  whoAmI(api: typeof fetch, server: Server): Promise<string>;
}

/** The system `name`: its server, and the example that calls it. */
export function system<Server extends DemoServer, Strategy extends AuthStrategy>(
  name: string,
  start: () => Promise<Server>,
  example: Example<NoInfer<Server>, Strategy>,
): DemoSystem {
  return {
    name,
    async start() {
      const server = await start();
      const auth = (): DemoAuth => {
        const strategy = example.auth(server);
        return { strategy, signIn: async () => example.login?.(strategy, browse) };
      };
      return { server, auth, whoAmI: (api) => example.whoAmI(api, server) };
    },
  };
}

/** Does what a person would do, consent included. */
async function browse(url: string): Promise<string> {
  return (await signIn(url)).callbackUrl;
}
