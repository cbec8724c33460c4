import type { Answer } from './answer.ts';
import { echoOf } from './echo-of.ts';
import { type LoopbackServer, loopbackServer, type ServerOptions } from './loopback-server.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { ServerJournal } from './server-journal.ts';

/** Options of {@link echoServer}. */
export interface EchoServerOptions extends ServerOptions {
  /** Share log and faults with other servers: with two origins on one journal, a redirect chain is one list. */
  readonly journal?: ServerJournal;
}

/** A running echo server. */
export type EchoServer = LoopbackServer;

/**
 * Starts a server that answers every request with an `Echo` of it (purpose `'echo'`), except
 * `/redirect/<301|302|303|307|308>?to=<absolute or relative URL>` (purpose `'redirect'`), which answers with that status and Location.
 * With `&repeatQuery=1` the Location also repeats every other parameter of the request, as servers do that carry a query along.
 *
 * It checks no credentials, and its answers contain the ones it received.
 */
export function echoServer(options: EchoServerOptions = {}): Promise<EchoServer> {
  const redirects = REDIRECTS.map((status) => [`/redirect/${status}`, (request: ReceivedRequest) => redirect(status, request)] as const);
  const routes = Object.fromEntries(
    redirects.flatMap(([path, handle]) => METHODS.map((method) => [`${method} ${path}`, { purpose: 'redirect', handle }] as const)),
  );
  const echo = (request: ReceivedRequest): Answer => ({ body: echoOf(request) });
  return loopbackServer({ ...options, routes: { ...routes, '*': { purpose: 'echo', handle: echo } } });
}

const REDIRECTS = [301, 302, 303, 307, 308] as const;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

function redirect(status: number, { query }: ReceivedRequest): Answer {
  const parameters = query.split('&');
  const own = new URLSearchParams(query);
  const to = own.get('to');
  if (to === null) return { status: 400, body: { error: 'a redirect needs the query parameter "to"' } };
  // Concatenated raw: a server that repeats a query does not encode it anew.
  const others = own.has('repeatQuery') ? parameters.filter((pair) => !/^(to|repeatQuery)(=|$)/.test(pair)) : [];
  const separator = to.includes('?') ? '&' : '?';
  return { status, headers: { Location: others.length === 0 ? to : to + separator + others.join('&') } };
}
