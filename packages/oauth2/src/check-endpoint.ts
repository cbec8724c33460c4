// RFC 6749 §3.1, §3.2: endpoint URLs. RFC 8414 §2: issuer identifiers.
import { ConfigurationError, isLoopback } from '@authseam/core';

/**
 * The URL of an endpoint or issuer, if secrets may go there: absolute, https (plain http on loopback only), without user name, password and fragment.
 * A query is allowed, as RFC 6749 §3.2 allows it. It does not ask whether anybody listens there.
 *
 * @param option Name of the option, for the error.
 * @param strategy `name` of the strategy, for the error.
 * @throws {ConfigurationError} that names the option and never shows the value.
 * @see RFC 6749 §3.2
 * @example
 * ```ts
 * import { checkEndpoint } from '@authseam/oauth2';
 *
 * checkEndpoint('https://login.example.com/token', 'tokenEndpoint', 'partner').origin; // 'https://login.example.com'
 * ```
 */
export function checkEndpoint(value: unknown, option: string, strategy: string): URL {
  const url = endpointUrl(value);
  if (url) return url;
  const message = `${strategy}: \`${option}\` must be an absolute https URL (http on loopback only) without user name, password and fragment.`;
  throw new ConfigurationError(message, { option, strategy });
}

/**
 * `value` as a URL, if secrets may go there, else `undefined`: what {@link checkEndpoint} asks, for what a server says.
 *
 * @see RFC 8414 §2
 */
export function endpointUrl(value: unknown): URL | undefined {
  // What URL parsers trim or turn into a slash is refused: the string itself is compared, signed and part of keys.
  if (typeof value !== 'string' || /[\s#\\]/.test(value) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  const isPrivate = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
  return isPrivate && !url.username && !url.password ? url : undefined;
}
