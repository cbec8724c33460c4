// RFC 6749 §3.3: scope. RFC 8707 §2: resource.
import { ConfigurationError, isPlainObject } from '@authseam/core';

/** What a token is asked for, in every grant. */
export interface GrantParametersOptions {
  /** Space-separated, or a list. Default: what the server grants by itself. */
  readonly scope?: string | readonly string[];
  /** Which API the token is for, as Auth0 and other vendors name it; the standard's name is `resource`. Default none. */
  readonly audience?: string;
  /** Which API the token is for (RFC 8707 §2): one or several absolute URIs without fragment. Default none. */
  readonly resource?: string | readonly string[];
  /** More parameters of the token request, such as Auth0's `organization`. Part of the store key: not for secrets. Default none. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** The same, checked and brought into one form. */
export interface GrantParameters {
  /** Space-separated; `undefined`: not asked for. */
  readonly scope: string | undefined;
  /** All of it as parameters of a token request. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** All of it in an order that does not depend on how it was written: equal lists ask for equal tokens. */
  readonly key: readonly (readonly [name: string, value: string])[];
}

/**
 * The parameters by which a token request says what it asks for.
 *
 * @throws {ConfigurationError} for a value of the wrong type, a `resource` that is no absolute URI, and a name in `parameters` that has an option of
 * its own.
 * @see RFC 6749 §3.3, RFC 8707 §2
 * @example
 * ```ts
 * import { grantParameters } from '@authseam/oauth2';
 *
 * grantParameters({ scope: ['read', 'write'] }, 'partner').pairs; // [['scope', 'read write']]
 * ```
 */
export function grantParameters(options: GrantParametersOptions, strategy: string): GrantParameters {
  const { scope: scopes = [], audience, resource: resources = [], parameters = {} } = options;
  const check = (option: string, isFit: boolean, must: string): void => {
    if (!isFit) throw new ConfigurationError(`${strategy}: \`${option}\` must be ${must}.`, { option, strategy });
  };
  const scope = [scopes].flat();
  const resource = [resources].flat();
  check('scope', scope.every(isText), 'a string or a list of strings');
  check('audience', audience === undefined || isText(audience), 'a string');
  check(
    'resource',
    resource.every((uri) => isText(uri) && URL.canParse(uri) && !uri.includes('#')),
    'absolute URIs without fragment',
  );
  check('parameters', isPlainObject(parameters) && Object.values(parameters).every(isText), 'an object: strings by name');
  const taken = Object.keys(parameters).find((name) => RESERVED.test(name));
  check('parameters', taken === undefined, `without ${taken}, which is not free: see the options`);

  const words = scope.flatMap((text) => text.split(/\s+/)).filter(Boolean);
  const others: [string, string][] = [
    ...(audience ? [['audience', audience] satisfies [string, string]] : []),
    ...resource.map((uri): [string, string] => ['resource', uri]),
    ...Object.entries(parameters),
  ];
  const withScope = (list: readonly string[]): [string, string][] => (list.length > 0 ? [['scope', list.join(' ')], ...others] : others);
  return {
    scope: words.join(' ') || undefined,
    pairs: withScope(words),
    key: withScope([...new Set(words)].sort()).sort(([a, x], [b, y]) => (`${a}=${x}` < `${b}=${y}` ? -1 : 1)),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Set by an option, by client authentication or by the grant itself. */
const RESERVED =
  /^(?:grant_type|scope|audience|resource|client_(?:id|secret|assertion|assertion_type)|code|code_verifier|redirect_uri|refresh_token)$/;
