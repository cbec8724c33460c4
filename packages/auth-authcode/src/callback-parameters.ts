// RFC 6749 §4.1.2 and OAuth 2.0 Form Post Response Mode: where the parameters of a callback stand.
import { type ConfigurationError, readBounded } from '@authseam/core';
import { callbackRejected } from './authorization-error.ts';
import { misuse } from './misuse.ts';

/** A callback: its URL (a path with its query is enough), its parameters, or the request that carried it, by GET or as a form post. */
export type CallbackUrl = string | URL | URLSearchParams | Request;

/** Bytes of a form post. Codes and states are short. */
const LIMIT = 65_536;

/**
 * The parameters of `callback`.
 *
 * @param signal Ends the reading of a form post early; what is answered then is of no use.
 * @throws {ConfigurationError} for what holds none. {AuthorizationError} when a form post breaks off.
 */
export async function callbackParameters(callback: unknown, strategy: string, signal: AbortSignal): Promise<URLSearchParams> {
  const fail = (problem: string): ConfigurationError => misuse('callbackUrl', problem, strategy);
  if (callback instanceof URLSearchParams) return callback;
  if (isRequest(callback) && callback.method === 'POST') {
    const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(callback.headers.get('content-type') ?? '');
    const isRead = callback.bodyUsed || callback.body?.locked;
    if (!isForm || isRead) throw fail('is a POST whose body is no form, or was read already: give its parameters');
    const { bytes, truncated } = await readBounded(callback.body, LIMIT, signal).catch(() => {
      throw callbackRejected('broke off', strategy);
    });
    if (truncated) throw fail('is a POST whose body is too long for a callback');
    return new URLSearchParams(new TextDecoder().decode(bytes));
  }
  const text = callback instanceof URL ? callback.href : isRequest(callback) ? callback.url : callback;
  // No path begins like that, and a URL parser would take all of it for one.
  if (typeof text === 'string' && /^\w+=/.test(text))
    throw fail('holds parameters: put a question mark before them, or give URLSearchParams');
  // A path is enough, as node:http has it.
  if (typeof text === 'string' && URL.canParse(text, 'https://callback.invalid'))
    return new URL(text, 'https://callback.invalid').searchParams;
  const isOfNode = typeof (callback as { url?: unknown } | null | undefined)?.url === 'string';
  if (isOfNode) throw fail('is a request of node:http or a framework: give its `url`, or the parameters of its form');
  throw fail('must be the URL of the callback, its parameters, or the Request that carried it');
}

/** By its shape: frameworks bring a `Request` of their own. One of node:http has no such headers. */
function isRequest(value: unknown): value is Request {
  const { url, headers } = (value ?? {}) as Partial<Request>;
  return typeof url === 'string' && typeof headers?.get === 'function';
}
