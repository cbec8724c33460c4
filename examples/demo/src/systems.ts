import type { AuthStrategy } from '@authseam/core';
import * as auth0 from '@authseam/example-auth0';
import * as extraHorizon from '@authseam/example-extra-horizon';
import * as huvr from '@authseam/example-huvr';
import * as sdk from '@authseam/example-sdk';
import { auth0Server, extraHorizonServer, huvrServer, type LoopbackServer, sdkServer } from '@authseam/testing';

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
  auth(): AuthStrategy;
  whoAmI(api: typeof fetch): Promise<string>;
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
  system('Extra Horizon', async () => withFixedTokens(await extraHorizonServer()), extraHorizon),
  system('SDK', () => sdkServer(), sdk),
];

/** A server whose client was given its token, and can get no other: revoking it would only show that calls fail then. */
function withFixedTokens<Server extends DemoServer>(server: Server): Server {
  return Object.create(server, { revokeTokens: { value: undefined } });
}

/** What every example exports. */
interface Example<Server> {
  auth(server: Server): AuthStrategy;
  whoAmI(api: typeof fetch, server: Server): Promise<string>;
}

/** The system `name`: its server, and the example that calls it. */
export function system<Server extends DemoServer>(
  name: string,
  start: () => Promise<Server>,
  example: Example<NoInfer<Server>>,
): DemoSystem {
  return {
    name,
    async start() {
      const server = await start();
      return { server, auth: () => example.auth(server), whoAmI: (api) => example.whoAmI(api, server) };
    },
  };
}
