// RFC 5849 §3.4.1.3.1 (where parameters come from) and §3.5 (where those of the protocol may stand).
import type { ReceivedRequest } from '../received-request.ts';
import { formDecoded, percentDecoded } from './octets.ts';

/** Where a client puts the parameters of the protocol. */
export type OAuth1Placement = 'header' | 'query' | 'form';

/** One parameter as octets, decoded. */
export interface SignedParameter {
  readonly name: Buffer;
  readonly value: Buffer;
  readonly place: OAuth1Placement;
}

/** Every parameter of a request that its signature covers, `oauth_signature` included, `realm` not; a text says what is malformed. */
export function signedParameters(request: ReceivedRequest): readonly SignedParameter[] | string {
  const header = headerParameters(request.headers['authorization'] ?? '');
  if (typeof header === 'string') return header;
  return [
    ...header,
    ...formParameters(Buffer.from(request.query, 'latin1'), 'query'),
    ...(isForm(request) ? formParameters(request.body, 'form') : []),
  ];
}

/** Whether a request's body is a form, in any letter case and with any charset (§3.4.1.3.1). */
export function isForm({ headers }: ReceivedRequest): boolean {
  return /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function formParameters(octets: Buffer, place: OAuth1Placement): SignedParameter[] {
  const pairs = octets.toString('latin1').split('&');
  return pairs.flatMap((pair) => {
    if (pair === '') return [];
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    return [{ name: formDecoded(Buffer.from(name, 'latin1')), value: formDecoded(Buffer.from(value, 'latin1')), place }];
  });
}

/** The parameters of `Authorization: OAuth …` (§3.5.1); none where another scheme stands. */
function headerParameters(authorization: string): SignedParameter[] | string {
  const start = /^OAuth(?:\s+|$)/i.exec(authorization);
  if (start === null) return [];
  const parameters: SignedParameter[] = [];
  let rest = authorization.slice(start[0].length).trim();
  while (rest !== '') {
    const [part, name = '', value = ''] = /^([^\s"=,]+)="((?:[^"\\]|\\.)*)"\s*(?:,\s*|$)/.exec(rest) ?? [];
    if (part === undefined) return `The Authorization header cannot be read from here on: ${rest.slice(0, 12)}…`;
    rest = rest.slice(part.length);
    if (name.toLowerCase() === 'realm') continue;
    if (!ENCODED.test(name) || !ENCODED.test(value)) return `${name} in the Authorization header is not percent-encoded (RFC 5849 §3.6).`;
    parameters.push({ name: percentDecoded(Buffer.from(name)), value: percentDecoded(Buffer.from(value)), place: 'header' });
  }
  return parameters;
}

const ENCODED = /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$/;
