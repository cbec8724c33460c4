/** How deep a chain of causes is followed: a foreign error can be its own cause's cause. */
const DEEPEST_CAUSE = 8;

/**
 * A foreign error made fit to be a `cause`: its name, message and short code, and nothing else. Client libraries hang requests, commands and headers
 * on their errors, and parsers and `Headers` quote what they refuse: of a SyntaxError or TypeError quoted text is left out.
 *
 * @param redacted What else is done to every text: `redact` with the secrets at hand.
 */
export function foreignCause(
  error: unknown,
  redacted: (text: string) => string = (text) => text,
  deepest: number = DEEPEST_CAUSE,
): Error | undefined {
  if (!(error instanceof Error) || deepest === 0) return undefined;
  const { code, cause } = error as Error & { code?: unknown };
  // Redacted before it is cut: half a secret is not recognised.
  const clean = (text: unknown): string => redacted(withoutUrlSecrets(String(text))).slice(0, 200);
  const quotesInput = error instanceof SyntaxError || error instanceof TypeError;
  const copy = new Error(clean(quotesInput ? String(error.message).replace(/["'`].*["'`]/s, '…') : error.message));
  copy.name = clean(error.name);
  copy.stack = `${copy.name}: ${copy.message}`;
  const inner = foreignCause(cause, redacted, deepest - 1);
  if (inner) copy.cause = inner;
  return typeof code === 'string' ? Object.assign(copy, { code: clean(code) }) : copy;
}

/** Clients name the URL that they refuse, its user name and password included. */
function withoutUrlSecrets(text: string): string {
  return text.replace(/(\/\/)[^/\s]*@/g, '$1…@').replace(/(URL from ).*/s, '$1…');
}
