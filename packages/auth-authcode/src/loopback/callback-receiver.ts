// RFC 8252 §7.3, §8.3: the loopback receiver. OAuth 2.0 Form Post Response Mode §2: callbacks by POST.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationError, waitFor } from '@authseam/core';
import { type CallbackMessages, type CallbackPage, callbackPage, type PageAnswer } from './callback-page.ts';
import type { RefusalReason } from './login-options.ts';

/** Where a callback will come, and what is said then. */
export interface CallbackReceiverOptions {
  /** The callback's URL; its port does not count. */
  readonly redirectUri: URL;
  /** 0: one that is free. */
  readonly port: number;
  readonly messages?: CallbackMessages | undefined;
  readonly strategy: string;
  onRefused(status: number, reason: RefusalReason): void;
}

/** Waits for one callback. */
export interface CallbackReceiver {
  /** The redirect URI with the port that is open. */
  readonly redirectUri: URL;
  /** The parameters of the callback that carries `state`. Until this is called every callback belongs to another sign-in. */
  callback(state: string): Promise<URLSearchParams>;
  /** What the browser shows whoever brought the callback, or brings it once more. */
  answer(page: CallbackPage): void;
  /** Frees the port and ends every connection; an answer goes out before. */
  close(): Promise<void>;
}

/** A browser sends a request at once, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/** How long a page may take to reach a browser of the same machine, in milliseconds. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Longest form that is read, in bytes; one that a server posts here has a few hundred. */
const FORM_LIMIT = 65_536;

/**
 * Listens on the loopback interface.
 *
 * @throws {ConfigurationError} when it cannot: the port is taken, or this machine has no IPv6.
 */
export async function callbackReceiver(options: CallbackReceiverOptions): Promise<CallbackReceiver> {
  const { messages, onRefused } = options;
  const arrival = Promise.withResolvers<URLSearchParams>();
  const outcome = Promise.withResolvers<CallbackPage>();
  /** Those who brought the callback, until they have the page. */
  const welcomed = new Set<ServerResponse>();
  let expectedState: string | undefined;
  let isAnswered = false;

  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  const redirectUri = await listening(server, options);
  server.on('request', (request, response) => {
    parametersOf(request, redirectUri).then(
      (found) => (typeof found === 'string' ? refuse(found, response) : weigh(found, response)),
      () => response.destroy(), // the request broke off
    );
  });

  function weigh(parameters: URLSearchParams, response: ServerResponse): void {
    const [state, ...more] = parameters.getAll('state');
    if (expectedState === undefined || state !== expectedState || more.length > 0) {
      refuse('state', response);
      return;
    }
    welcomed.add(response);
    response.once('close', () => welcomed.delete(response));
    arrival.resolve(parameters);
    void outcome.promise.then((page) => send(callbackPage(page, messages), response));
  }

  function refuse(reason: RefusalReason, response: ServerResponse): void {
    const answer = reason === 'state' ? callbackPage('unexpected', messages) : REFUSALS[reason];
    send(answer, response);
    onRefused(answer.status, reason);
  }

  return {
    redirectUri,
    callback(state) {
      expectedState = state;
      return arrival.promise;
    },
    answer(page) {
      isAnswered = true;
      outcome.resolve(page);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      if (isAnswered) await waitFor(allSent(welcomed), { timeoutMs: ANSWER_TIMEOUT_MS }).catch(() => {});
      server.closeAllConnections(); // browsers keep some, and open some in advance
      await closed;
    },
  };
}

/** @returns The redirect URI, with the port that it listens on. */
function listening(server: Server, { redirectUri, port, strategy }: CallbackReceiverOptions): Promise<URL> {
  const address = redirectUri.hostname === '[::1]' ? '::1' : '127.0.0.1';
  return new Promise((resolve, reject) => {
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      const option = code === 'EADDRINUSE' || code === 'EACCES' ? 'port' : 'host';
      const advice = option === 'port' ? 'Give another `port`, or none' : "Give `host: '127.0.0.1'`";
      const message = `${strategy}: cannot listen for the callback on ${redirectUri.hostname}, port ${port} (${code}). ${advice}.`;
      reject(new ConfigurationError(message, { option, strategy }));
    });
    server.listen(port, address, () => {
      const listensAt = new URL(redirectUri);
      listensAt.port = String((server.address() as AddressInfo).port);
      resolve(listensAt);
    });
  });
}

/** The parameters of what looks like a callback, or what is wrong with it. */
async function parametersOf(request: IncomingMessage, { host, pathname }: URL): Promise<URLSearchParams | RefusalReason> {
  const { method, url = '', headers, headersDistinct } = request;
  // RFC 9112 §3.2: of two names nobody knows which one the browser meant.
  if ((headersDistinct['host']?.length ?? 0) > 1) return 'two-hosts';
  // A web site that lets its own name lead here sends that name along (DNS rebinding).
  if (headers.host !== host) return 'host';
  const [path, ...query] = url.split('?');
  if (path !== pathname) return 'path';
  if (method !== 'GET' && method !== 'POST') return 'method';
  // Nobody sees that page, and the code in it would be spent: the real visit comes later, with a code of its own.
  if (/prefetch/i.test([headers['sec-purpose'], headers['purpose']].join())) return 'prefetch';
  if (method === 'GET') return new URLSearchParams(query.join('?'));
  return /^application\/x-www-form-urlencoded *(?:;|$)/i.test(headers['content-type'] ?? '') ? formOf(request) : 'content-type';
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams | RefusalReason> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // The rest of one that is too long is read and dropped: who is still sending would not see an answer.
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length <= FORM_LIMIT) chunks.push(chunk);
  }
  return length <= FORM_LIMIT ? new URLSearchParams(Buffer.concat(chunks).toString()) : 'too-large';
}

const refusal = (status: number, headers?: Readonly<Record<string, string>>): PageAnswer => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers },
  body: 'This is not what is waited for here.\n',
});

const REFUSALS: Readonly<Record<Exclude<RefusalReason, 'state'>, PageAnswer>> = {
  host: refusal(421),
  'two-hosts': refusal(400),
  path: refusal(404),
  method: refusal(405, { Allow: 'GET, POST' }),
  prefetch: refusal(403),
  'content-type': refusal(415),
  'too-large': refusal(413),
};

function send({ status, headers, body }: PageAnswer, response: ServerResponse): void {
  response.writeHead(status, {
    ...headers,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer', // the page's own URL holds the code
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
  });
  response.end(body);
}

function allSent(responses: Iterable<ServerResponse>): Promise<unknown> {
  return Promise.all(Array.from(responses, (response) => new Promise((resolve) => response.once('close', resolve))));
}
