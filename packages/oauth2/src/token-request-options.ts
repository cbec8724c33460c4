import { ConfigurationError, checkKnownKeys, isPlainObject } from '@authseam/core';
import { checkPatch } from '@authseam/core/adapter';

/** How a token endpoint wants its requests, where it departs from RFC 6749 §4.4.2. */
export interface TokenRequestOptions {
  /** `'form'` (default): `application/x-www-form-urlencoded`. `'json'`: a JSON object; a field that occurs twice becomes a list. */
  readonly format?: 'form' | 'json';
  /** By standard name, what the field is called here; `false` leaves it out: `{ client_id: 'clientId', grant_type: false }`. Default: none. */
  readonly fields?: Readonly<Record<string, string | false>>;
  /**
   * More headers, `User-Agent` say, which goes on metadata requests too. `Authorization` is the client's authentication and cannot be set, nor can what
   * frames the request. Default: none.
   */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * @returns The headers, names in lower case.
 * @throws {ConfigurationError} for what no request could be made of.
 */
export function checkTokenRequest(options: TokenRequestOptions, strategy: string): Readonly<Record<string, string>> {
  checkKnownKeys(options, ['format', 'fields', 'headers'], { option: 'tokenRequest', strategy });
  const { format = 'form', fields = {}, headers: given = {} } = options;
  // Not what the type asks for, but what fetch takes.
  const headers = given instanceof Headers ? Object.fromEntries(given) : given;
  const targets = isPlainObject(fields) ? Object.values(fields).filter((target) => target !== false) : [''];
  const problem =
    format !== 'form' && format !== 'json'
      ? "`tokenRequest.format` is 'form' or 'json'"
      : targets.some((target) => typeof target !== 'string' || !target) || new Set(targets).size < targets.length
        ? '`tokenRequest.fields` gives each field another name of its own, or `false`'
        : !isPlainObject(headers)
          ? '`tokenRequest.headers` are values by name'
          : Object.keys(headers).some((name) => /^(?:authorization|content-length|host|transfer-encoding|connection)$/i.test(name))
            ? '`tokenRequest.headers` cannot hold Authorization (see `clientAuthentication`), nor what frames the request'
            : undefined;
  if (problem) throw new ConfigurationError(`${strategy}: ${problem}.`, { option: 'tokenRequest', strategy });
  checkPatch({ headers }, strategy, 'tokenRequest');
  return Object.fromEntries(new Headers(headers));
}
