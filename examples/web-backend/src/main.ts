// Run it with `npx -y pnpm@12 -C examples/web-backend start`; set the variables in which-server.ts to sign people in at a real server.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AuthorizationCode, authorizationCode } from '@authseam/auth-authcode';
import { memoryStore, type TokenStore } from '@authseam/core';
import { webApp } from './web-app.ts';
import { type Server, whichServer } from './which-server.ts';

/** One strategy for all users. The store is where their tokens are: for several processes `redisStore({ client })`. */
export function auth(
  { issuer, clientId, clientSecret, scope }: Server,
  origin: string,
  store: TokenStore = memoryStore(),
): AuthorizationCode {
  return authorizationCode({ issuer, clientId, clientSecret, scope, redirectUri: `${origin}/callback`, store });
}

/** Options of {@link start}. */
export interface WebBackendOptions {
  /** Where it listens, on this machine only. Default: WEB_BACKEND_PORT, else 3000. 0: a port that is free. */
  readonly port?: number;
  /** Where browsers find it, if there is a proxy in between. Default: WEB_BACKEND_ORIGIN, else `http://127.0.0.1` and the port. */
  readonly origin?: string | undefined;
  /** Default: {@link whichServer}. */
  readonly server?: (origin: string) => Promise<Server>;
  /** Default: to stderr, without the stack. */
  readonly report?: (error: unknown) => void;
}

/** A web backend that listens. */
export interface WebBackend extends AsyncDisposable {
  readonly origin: string;
  readonly server: Server;
}

/** @throws {ConfigurationError} for a variable that is missing. Node's error when it cannot listen. */
export async function start(options: WebBackendOptions = {}): Promise<WebBackend> {
  const { WEB_BACKEND_PORT = '3000', WEB_BACKEND_ORIGIN } = process.env;
  const { port = Number(WEB_BACKEND_PORT), report = (error) => console.error(String(error)) } = options;
  const http = createServer().listen(port, '127.0.0.1');
  await once(http, 'listening');
  const close = async () => void http.close().closeAllConnections();
  try {
    const here = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const { origin } = new URL(options.origin ?? WEB_BACKEND_ORIGIN ?? here);
    const server = await (options.server ?? whichServer)(origin);
    http.on('request', webApp({ auth: auth(server, origin), server, report }));
    return { origin, server, [Symbol.asyncDispose]: async () => void (await Promise.all([close(), server.close()])) };
  } catch (error) {
    await close();
    throw error;
  }
}

if (import.meta.main) {
  const { origin, server } = await start();
  console.log(`Open ${origin} in a browser.${server.embedded ? ' The server is one of its own: sign in as alice or bob.' : ''}`);
}
