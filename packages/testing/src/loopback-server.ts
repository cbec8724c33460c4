import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Answer } from './answer.ts';
import { answerWithFaults } from './answer-with-faults.ts';
import type { Fault } from './fault.ts';
import { type ReceivedRequest, receiveRequest } from './received-request.ts';
import { type ServerJournal, serverJournal } from './server-journal.ts';

/** Does a route's work. What it throws is answered with 500 and kept in the server's `failures`. */
export type RouteHandler = (request: ReceivedRequest) => Answer | Promise<Answer>;

/** A handler, and what it is for: the name under which the log and faults know it. A bare handler is for `'api'`. */
export type Route = RouteHandler | { readonly purpose: string; readonly handle: RouteHandler };

/** Routes by `'METHOD /path'`, both exact, the path without its query and as sent. `'*'` takes all the rest; without it they get 404 or 405. */
export type Routes = { readonly [target: `${string} /${string}`]: Route } & { readonly '*'?: Route };

/** What every server of this package can be told. */
export interface ServerOptions {
  /** The name it listens on and is addressed by. Default `'127.0.0.1'`. */
  readonly host?: '127.0.0.1' | '[::1]' | 'localhost';
  /** Default 0: an ephemeral port. A number brings a server back at the address that it had. */
  readonly port?: number;
  /** Serve https with this key and certificate chain, both PEM. Default: plain http. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** The server's clock, in milliseconds since the epoch, for token lifetimes and the log. Default `Date.now`. */
  readonly now?: () => number;
}

/** Options of {@link loopbackServer}. */
export interface LoopbackServerOptions extends ServerOptions {
  /** The routes, or a function that is given the origin once it is known. Default: none. */
  readonly routes?: Routes | ((origin: string) => Routes);
  /** Share log and faults with other servers. Default: a journal of its own. */
  readonly journal?: ServerJournal;
}

/** A running server. */
export interface LoopbackServer {
  /** Scheme, host and port, without a trailing slash. */
  readonly origin: string;
  /** The origin's root, with the slash: a base for `new URL(path, url)`. */
  readonly url: string;
  /** Every request in the order in which they were complete: a live list. */
  readonly requests: readonly ReceivedRequest[];
  /** What handlers threw: a live list, empty unless the server itself is at fault. */
  readonly failures: readonly unknown[];
  /** How many sockets clients hold open now. */
  readonly openSockets: number;
  /** How many injected faults have not happened yet; those with `times: Infinity` do not count. */
  readonly pendingFaults: number;
  /** Adds faults after those already waiting. */
  inject(fault: Fault | readonly Fault[]): void;
  /** Forgets all faults that have not happened. */
  clearFaults(): void;
  /** Empties the log. */
  clearRequests(): void;
  /** Stops listening and ends every socket at once, stalled ones included. May be called again. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts an HTTP server that only this machine can reach, logs everything it receives and can be told what goes wrong.
 * Resolves when it listens. A message that is no HTTP gets Node's own 400 and is not logged.
 *
 * @throws Node's error, `EADDRINUSE` for instance, when it cannot listen.
 *
 * @example
 * ```ts
 * import { loopbackServer } from '@authseam/testing';
 *
 * await using server = await loopbackServer({ routes: { 'GET /': () => ({ body: { hello: 'world' } }) } });
 * server.inject({ at: '/', status: 503 });
 * await fetch(server.url);
 * ```
 */
export async function loopbackServer(options: LoopbackServerOptions = {}): Promise<LoopbackServer> {
  const { host = '127.0.0.1', port = 0, tls, now = Date.now, journal = serverJournal() } = options;
  const closing = new AbortController();
  const listener: RequestListener = (message, response) => void answerMessage(message, response, site);
  const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
  // Idle sockets stay until the client or close() ends them: a server that hangs up by itself is a fault nobody injected.
  Object.assign(server, { keepAliveTimeout: 0, requestTimeout: 0 });
  const sockets = trackSockets(server, tls === undefined ? 'connection' : 'secureConnection');
  await listening(server, host, port);
  const origin = `${tls === undefined ? 'http' : 'https'}://${host}:${(server.address() as AddressInfo).port}`;
  const routes = typeof options.routes === 'function' ? options.routes(origin) : (options.routes ?? {});
  const site: Site = { origin, routes, journal, now, closing: closing.signal, connectionOf: sockets.connectionOf };

  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      closing.abort();
      for (const socket of sockets.open) socket.destroy();
    });
    return closed;
  };

  return Object.freeze({
    origin,
    url: `${origin}/`,
    requests: journal.requests,
    failures: journal.failures,
    get openSockets() {
      return sockets.open.size;
    },
    get pendingFaults() {
      return journal.faults.pending;
    },
    inject: (fault: Fault | readonly Fault[]) => journal.faults.add([fault].flat()),
    clearFaults: () => journal.faults.clear(),
    clearRequests: () => void journal.requests.splice(0),
    close,
    [Symbol.asyncDispose]: close,
  });
}

