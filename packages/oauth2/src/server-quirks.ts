// Loaded only for servers that depart from RFC 6749, so that the others cost nobody its weight.
import { ConfigurationError } from '@authseam/core';
import { jsonFields } from './json-fields.ts';
import type { TokenRequestOptions } from './token-request-options.ts';
import type { TokenResponseOptions } from './token-response-options.ts';

/**
 * A standard form body as the server wants it: fields renamed or left out, as a form or as JSON.
 *
 * @throws {ConfigurationError} when a field is renamed to one that is sent as well.
 */
export function quirkyBody(
  body: URLSearchParams,
  { format, fields = {} }: TokenRequestOptions,
  strategy: string,
): URLSearchParams | string {
  const nameOf = (name: string): string | false => (Object.hasOwn(fields, name) ? (fields[name] ?? name) : name);
  const standardNames = new Map<string, string>();
  const pairs: [string, string][] = [];
  for (const [standardName, value] of body) {
    const name = nameOf(standardName);
    if (name === false) continue;
    if ((standardNames.get(name) ?? standardName) !== standardName) {
      throw new ConfigurationError(`${strategy}: \`tokenRequest.fields\` renames a field to '${name}', which is sent as well.`, {
        option: 'tokenRequest',
        strategy,
      });
    }
    standardNames.set(name, standardName);
    pairs.push([name, value]);
  }
  return format === 'json' ? jsonBody(pairs) : new URLSearchParams(pairs);
}

function jsonBody(pairs: readonly (readonly [string, string])[]): string {
  const members = new Map<string, string | string[]>();
  for (const [name, value] of pairs) {
    const before = members.get(name);
    members.set(name, before === undefined ? value : [before, value].flat());
  }
  return JSON.stringify(Object.fromEntries(members));
}

/** The body of an answer, under the names of RFC 6749 §5.1. */
export function standardFields(text: string, options: TokenResponseOptions): Record<string, unknown> {
  // Servers that answer in forms say in JSON what went wrong.
  const isForm = options.format === 'form' && !text.trimStart().startsWith('{');
  const fields = isForm ? Object.assign(Object.create(null), Object.fromEntries(new URLSearchParams(text.trim()))) : jsonFields(text);
  const read = Object.assign(Object.create(null), fields);
  if (options.accessToken !== undefined) read.access_token = at(fields, options.accessToken);
  if (options.expiresIn !== undefined) read.expires_in = at(fields, options.expiresIn);
  if (options.refreshToken !== undefined) read.refresh_token = at(fields, options.refreshToken);
  if (options.scope !== undefined) read.scope = at(fields, options.scope);
  return read;
}

/** What stands at a dotted path, own members only. */
function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, name) => (typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name) ? inner[name as never] : undefined),
      value,
    );
}
