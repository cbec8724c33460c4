import type { IncomingMessage } from 'node:http';

/** One request as a loopback server received it. Frozen, and never redacted: what a client really sent is what tests ask for. */
export interface ReceivedRequest {
  /** What the route is for: `'token'`, `'api'`, `'discovery'`, …; `'unknown'` where no route matched. */
  readonly route: string;
  readonly method: string;
  /** Absolute URL: the server's origin and the request target, exactly as it stood in the request line. */
  readonly url: string;
  /** The target up to `?`, not decoded. */
  readonly path: string;
  /** The raw query without its `?`, not decoded; `''` when there is none. */
  readonly query: string;
  /** Names and values in turn, in the order and the letter case in which they arrived. */
  readonly rawHeaders: readonly string[];
  /** Lower-case names on a null prototype; a repeated header is joined with `, ` (Cookie with `; `). */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The body decoded as UTF-8. */
  readonly text: string;
  /** False when the client left before its body was complete: such a request is logged and not answered. */
  readonly isComplete: boolean;
  /** When the headers arrived, in milliseconds since the epoch by the server's `now`. */
  readonly receivedAtMs: number;
  /** Which connection of this server carried it, counted from 1. */
  readonly connection: number;
}

/** The parts of a {@link ReceivedRequest} that the server knows and the message does not say. */
export interface Arrival {
  readonly origin: string;
  readonly receivedAtMs: number;
  readonly connection: number;
  readonly routeOf: (method: string, path: string) => string;
}

/** Reads a message to its end, or to the point where the client left. */
export async function receiveRequest(message: IncomingMessage, arrival: Arrival): Promise<ReceivedRequest> {
  const { method = '', url: target = '' } = message;
  const [path = '', ...query] = target.split('?');
  const { body, isComplete } = await readBody(message);
  return Object.freeze({
    route: arrival.routeOf(method, path),
    method,
    url: target.startsWith('/') ? arrival.origin + target : target,
    path,
    query: query.join('?'),
    rawHeaders: Object.freeze([...message.rawHeaders]),
    headers: lowerCased(message.rawHeaders),
    body,
    text: body.toString('utf8'),
    isComplete,
    receivedAtMs: arrival.receivedAtMs,
    connection: arrival.connection,
  });
}

async function readBody(message: IncomingMessage): Promise<{ body: Buffer; isComplete: boolean }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch {
    // The only error of an incoming message is that its client went away; `isComplete` tells.
  }
  return { body: Buffer.concat(chunks), isComplete: message.complete };
}

function lowerCased(rawHeaders: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = Object.create(null);
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return Object.freeze(headers);
}