/** What one server knows while it answers. */
interface Site {
  readonly origin: string;
  readonly routes: Routes;
  readonly journal: ServerJournal;
  readonly now: () => number;
  readonly closing: AbortSignal;
  readonly connectionOf: (socket: Socket) => number;
}

async function answerMessage(message: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const { origin, routes, journal } = site;
  const request = await receiveRequest(message, {
    origin,
    receivedAtMs: site.now(),
    connection: site.connectionOf(message.socket),
    routeOf: (method, path) => purposeOf(routes, method, path),
  });
  journal.requests.push(request);
  if (!request.isComplete) return;
  const left = new AbortController();
  response.on('close', () => left.abort());
  const handle = async () => handlerOf(routes, request.method, request.path)(request);
  try {
    const gone = AbortSignal.any([left.signal, site.closing]);
    await answerWithFaults({ request, response, handle, gone }, journal.faults.take(request));
  } catch (error) {
    journal.failures.push(error);
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { 'Content-Type': 'text/plain' }).end(`The loopback server failed: ${error}`);
  }
}

interface Sockets {
  readonly open: ReadonlySet<Socket>;
  readonly connectionOf: (socket: Socket) => number;
}

/** `event` is the one whose socket a message names: under TLS another than the one that was accepted. */
function trackSockets(server: Server, event: 'connection' | 'secureConnection'): Sockets {
  const open = new Set<Socket>();
  const connections = new WeakMap<Socket, number>();
  let count = 0;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.on(event, (socket: Socket) => {
    count += 1;
    connections.set(socket, count);
  });
  return { open, connectionOf: (socket) => connections.get(socket) ?? count };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, resolve);
  });
}

function routeOf(routes: Routes, method: string, path: string): Route | undefined {
  const find = (verb: string) =>
    Object.hasOwn(routes, `${verb} ${path}`) ? routes[`${verb} ${path}` as `${string} /${string}`] : undefined;
  return find(method) ?? (method === 'HEAD' ? find('GET') : undefined) ?? routes['*'];
}

function purposeOf(routes: Routes, method: string, path: string): string {
  const route = routeOf(routes, method, path);
  if (route === undefined) return 'unknown';
  return typeof route === 'function' ? 'api' : route.purpose;
}

function handlerOf(routes: Routes, method: string, path: string): RouteHandler {
  const route = routeOf(routes, method, path);
  if (route !== undefined) return typeof route === 'function' ? route : route.handle;
  const methods = Object.keys(routes).flatMap((target) => (target.endsWith(` ${path}`) ? target.slice(0, -path.length - 1) : []));
  if (methods.length === 0) return () => ({ status: 404, body: { error: `nothing at ${path}` } });
  return () => ({ status: 405, headers: { Allow: methods.join(', ') }, body: { error: `${method} is not allowed at ${path}` } });
}
