// RFC 5849 §3.4.1.2: base string URI.

/**
 * Scheme, authority and path of `url`: the part of a signature that says where the request goes. Scheme and host in lower case, no default port, no
 * query, no fragment; the path as it is sent, `/` where there is none.
 *
 * @param url Absolute. What a client would encode before it sends it (blanks, an international host name, dot segments) is encoded as it would.
 * @throws {TypeError} when `url` is not absolute.
 * @see RFC 5849 §3.4.1.2
 */
export function baseStringUri(url: string): string {
  const query = url.search(/[?#]/);
  const uri = query < 0 ? url : url.slice(0, query);
  if (FINAL.test(uri)) return uri;
  const { protocol, host, pathname } = new URL(uri);
  return `${protocol}//${host}${pathname}`;
}

/** What parsing changes nothing of, as most URLs are that a client shows us: then there is no need to. */
const FINAL = /^https?:\/\/(?:[a-z\d-]+\.)+[a-z]+\/(?!\.|.*\/\.)[\w.~/-]*$/;
