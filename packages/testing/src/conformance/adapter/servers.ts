import type { EchoServer, EchoServerOptions } from '../../echo-server.ts';
import type { AnswerFault } from '../../fault.ts';
import type { LoopbackServer, Routes } from '../../loopback-server.ts';
import type { ReceivedRequest } from '../../received-request.ts';

/** Runs a case against an echo server of its own. Servers are loaded with the first case that runs, so that the list of cases can be read anywhere. */
export async function onServer(run: (server: EchoServer) => Promise<void>, options?: EchoServerOptions): Promise<void> {
  const { echoServer } = await import('../../echo-server.ts');
  await using server = await echoServer(options);
  await run(server);
}

/** Runs a case against a server with routes of its own. */
export async function onRoutes(routes: Routes, run: (server: LoopbackServer) => Promise<void>): Promise<void> {
  const { loopbackServer } = await import('../../loopback-server.ts');
  await using server = await loopbackServer({ routes });
  await run(server);
}

/** Runs a case against two: another port, and with `'localhost'` another host. */
export function onTwoServers(
  run: (home: EchoServer, other: EchoServer) => Promise<void>,
  host: '127.0.0.1' | 'localhost' = '127.0.0.1',
): Promise<void> {
  return onServer((home) => onServer((other) => run(home, other), { host }));
}

/** 401 for every request without one of these values in its `X-Probe` header. */
export function acceptOnly(...values: readonly string[]): AnswerFault {
  return {
    status: 401,
    body: 'rejected body',
    headers: { 'WWW-Authenticate': 'Probe error="invalid_token"' },
    times: Number.POSITIVE_INFINITY,
    when: ({ headers }) => !values.includes(headers['x-probe'] ?? ''),
  };
}

/** A path that redirects. */
export function redirectTo(target: string, status = 302, more = ''): string {
  return `/redirect/${status}?to=${encodeURIComponent(target)}${more}`;
}

/** All that arrived, as one text: request line, headers and body. */
export function wireText(requests: readonly ReceivedRequest[]): string {
  return requests.map(({ method, url, rawHeaders, text }) => [method, url, ...rawHeaders, text].join('\n')).join('\n');
}

/** A request as it arrived, without what differs between two connections to two servers; multipart boundaries are made alike. */
export function comparable(request: ReceivedRequest | undefined, without: readonly string[] = []): object {
  if (!request) return { missing: true };
  const { method, path, query, headers, body } = request;
  const text = body.toString('latin1');
  const boundary = (/boundary=([^;]+)/.exec(headers['content-type'] ?? '') ?? /^--(-*\w[\w-]+)\r\n/.exec(text))?.[1];
  const even = (value: string): string => (boundary ? value.replaceAll(boundary, 'BOUNDARY') : value);
  const ignored = ['host', 'connection', 'date', ...without.map((name) => name.toLowerCase())];
  const kept = Object.entries(headers).filter(([name]) => !ignored.includes(name));
  return {
    method,
    path,
    query,
    headers: Object.fromEntries(kept.map(([name, value]) => [name, name === 'content-length' ? lengthOf(value, body) : even(value)])),
    body: even(text),
  };
}

/** Lengths differ with the boundary; what counts is that the length is that of the body. */
function lengthOf(contentLength: string, { length }: { readonly length: number }): string {
  return contentLength === String(length) ? 'of the body' : `${contentLength} of ${length}`;
}

/** A server that takes an upload when it is told to, and answers with its length. */
export interface SlowReader {
  readonly origin: string;
  /** Whether headers have arrived. */
  readonly arrived: boolean;
  read(): void;
}

/** Runs a case against a server that does not read bodies until it is told to. */
export async function onSlowReader(run: (server: SlowReader) => Promise<void>): Promise<void> {
  const { createServer } = await import('node:http');
  let arrived = false;
  let read = (): void => {};
  const reading = new Promise<void>((resolve) => {
    read = resolve;
  });
  const server = createServer(async (request, response) => {
    arrived = true;
    await reading;
    let length = 0;
    for await (const chunk of request) length += (chunk as Uint8Array).length;
    response.end(String(length));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  try {
    await run({
      origin: `http://127.0.0.1:${port}`,
      get arrived() {
        return arrived;
      },
      read,
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
