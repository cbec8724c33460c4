// RFC 8252 §8.12 and RFC 6749 §10.11: people sign in in the system's browser, where they know what they see.
import type { ChildProcess } from 'node:child_process';
import { ConfigurationError, isLoopback } from '@authseam/core';

/** What URLs are made of, without the characters that mean something to one shell or another: nothing has to quote them. */
const PLAIN_URL = /^https?:\/\/[\w\-.~:/?[\]@+,;=&%*]+$/;

/**
 * `url`, if a browser may be sent there: https (http on loopback), no user name, and no character that a shell would read. No shell is used; but what
 * the system does with a URL is not in our hands.
 *
 * @throws {ConfigurationError} that never shows it.
 */
export function checkAuthorizationUrl(url: unknown, strategy: string): string {
  if (typeof url === 'string' && PLAIN_URL.test(url) && URL.canParse(url)) {
    const parsed = new URL(url);
    const isPrivate = parsed.protocol === 'https:' || isLoopback(parsed);
    if (isPrivate && !parsed.username && !parsed.password) return parsed.href;
  }
  const message = `${strategy}: the authorization URL is none that a browser is sent to: an https URL of letters, digits and -._~:/?[]@+,;=&%*.`;
  throw new ConfigurationError(message, { option: 'authorizationEndpoint', strategy });
}

/**
 * Opens `url` in the system's browser. Ends when the program that opens it does, which may be as late as the browser itself.
 *
 * @throws when there is no such program, or it says that it failed: no browser is installed, or there is no screen.
 */
export async function openInBrowser(url: string): Promise<void> {
  const { default: open } = await import('open');
  const launcher = await open(url);
  const exitCode = await exited(launcher);
  if (exitCode !== 0) throw new Error(`The program that opens browsers ended with ${exitCode}.`);
}

/** Windows' has ended by now, the others are still under way. */
function exited(launcher: ChildProcess): Promise<number> {
  if (launcher.exitCode !== null) return Promise.resolve(launcher.exitCode);
  return new Promise((resolve) => launcher.once('exit', (exitCode) => resolve(exitCode ?? 1)));
}
