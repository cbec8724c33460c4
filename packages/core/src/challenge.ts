// RFC 9110 §11.6.1: WWW-Authenticate.

/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** As the server wrote it; compares without case. */
  readonly scheme: string;
  /** The single value of schemes such as Negotiate. */
  readonly token68?: string;
  /** By lower-cased name, unquoted; the first of a repeated name. A null-prototype object. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The challenges of a `WWW-Authenticate` header, in order. Reads several in one value, quoted strings with escapes, and token68. What is malformed
 * ends the list; what stood before it is kept.
 *
 * @param header The header's value, several headers joined by a comma; `null` gives none.
 * @see RFC 9110 §11.2, §11.3, §11.6.1
 * @example
 * ```ts
 * import { parseChallenges } from '@authseam/core';
 *
 * const [challenge] = parseChallenges('Bearer realm="api", error="invalid_token"');
 * challenge?.parameters['error']; // 'invalid_token'
 * ```
 */
export function parseChallenges(header: string | null | undefined): Challenge[] {
  const challenges: { scheme: string; token68?: string; parameters: Record<string, string> }[] = [];
  let rest = header ?? '';
  for (;;) {
    const [separator = ''] = /^[\s,]*/.exec(rest) ?? [];
    rest = rest.slice(separator.length);
    const current = challenges.at(-1);
    const parameter = PARAMETER.exec(rest);
    if (parameter && current && current.token68 === undefined) {
      const [all, name = '', quoted, bare = ''] = parameter;
      current.parameters[name.toLowerCase()] ??= quoted === undefined ? bare : quoted.replace(/\\(.)/gs, '$1');
      rest = rest.slice(all.length);
      continue;
    }
    const opening = SCHEME.exec(rest);
    if (!opening || (current && !separator.includes(','))) return challenges;
    rest = rest.slice(opening[0].length);
    const challenge: (typeof challenges)[number] = { scheme: opening[1] ?? '', parameters: Object.create(null) };
    challenges.push(challenge);
    const token68 = TOKEN68.exec(rest);
    if (token68 && !PARAMETER.test(rest)) {
      challenge.token68 = token68[1] ?? '';
      rest = rest.slice(token68[0].length);
    }
  }
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** `name=value` or `name="value"`, with the white space that RFC 9110 §11.2 tolerates, up to the next comma. */
const PARAMETER = new RegExp(`^(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))[ \\t]*(?=,|$)`, 's');
/** A scheme stands alone, before a comma, or before the space that its parameters follow. */
const SCHEME = new RegExp(`^(${TOKEN})(?:[ \\t]+|(?=,|$))`);
const TOKEN68 = /^([A-Za-z0-9._~+/-]+=*)[ \t]*(?=,|$)/;
