import { ConfigurationError } from '@authseam/core';
import { checkPatch } from '@authseam/core/adapter';

/** How a token endpoint wants its requests, where it departs from RFC 6749 §4.4.2. */
export interface TokenRequestOptions {
  /** `'form'` (default): `application/x-www-form-urlencoded`. `'json'`: a JSON object; a field that occurs twice becomes a list. */
  readonly format?: 'form' | 'json';
  /** By standard name, what the field is called here; `false` leaves it out: `{ client_id: 'clientId', grant_type: false }`. Default: none. */
  readonly fields?: Readonly<Record<string, string | false>>;
  /** More headers, `User-Agent` say, which goes on metadata requests too. `Authorization` is the client's authentication and cannot be set. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws {ConfigurationError} for what no request could be made of. */
export function checkTokenRequest({ format = 'form', fields = {}, headers = {} }: TokenRequestOptions, strategy: string): void {
  const targets = Object.values(fields).filter((target) => target !== false);
  const problem =
    format !== 'form' && format !== 'json'
      ? "`tokenRequest.format` is 'form' or 'json'"
      : targets.some((target) => typeof target !== 'string' || !target) || new Set(targets).size < targets.length
        ? '`tokenRequest.fields` gives each field another name of its own, or `false`'
        : Object.keys(headers).some((name) => /^authorization$/i.test(name))
          ? '`tokenRequest.headers` cannot hold Authorization: see `clientAuthentication`'
          : undefined;
  if (problem) throw new ConfigurationError(`${strategy}: ${problem}.`, { option: 'tokenRequest', strategy });
  checkPatch({ headers: { ...headers } }, strategy);
}
