import { absoluteUrl } from '@authseam/core/adapter';
import { Axios, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';

/** An instance without defaults: `getUri` of the caller's own would put back the default params that a request took out. */
const plain: Axios = /* @__PURE__ */ new Axios({});

/** Where a request goes as far as the origin is concerned, since axios puts path and `params` behind it, and who it signs in as by itself. */
export function addressOf(config: InternalAxiosRequestConfig): { readonly url: string; readonly auth: InternalAxiosRequestConfig['auth'] } {
  const { baseURL, allowAbsoluteUrls, auth } = config;
  const url = String(config.url ?? ''); // a URL object works as well
  const isJoined = baseURL && !/:|^\/\/|\\/.test(url);
  const address = absoluteUrl(
    isJoined ? `${baseURL}/` : baseURL ? plain.getUri({ baseURL, url, allowAbsoluteUrls } as AxiosRequestConfig) : onSocket(config, url),
  );
  if (!address.includes('@') || !URL.canParse(address)) return { url: address, auth };
  const { username, password, origin, pathname, search } = new URL(address);
  if (!username && !password) return { url: address, auth };
  return { url: `${origin}${pathname}${search}`, auth: auth ?? { username: decoded(username), password: decoded(password) } };
}

/** The URL that axios makes of a config, as the platform writes it, without fragment and userinfo. */
export function finalUrlOf(config: InternalAxiosRequestConfig): string {
  const { baseURL, url, allowAbsoluteUrls, params, paramsSerializer } = config;
  const made = plain.getUri({ baseURL, url, allowAbsoluteUrls, params, paramsSerializer } as AxiosRequestConfig);
  const { origin, pathname, search } = new URL(absoluteUrl(onSocket(config, made)));
  return `${origin}${pathname}${search}`;
}

/** Over a Unix socket a path is enough. */
function onSocket({ socketPath }: InternalAxiosRequestConfig, url: string): string {
  return socketPath && url.startsWith('/') ? `http://localhost${url}` : url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
