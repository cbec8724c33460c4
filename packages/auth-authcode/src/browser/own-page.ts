import { ConfigurationError } from '@authseam/core';

/**
 * `target` as an absolute URL, if it is a page of the same origin as `page`: what a sign-in returns to must not lead anywhere else (RFC 9700 §4.11).
 * A `javascript:` or `blob:` URL is no page.
 *
 * @throws {ConfigurationError}
 */
export function ownPage(target: string, page: string): string {
  const url = new URL(URL.canParse(target, page) ? target : 'invalid:', page);
  const { protocol, origin } = new URL(page);
  if (url.protocol === protocol && url.origin === origin && url.username + url.password === '') return url.href;
  const strategy = 'authorizationCode';
  throw new ConfigurationError(`${strategy}: \`returnTo\` must be a page of this origin.`, { option: 'returnTo', strategy });
}
