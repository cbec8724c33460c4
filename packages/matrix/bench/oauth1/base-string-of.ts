import type { RequestToSign } from './sign.ts';

/** The base string of a signed request, made from what is sent: short, slow, and with no code of any contender. */
export function baseStringOf({ method, url, form }: RequestToSign, authorization: string): string {
  const { origin, pathname, searchParams } = new URL(url);
  const protocol = [...authorization.matchAll(/(\w+)="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, decodeURIComponent(value)] as const,
  );
  const all = [...protocol, ...searchParams, ...new URLSearchParams(form)].filter(([name]) => name !== 'oauth_signature');
  const encoded = all.map(([name, value]) => [encode(name), encode(value)] as const);
  const sorted = encoded.sort(([a, first], [b, second]) => (a === b ? compare(first, second) : compare(a, b)));
  return [method, origin + pathname, sorted.map((pair) => pair.join('=')).join('&')].map(encode).join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
