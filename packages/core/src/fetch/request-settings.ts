/** Members of RequestInit, the standard's and undici's. */
const MEMBERS = [
  'method',
  'headers',
  'body',
  'mode',
  'credentials',
  'cache',
  'redirect',
  'referrer',
  'referrerPolicy',
  'integrity',
  'keepalive',
  'signal',
  'duplex',
  'priority',
  'dispatcher',
] as const;

/**
 * `init` as an object whose own members are all that it says. fetch reads a dictionary: members that a class, a prototype or a `Request` in this
 * place provides count as well, and spreading would lose them.
 */
export function dictionaryOf<Init extends RequestInit>(init: Init): Init {
  const prototype = Object.getPrototypeOf(init);
  if (prototype === Object.prototype || prototype === null) return init;
  const read = init as unknown as Record<string, unknown>;
  return { ...init, ...Object.fromEntries(MEMBERS.filter((name) => read[name] !== undefined).map((name) => [name, read[name]])) };
}

/** What a Request carries besides URL, method, headers and body. */
export function settingsOf(request: Request): RequestInit {
  const { cache, credentials, integrity, keepalive, mode, referrer, referrerPolicy, signal } = request;
  return { cache, credentials, integrity, keepalive, referrer, referrerPolicy, signal, ...(mode !== 'navigate' && { mode }) };
}
