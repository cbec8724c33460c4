import { ConfigurationError } from './auth-error.ts';
import type { RequestBareEvent } from './auth-event.ts';
import type { AuthStrategy, WithAuthOptions } from './auth-strategy.ts';

/** Decides where credentials may go. */
export interface OriginPolicy {
  /**
   * Why a request to `url` goes out bare, or `undefined` when it may carry credentials. No URL is parsed when it starts with an origin that was
   * approved before.
   *
   * @throws {ConfigurationError} for userinfo in `url`: clients quote such URLs in their errors, or send it in place of the credential.
   * @param home Origin that stands in for `origins` where none are given: the axios instance's `baseURL`.
   */
  refusal(url: string, home?: string): RequestBareEvent['reason'] | undefined;
  /** Whether the origin of `url` was named in `origins`: only there may credentials follow a redirect to another origin. */
  isNamed(url: URL): boolean;
}

/** Key under which a strategy that is tied to origins (`byOrigin`) names them; they act as `origins`. */
export const strategyOrigins: unique symbol = Symbol.for('authseam.origins') as never;

/** A strategy that brings its own `origins`. */
export interface OriginBound {
  readonly [strategyOrigins]?: readonly string[] | undefined;
}

/**
 * The origin policy of one adapter and one strategy.
 *
 * @throws {ConfigurationError} for an origin that is none, for an empty list, for `http:` without `allowInsecureHttp`, and for `allowInsecureHttp`
 * without origins.
 */
export function createOriginPolicy(strategy: AuthStrategy & OriginBound, options: WithAuthOptions): OriginPolicy {
  const { allowInsecureHttp = false } = options;
  const own = strategy[strategyOrigins];
  const given = options.origins === undefined ? undefined : [options.origins].flat();
  if (allowInsecureHttp && !given && !own) {
    throw new ConfigurationError('`allowInsecureHttp` widens `origins`: name the http origins that may receive credentials there.', {
      option: 'allowInsecureHttp',
    });
  }
  if (given?.length === 0) throw new ConfigurationError('`origins` is empty: name at least one, or leave it out.', { option: 'origins' });
  const parsed = given?.map((origin) => parseOrigin(origin, 'origins', allowInsecureHttp));
  for (const origin of own ?? []) parseOrigin(origin, 'byOrigin', allowInsecureHttp);
  const named = parsed && own ? parsed.filter((origin) => own.includes(origin)) : (parsed ?? own);
  return new Policy(strategy.name, named, allowInsecureHttp);
}

/** A class rather than closures: there is one for every client. */
class Policy implements OriginPolicy {
  readonly #strategy: string;
  readonly #named: readonly string[] | undefined;
  readonly #allowInsecureHttp: boolean;
  /** With a trailing slash nothing that follows can still belong to the host. */
  #approved: readonly string[] = [];

  constructor(strategy: string, named: readonly string[] | undefined, allowInsecureHttp: boolean) {
    this.#strategy = strategy;
    this.#named = named;
    this.#allowInsecureHttp = allowInsecureHttp;
  }

  refusal(url: string, home?: string): RequestBareEvent['reason'] | undefined {
    const named = this.#named;
    const approved = this.#approved;
    for (const prefix of approved) {
      // `home` may differ from call to call: what one call approved is good for another only if it is that one's home, or `origins` decide.
      if (url.startsWith(prefix) && (named || home === undefined || prefix === `${home}/`)) return undefined;
    }
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (!target) return 'relative-url';
    const { protocol, origin, username, password } = target;
    if (username || password) {
      const message = `Take user name and password out of the URL for ${origin}; basic({ username, password }) sends them safely.`;
      throw new ConfigurationError(message, { option: 'url', strategy: this.#strategy });
    }
    const isAllowed = named ? named.includes(origin) : home === undefined || home === origin;
    if (!isAllowed || !HTTP.test(protocol)) return 'origin-not-allowed';
    if (protocol === 'http:' && !isLoopback(target) && !(this.#allowInsecureHttp && named)) return 'insecure-http';
    const prefix = `${origin}/`;
    if (approved.length < 16 && !approved.includes(prefix)) this.#approved = [...approved, prefix];
    return undefined;
  }

  isNamed({ origin }: URL): boolean {
    return this.#named?.includes(origin) ?? false;
  }
}

/**
 * `text` as a serialised origin.
 *
 * @throws {ConfigurationError} when it is not an http or https origin: a path, query, userinfo, wildcard, or `http:` beyond loopback that was not
 * allowed.
 */
export function parseOrigin(text: string, option: string, allowInsecureHttp: boolean): string {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !HTTP.test(url.protocol) || `${url.origin}/` !== url.href || url.hostname.includes('*')) {
    const expected = "origins such as 'https://api.example.com': scheme, host and port, nothing else";
    throw new ConfigurationError(`\`${option}\` takes ${expected}. Wildcards are not supported: name each origin.`, { option });
  }
  if (url.protocol === 'http:' && !allowInsecureHttp && !isLoopback(url)) {
    throw new ConfigurationError(
      `\`${option}\` names ${url.origin}: credentials travel over https. If you mean it, set \`allowInsecureHttp: true\`.`,
      {
        option,
      },
    );
  }
  return url.origin;
}

/** Whether `url` stays on this machine: `localhost` and its subdomains, 127.0.0.0/8, `[::1]`. @see RFC 6761 §6.3, RFC 8252 §8.3 */
export function isLoopback(url: URL): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
}

const HTTP = /^https?:$/;
