import { readBounded } from './read-bounded.ts';

/** Bytes of a response that a strategy can read. */
export const READ_LIMIT = 65_536;
/** For how long it can, in milliseconds: a server that stalls must not hold a caller. */
export const READ_TIMEOUT_MS = 10_000;
/** How long a response that nobody gets may take to be drained, in milliseconds. */
export const DRAIN_TIMEOUT_MS = 1_000;

/** The beginning of `body` as UTF-8 text. What comes later is cancelled. */
export async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const { bytes } = await readBounded(body, READ_LIMIT, AbortSignal.timeout(READ_TIMEOUT_MS));
  return new TextDecoder().decode(bytes);
}

/** `text` as JSON. @throws {SyntaxError} when it is none, without quoting it as the parser's own message does. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError('The response is not JSON.');
  }
}

/** Frees the connection of a body that nobody gets: a small one is drained so that the connection can be used again, a large or slow one cancelled. */
export function discardBody(body: ReadableStream<Uint8Array> | null): void {
  readBounded(body, READ_LIMIT, AbortSignal.timeout(DRAIN_TIMEOUT_MS)).catch(() => {}); // it is gone either way
}
