/** What a Request carries besides URL, method, headers and body. */
export function settingsOf(request: Request): RequestInit {
  const { cache, credentials, integrity, keepalive, mode, referrer, referrerPolicy, signal } = request;
  return { cache, credentials, integrity, keepalive, referrer, referrerPolicy, signal, ...(mode !== 'navigate' && { mode }) };
}
