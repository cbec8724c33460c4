// RFC 6265 §5, as far as a few loopback servers need it: names, values, paths, removal. Domains are host and port.

/** The cookies of one browser. */
export interface CookieJar {
  /** The `Cookie` header for a URL; `''` when there is none. */
  header(url: URL): string;
  /** Keeps what an answer sets. */
  keep(url: URL, headers: Headers): void;
}

interface Cookie {
  readonly origin: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

/** An empty jar: a browser that nobody has used yet. Unlike a real one it keeps the servers of one host apart by their ports. */
export function cookieJar(): CookieJar {
  let cookies: readonly Cookie[] = [];

  return Object.freeze({
    header(url: URL) {
      const fitting = cookies.filter(({ origin, path }) => origin === url.origin && isUnder(url.pathname, path));
      return fitting.map(({ name, value }) => `${name}=${value}`).join('; ');
    },
    keep(url: URL, headers: Headers) {
      for (const line of headers.getSetCookie()) {
        const { cookie, isRemoval } = parsed(line, url);
        const isSame = (other: Cookie) => other.name === cookie.name && other.path === cookie.path && other.origin === cookie.origin;
        cookies = [...cookies.filter((other) => !isSame(other)), ...(isRemoval ? [] : [cookie])];
      }
    },
  });
}

function isUnder(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}

function parsed(line: string, { origin, pathname }: URL): { readonly cookie: Cookie; readonly isRemoval: boolean } {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const [name = '', ...value] = pair.split('=');
  const attribute = (wanted: string) => {
    const found = attributes.map((text) => text.split('=')).find(([key]) => key?.toLowerCase() === wanted);
    return found?.slice(1).join('=');
  };
  const path = attribute('path') ?? (pathname.slice(0, pathname.lastIndexOf('/')) || '/');
  const expires = attribute('expires');
  const isRemoval = Number(attribute('max-age') ?? 1) <= 0 || (expires !== undefined && Date.parse(expires) <= Date.now());
  return { cookie: { origin, path, name, value: value.join('=') }, isRemoval };
}
