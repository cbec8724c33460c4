import { ConfigurationError } from './auth-error.ts';

/** Whose members {@link checkKnownKeys} checks, for the error. */
export interface KnownKeysUse {
  /** Name of the option that holds them. Default: they are the options themselves. */
  readonly option?: string;
  /** `name` of the strategy, or of whatever takes the options. */
  readonly strategy?: string;
}

/**
 * Checks that `value` is an object with no member but `keys`: a misspelt option would go unnoticed in JavaScript, and through a spread in TypeScript.
 *
 * @throws {ConfigurationError} that names the member, the one that was meant, perhaps, and all that there are. Its `option` is the one given, or else the
 * misspelt member.
 * @example
 * ```ts
 * import { checkKnownKeys } from '@authseam/core';
 *
 * checkKnownKeys({ format: 'json' }, ['format', 'fields', 'headers'], { option: 'tokenRequest', strategy: 'partner' });
 * ```
 */
export function checkKnownKeys(value: unknown, keys: readonly string[], { option, strategy }: KnownKeysUse = {}): void {
  const unknown = isPlainObject(value) ? Object.keys(value).find((key) => !keys.includes(key)) : '';
  if (unknown === undefined) return;
  const path = option === undefined ? '' : `${option}.`;
  const meant = nearest(unknown, keys);
  const hint = meant ? ` Did you mean \`${path}${meant}\`?` : '';
  const problem = unknown ? `\`${path}${unknown}\` is not an option.${hint}` : `\`${option ?? 'options'}\` must be an object.`;
  throw new ConfigurationError(`${strategy ? `${strategy}: ` : ''}${problem} It takes ${keys.join(', ')}.`, {
    option: option ?? (unknown || 'options'),
    strategy,
  });
}

/** Whether `value` is an object that holds options: no list, Map or URLSearchParams. From another realm it is one, too. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** The key that begins with as much of `name` as any, three characters at least, upper and lower case aside. */
function nearest(name: string, keys: readonly string[]): string | undefined {
  for (let start = name.toLowerCase(); start.length > 2; start = start.slice(0, -1)) {
    const found = keys.find((key) => key.toLowerCase().startsWith(start));
    if (found) return found;
  }
  return undefined;
}
