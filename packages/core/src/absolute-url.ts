/** `url` resolved as the platform would; where it cannot be, it is left to the client. */
export function absoluteUrl(url: string): string {
  if (url.startsWith('https://') || /^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return url;
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  const base = document?.baseURI ?? location?.href; // a page can have a <base>, a worker has no document
  return base && URL.canParse(url, base) ? new URL(url, base).href : url;
}
