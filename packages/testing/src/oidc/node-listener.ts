import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Answer } from '../answer.ts';
import type { ReceivedRequest } from '../received-request.ts';

/** What a listener is handed of a request; a caller may change any of it first. */
export type ListenerRequest = Pick<ReceivedRequest, 'method' | 'url' | 'headers' | 'body'>;

/**
 * Puts a received request to a Node request listener (Koa's, here) and resolves with its answer, so that the answer can be logged, changed
 * or lost like any other. The listener must set headers with `setHeader`, as Koa does.
 */
export function answerOfListener(listener: RequestListener, { method, url, headers, body }: ListenerRequest): Promise<Answer> {
  const { protocol, origin } = new URL(url);
  const message = Object.assign(Readable.from(body.length === 0 ? [] : [body], { objectMode: false }), {
    method,
    url: url.slice(origin.length),
    headers,
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    // Never connected: Koa reads from it whether the request came over TLS, and that it is still writable.
    socket: Object.assign(new Socket(), { encrypted: protocol === 'https:' }),
  });
  // A listener reads no more of a message than the members above; a whole IncomingMessage cannot be made without a connection.
  const incoming = message as unknown as IncomingMessage;

  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const keep = (chunk: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as Uint8Array));
    };
    const response = new ServerResponse(incoming);
    Object.assign(response, {
      write(chunk: unknown) {
        keep(chunk);
        return true;
      },
      end(chunk: unknown) {
        keep(chunk);
        resolve({ status: response.statusCode, headers: namedHeaders(response), body: Buffer.concat(chunks) });
        return response;
      },
    });
    listener(incoming, response);
  });
}

/** Without what the server that sends the answer sets itself, and may have to set otherwise. */
function namedHeaders(response: ServerResponse): Record<string, string | readonly string[]> {
  const headers = Object.entries(response.getHeaders()).filter(([name]) => !['content-length', 'transfer-encoding'].includes(name));
  return Object.fromEntries(headers.map(([name, value]) => [name, Array.isArray(value) ? value : String(value)]));
}
