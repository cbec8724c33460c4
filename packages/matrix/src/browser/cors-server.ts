// Servers that a page of another origin may call with any header. They log what arrives, and answer alike:
// `/redirect/<status>?to=<URL>` redirects there, `/only/<token>` takes no other token, the rest says what path it is.
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Answer, type LoopbackServer, loopbackServer } from '@authseam/testing';
import { selfSigned } from '../../../testing/src/fixtures/self-signed.ts';

/** As much of a request as answers and assertions need. */
export interface CorsRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** An API of HTTP/1.1. */
export function corsServer(): Promise<LoopbackServer> {
  return loopbackServer({ routes: { '*': corsAnswer } });
}

/** A running HTTP/2 server: the only kind to which a browser sends a body while the page still writes it. */
export interface Http2Server extends AsyncDisposable {
  readonly origin: string;
  readonly requests: readonly CorsRequest[];
}

/** An API of HTTP/2, and so over TLS, with a certificate that nobody trusts. */
export async function corsHttp2Server(): Promise<Http2Server> {
  const requests: CorsRequest[] = [];
  const server = createSecureServer(selfSigned(), async (message, response) => {
    const [path = '', query = ''] = message.url.split('?');
    const request = { method: message.method, path, query, headers: message.headers, text: await text(message) };
    requests.push(request);
    const { status = 200, headers, body } = corsAnswer(request);
    response.writeHead(status, headers).end(body);
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen({ host: 'localhost', port: 0 }, resolve));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

type CorsAnswer = Answer & { readonly headers: Readonly<Record<string, string>>; readonly body: string };

function corsAnswer(request: CorsRequest): CorsAnswer {
  const asked = request.headers['access-control-request-headers'];
  const headers = {
    // The origin is 'null' after a redirect, and '*' stands for that one as well; but no '*' stands for the Authorization header.
    'Access-Control-Allow-Origin': '*',
    ...(typeof asked === 'string' && { 'Access-Control-Allow-Headers': asked }),
    'Access-Control-Max-Age': '0', // else what one test asked, the next need not ask
    'Cache-Control': 'no-store',
  };
  if (request.method === 'OPTIONS') return { status: 204, headers, body: '' };
  const { status = 200, location, body = '' } = answer(request);
  return { status, headers: { ...headers, ...(location && { Location: location }) }, body };
}

function answer({ path, query, headers }: CorsRequest): { readonly status?: number; readonly location?: string; readonly body?: string } {
  const [, kind, argument = ''] = path.split('/');
  if (kind === 'redirect') return { status: Number(argument), location: new URLSearchParams(query).get('to') ?? '' };
  if (kind === 'only' && headers['authorization'] !== `Bearer ${argument}`) return { status: 401, body: 'rejected' };
  return { body: `this is ${path}` };
}
