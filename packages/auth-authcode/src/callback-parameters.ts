// RFC 6749 §4.1.2 and OAuth 2.0 Form Post Response Mode: where the parameters of a callback stand.
import { ConfigurationError, readBounded } from '@authseam/core';

/** A callback: its URL (a path with its query is enough), its parameters, or the request that carried it, by GET or as a form post. */
export type CallbackUrl = string | URL | URLSearchParams | Request;

/** Bytes of a form post. Codes and states are short. */
const LIMIT = 65_536;

/** The parameters of `callback`. @throws {ConfigurationError} for what holds none. */
export async function callbackParameters(callback: unknown, strategy: string): Promise<URLSearchParams> {
  const fail = (must: string): ConfigurationError =>
    new ConfigurationError(`${strategy}: \`callbackUrl\` ${must}.`, { option: 'callbackUrl', strategy });
  if (callback instanceof URLSearchParams) return callback;
  if (isRequest(callback) && callback.method === 'POST') {
    const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(callback.headers.get('content-type') ?? '');
    if (!isForm || callback.bodyUsed) throw fail('is a POST whose body is no form, or was read already: give its parameters');
    const { bytes, truncated } = await readBounded(callback.body, LIMIT);
    if (truncated) throw fail('is a POST whose body is too long for a callback');
    return new URLSearchParams(new TextDecoder().decode(bytes));
  }
  const text = callback instanceof URL ? callback.href : isRequest(callback) ? callback.url : callback;
  // A path is enough, as node:http has it.
  if (typeof text === 'string' && URL.canParse(text, 'https://callback.invalid'))
    return new URL(text, 'https://callback.invalid').searchParams;
  throw fail('must be the URL of the callback, its parameters, or the Request that carried it');
}

/** By its shape: frameworks bring a `Request` of their own. One of node:http has no such headers. */
function isRequest(value: unknown): value is Request {
  const { url, headers } = (value ?? {}) as Partial<Request>;
  return typeof url === 'string' && typeof headers?.get === 'function';
}
