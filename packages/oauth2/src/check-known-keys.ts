import { ConfigurationError } from '@authseam/core';

/**
 * Checks that `value` is an object with no member but `keys`: a misspelt option would go unnoticed in JavaScript, and through a spread in TypeScript.
 *
 * @param option Name of the option that holds `value`, for the error.
 * @param strategy `name` of the strategy, for the error.
 * @throws {ConfigurationError} that names the member, the one that was meant, perhaps, and all that there are.
 * @example
 * ```ts
 * import { checkKnownKeys } from '@authseam/oauth2';
 *
 * checkKnownKeys({ format: 'json' }, ['format', 'fields', 'headers'], 'tokenRequest', 'partner');
 * ```
 */
export function checkKnownKeys(value: unknown, keys: readonly string[], option: string, strategy: string): void {
  const unknown = isPlainObject(value) ? Object.keys(value).find((key) => !keys.includes(key)) : '';
  if (unknown === undefined) return;
  const [nearest = ''] = keys.toSorted((a, b) => sharedStart(b, unknown) - sharedStart(a, unknown));
  const hint = sharedStart(nearest, unknown) > 2 ? ` Did you mean \`${nearest}\`?` : '';
  const problem = unknown ? `has no member \`${unknown}\`.${hint}` : 'must be an object.';
  throw new ConfigurationError(`${strategy}: \`${option}\` ${problem} It takes ${keys.join(', ')}.`, { option, strategy });
}

/** Whether `value` is an object that holds options: no list, Map or URLSearchParams. From another realm it is one, too. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** How many characters two names begin with alike, upper and lower case aside. */
function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length]?.toLowerCase() === b[length]?.toLowerCase()) length += 1;
  return length;
}
