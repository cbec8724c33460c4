import type { ServerResponse } from 'node:http';

/** Anything `JSON.stringify` writes as an object, an array, a number, a boolean or `null`. */
export type JsonBody = object | number | boolean | null;

/** What a route answers, before any fault. */
export interface Answer {
  /** HTTP status. Default 200. */
  readonly status?: number;
  /** A list sends the header once per value. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A string or bytes go out as they are; any other value as JSON, with `Content-Type: application/json` unless `headers` names a type. */
  readonly body?: string | Uint8Array | JsonBody;
}

/** Sends a whole answer. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  const body = startAnswer(response, answer);
  // Node leaves it out of an answer to HEAD.
  if (response.req.method === 'HEAD') response.setHeader('Content-Length', body.length);
  response.end(body);
}

/** Sends the headers and the first half of the body, and resolves when they were handed to the kernel. The answer stays open. */
export async function sendHalfAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  const body = startAnswer(response, answer);
  // At least one byte must be missing, or an empty answer would be a whole one.
  response.setHeader('Content-Length', Math.max(body.length, 1));
  response.flushHeaders();
  await new Promise<void>((resolve) => response.write(body.subarray(0, Math.floor(body.length / 2)), () => resolve()));
}

/** The bytes of an answer's body. */
export function answerBytes({ body }: Answer): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return Buffer.from(JSON.stringify(body));
}

function startAnswer(response: ServerResponse, answer: Answer): Buffer {
  const { status = 200, headers = {}, body } = answer;
  response.statusCode = status;
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    response.setHeader('Content-Type', 'application/json');
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, typeof value === 'string' ? value : [...value]);
  return answerBytes(answer);
}
