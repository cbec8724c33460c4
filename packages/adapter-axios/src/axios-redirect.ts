import type { AuthPatch } from '@authseam/core';
import {
  bodyGone,
  headersBoundToOrigin,
  headersOfBody,
  hiddenRedirect,
  isRedirectStatus,
  type Redirection,
  redirection,
} from '@authseam/core/adapter';
import { type AxiosAdapter, AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { isFetchAdapter, nameOf } from './axios-adapters.ts';
import type { AxiosCall } from './axios-call.ts';
import { withHeaders, withoutHeaders } from './axios-headers.ts';
import { responseHeader } from './axios-response.ts';

/** Options that axios's types leave out. */
interface RedirectOptions {
  fetchOptions?: RequestInit;
  httpVersion?: number;
  sensitiveHeaders?: readonly string[];
}

/** `http`, `https`, or what stands for them. */
interface Transport {
  request(options: object, ...rest: unknown[]): unknown;
}

type Config = InternalAxiosRequestConfig & RedirectOptions;

type BeforeRedirect = NonNullable<Config['beforeRedirect']>;

interface Step {
  readonly call: AxiosCall;
  readonly response: AxiosResponse;
  readonly hop: Config;
  readonly next: Redirection;
}

/** As many redirects as follow-redirects and fetch follow, and the code of one more. */
const HTTP_LIMIT = [21, 'ERR_FR_TOO_MANY_REDIRECTS'] as const;
const FETCH_LIMIT = [20, 'ERR_NETWORK'] as const;

/** What a redirect answered, where follow-redirects saw it. */
export type SeenRedirect = () => Pick<AxiosResponse, 'status' | 'headers'> | undefined;

/** What makes an adapter show redirects. */
export interface Unfollowed {
  /** To be set on the config that it gets. */
  readonly settings: Partial<Config>;
  readonly seen?: SeenRedirect;
}

/** How `adapter` shows redirects instead of following them when it sends a request such as `config`. */
export function unfollowed(adapter: AxiosAdapter, config: Config, isReplayable: boolean): Unfollowed {
  const { fetchOptions, transport, maxRedirects } = config;
  const name = nameOf(adapter);
  // With a body that is sent once follow-redirects is left out, since it would keep all of it.
  if (name === 'http' && isReplayable && maxRedirects !== 0 && !transport) return stoppedRedirect();
  const mode = fetchOptions?.redirect ?? 'follow';
  return {
    settings: {
      ...(transport && { transport: unfollowing(transport) }),
      ...((mode === 'follow' || !isFetchAdapter(adapter, config)) && { maxRedirects: 0 }),
      ...(name === undefined && mode === 'follow' && { fetchOptions: { ...fetchOptions, redirect: 'manual' } }),
    },
  };
}

/** axios's http adapter leaves redirects to follow-redirects, which keeps the time and gives up a redirect's body: it is stopped when about to follow. */
function stoppedRedirect(): Unfollowed {
  let seen: ReturnType<SeenRedirect>;
  return {
    settings: {
      maxRedirects: 1,
      beforeRedirect: (_, { statusCode, headers }) => {
        seen = { status: statusCode, headers };
        throw new Error('This redirect is followed elsewhere.');
      },
    },
    seen: () => seen,
  };
}

/** A transport of the caller's own, such as follow-redirects, is asked in its own words. */
function unfollowing(transport: Transport): Transport {
  return { request: (options, ...rest) => transport.request(Object.assign(options, { followRedirects: false }), ...rest) };
}

/**
 * The hop that `response` sends `call` to, as axios itself would take it: within `maxRedirects`, past `beforeRedirect`.
 *
 * @throws {AuthError} for a body that is gone, and where a browser hides the redirect and would take a credential along. {AxiosError} past `maxRedirects`
 * and where `beforeRedirect` throws.
 */
export async function nextHop(
  call: AxiosCall,
  response: AxiosResponse,
  { query }: AuthPatch,
): Promise<{ redirection: Redirection; config: Config } | undefined> {
  const { root, config, finalUrl: url, method, hops, data, replayable } = call;
  const { name } = root.strategy;
  if (root.hidden && response.status === 0) throw hiddenRedirect(url, name);
  if (!isFollowing(root.adapter, root.config)) return undefined;
  const { status } = response;
  const location = responseHeader(response, 'location') || null;
  // follow-redirects follows any 3xx that says where to.
  const isOther = nameOf(root.adapter) === 'http' && status >= 300 && !isRedirectStatus(status);
  const answer = { status: isOther ? 307 : status, location };
  const next = redirection(answer, { url, method, strategy: name }, query);
  if (!next) return undefined;
  const [most, code] = isFetchAdapter(root.adapter, root.config) ? FETCH_LIMIT : HTTP_LIMIT;
  if (hops >= (root.config.maxRedirects ?? most)) {
    throw new AxiosError('Maximum number of redirects exceeded', code, root.config, response.request);
  }
  if (!next.dropsBody && !replayable) throw bodyGone(next.url.origin, name);
  const { sensitiveHeaders = [] } = root.config as Config;
  const gone = [
    'host',
    ...(next.dropsBody ? headersOfBody : []),
    ...(next.crossOrigin ? [...headersBoundToOrigin, ...sensitiveHeaders] : []),
  ];
  const hop = {
    ...config,
    url: next.url.href,
    baseURL: undefined,
    params: undefined,
    method: next.method.toLowerCase(),
    headers: withoutHeaders(config.headers, gone),
    data: next.dropsBody ? undefined : data,
    auth: next.crossOrigin ? undefined : call.auth,
  } as unknown as Config;
  const { beforeRedirect } = root.config;
  const asksCaller = beforeRedirect && !isFetchAdapter(root.adapter, root.config);
  return asksCaller ? asCallerWants(beforeRedirect, { call, response, hop, next }) : { redirection: next, config: hop };
}

/** Whether axios would follow a redirect. */
function isFollowing(adapter: AxiosAdapter, config: Config): boolean {
  const { maxRedirects, httpVersion, fetchOptions } = config;
  if (maxRedirects === 0) return false;
  return isFetchAdapter(adapter, config) ? (fetchOptions?.redirect ?? 'follow') === 'follow' : Number(httpVersion) !== 2;
}

/** Shows the hop to the caller's `beforeRedirect`, as the options of a request of Node, and takes over what it changes. */
function asCallerWants(beforeRedirect: BeforeRedirect, { call, response, hop, next }: Step): { redirection: Redirection; config: Config } {
  const { protocol, hostname, port, pathname, search, hash, href } = next.url;
  const headers = { ...hop.headers } as Record<string, string>;
  const host = hostname.replace(/^\[|\]$/g, '');
  const options: Record<string, string | object> = {
    protocol,
    hostname: host,
    port,
    path: pathname + search,
    pathname,
    search,
    hash,
    href,
    method: next.method,
    headers,
    ...(hop.auth && { auth: `${hop.auth.username}:${hop.auth.password}` }),
  };
  const before = locationOf(options);
  try {
    const details = { headers: { ...response.headers } as Record<string, string>, statusCode: response.status };
    beforeRedirect(options, details, {
      headers: { ...call.config.headers } as Record<string, string>,
      url: call.finalUrl,
      method: call.method,
    });
  } catch (error) {
    throw AxiosError.from(error as Error, 'ERR_FR_REDIRECTION_FAILURE', call.root.config, response.request);
  }
  const url = locationOf(options) === before ? next.url : new URL(locationOf(options));
  const { origin, protocol: from } = new URL(call.finalUrl);
  const redirection = {
    ...next,
    method: String(options['method']),
    url,
    crossOrigin: url.origin !== origin,
    isDowngrade: from === 'https:' && url.protocol === 'http:',
  };
  return {
    redirection,
    config: {
      ...hop,
      url: url.href,
      method: String(options['method']).toLowerCase(),
      auth: basicOf(options['auth']),
      headers: withHeaders(withoutHeaders(hop.headers, Object.keys(hop.headers)), options['headers'] as Record<string, string>),
    } as Config,
  };
}

/** Node's `user:password`, as axios has it. */
function basicOf(auth: unknown): Config['auth'] {
  const [, username = '', password = ''] = typeof auth === 'string' ? (/^([^:]*):?(.*)$/s.exec(auth) ?? []) : [];
  return typeof auth === 'string' ? { username, password } : undefined;
}

function locationOf({ protocol, hostname, port, path }: Record<string, unknown>): string {
  const host = String(hostname).includes(':') ? `[${hostname}]` : hostname;
  return `${protocol}//${host}${port ? `:${port}` : ''}${path}`;
}
