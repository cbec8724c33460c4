// RFC 8252 §7.3: loopback redirect URIs.
import { ConfigurationError } from '@authseam/core';
import { isLoopbackHost, type LoginAuth, type LoginOptions } from './login-options.ts';

/** The strategy's redirect URI, but for what the options change; its port is chosen later. @throws {ConfigurationError} */
export function loopbackRedirectUri({ redirectUri, name }: LoginAuth, { host, path }: LoginOptions): URL {
  if (host !== undefined && path !== undefined) return new URL(`http://${host}${path}`);
  const uri = new URL(redirectUri);
  const isLoopback = uri.protocol === 'http:' && isLoopbackHost(uri.hostname) && !uri.username && !uri.password;
  if (!isLoopback) {
    const message =
      `${name}: \`redirectUri\` must be a loopback one for a login on this machine: 'http://127.0.0.1/callback', ` +
      'registered at the server as a native application.';
    throw new ConfigurationError(message, { option: 'redirectUri', strategy: name });
  }
  if (host !== undefined) uri.hostname = host;
  if (path !== undefined) uri.pathname = path;
  return uri;
}
