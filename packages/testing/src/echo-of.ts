import type { ReceivedRequest } from './received-request.ts';

/** A request as JSON: what a server that echoes tells its client about what arrived. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  /** Name and value pairs in the order and the letter case in which they arrived. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body as base64, for bytes that are no text. */
  readonly bodyBase64: string;
  /** The body decoded as UTF-8. */
  readonly text: string;
}

/** The {@link Echo} of one request. */
export function echoOf({ method, url, rawHeaders, body, text }: ReceivedRequest): Echo {
  const headers = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : []));
  return { method, url, headers, bodyBase64: body.toString('base64'), text };
}
