// RFC 5849 §3.4: why two sides come to different signatures.

import { encodedParameters, formText, queryOf } from './request-parameters.ts';
import type { SignatureInQuestion } from './signature-explanation.ts';

/** Something in a request that often makes its signature fail. */
export interface SignatureCause {
  readonly code: SignatureCauseCode;
  /** What it is, and what to do about it. Holds no values. */
  readonly message: string;
}

/** What {@link SignatureCause} can be, likeliest first. */
export type SignatureCauseCode =
  | 'blank-around-secret'
  | 'encoded-secret'
  | 'empty-token-secret'
  | 'milliseconds'
  | 'distant-timestamp'
  | 'double-encoding'
  | 'plus-in-query'
  | 'form-like-body'
  | 'repeated-parameter'
  | 'method-case'
  | 'port-or-host'
  | 'insecure-http'
  | 'fragment';

/** What is looked at. */
export interface CauseEvidence extends SignatureInQuestion {
  /** As far as they are known. */
  readonly secrets: { readonly consumerSecret: string | undefined; readonly tokenSecret: string | undefined };
  /** Names of the request's own parameters, encoded. */
  readonly names: readonly string[];
}

/** The causes that are there, likeliest first. */
export function signatureCauses(evidence: CauseEvidence): SignatureCause[] {
  const found = [...secretCauses(evidence), ...timeCauses(evidence), ...encodingCauses(evidence), ...placeCauses(evidence)];
  return found.flatMap(([code, message]) => (message ? [{ code, message }] : []));
}

type Finding = readonly [code: SignatureCauseCode, message: string | false | undefined];

function secretCauses({ options, secrets }: CauseEvidence): Finding[] {
  const { token, tokenSecret, signatureMethod } = options;
  if (signatureMethod.startsWith('RSA-')) return [];
  const named = (test: RegExp): string =>
    (['consumerSecret', 'tokenSecret'] as const)
      .filter((name) => test.test(secrets[name] ?? ''))
      .map((name) => `\`${name}\``)
      .join(' and ');
  const blank = named(/^\s|\s$/);
  const encoded = named(/%[\da-f]{2}/i);
  return [
    ['blank-around-secret', blank && `${blank} begins or ends with a blank: a copied blank is signed like any other character. Trim it.`],
    ['encoded-secret', encoded && `${encoded} holds percent-encoding. Give it as it was issued; oauth1 encodes it.`],
    [
      'empty-token-secret',
      token && tokenSecret !== undefined && secrets.tokenSecret === '' && '`tokenSecret` is empty. Few servers issue such: was it lost?',
    ],
  ];
}

function timeCauses({ signed, referenceMs, isServerTime }: CauseEvidence): Finding[] {
  const { timestampSeconds, clockOffsetSeconds } = signed;
  const apart = timestampSeconds - Math.floor(referenceMs / 1000);
  const isMilliseconds = timestampSeconds > MILLISECONDS;
  const direction = apart > 0 ? 'ahead of' : 'behind';
  const clock = isServerTime ? "the server's clock" : "this machine's clock";
  const learnt = clockOffsetSeconds === 0 ? '' : ` (an offset of ${clockOffsetSeconds} s included)`;
  const far = `The timestamp is ${Math.abs(apart)} s ${direction} ${clock}${learnt}; servers take 300 s or less. Set the clock, or \`timestampSeconds\`.`;
  return [
    ['milliseconds', isMilliseconds && 'The timestamp is in milliseconds: `timestampSeconds` yields whole seconds.'],
    ['distant-timestamp', !isMilliseconds && Math.abs(apart) > TOLERANCE_SECONDS && far],
  ];
}

function encodingCauses({ request, options, names }: CauseEvidence): Finding[] {
  const query = queryOf(new URL(request.url).href);
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) < index))];
  const isForm = names.length > encodedParameters(query).length;
  const again = repeated.length === 1 ? 'A parameter' : `${repeated.length} parameters`;
  const contentType = request.headers.get('content-type')?.split(';', 1)[0]?.trim() ?? 'none';
  const mode = options.bodyHash ? 'by its hash only' : 'not at all';
  return [
    [
      'double-encoding',
      DOUBLE.test(query) && 'The query holds `%25` before two hexadecimal digits: it was encoded twice. Encode values once.',
    ],
    [
      'plus-in-query',
      query.includes('+') && 'The query holds `+`. It is signed as a blank; some servers take it for a plus sign. Write `%20` or `%2B`.',
    ],
    [
      'form-like-body',
      !isForm &&
        isFormLike(request.body, contentType) &&
        `The body reads like a form and is signed ${mode}, since its Content-Type is ${contentType}: send application/x-www-form-urlencoded.`,
    ],
    [
      'repeated-parameter',
      repeated.length > 0 &&
        `${again} of the request occurs more than once. All are signed, sorted by value; some servers sign the first or the last.`,
    ],
  ];
}

function placeCauses({ request }: CauseEvidence): Finding[] {
  const { method, url } = request;
  const { protocol } = new URL(url);
  const [, authority = ''] = /^\s*\w+:\/\/([^/?#]*)/.exec(url) ?? [];
  const oddity = /:\d+$/.test(authority) ? 'names a port' : /[A-Z]/.test(authority) ? 'has capitals in its host' : undefined;
  return [
    [
      'method-case',
      method !== method.toUpperCase() && 'The method is not in capitals. It is signed in capitals; write it so, as servers compare it.',
    ],
    [
      'port-or-host',
      oddity &&
        `The URL ${oddity}. It is signed in lower case, with the port unless it is the default one; a server behind a proxy may see another host or port.`,
    ],
    [
      'insecure-http',
      protocol === 'http:' &&
        'The URL is http. Behind a proxy that ends TLS a server may sign https; and a redirect to https is another URL.',
    ],
    ['fragment', url.includes('#') && 'The URL has a fragment, which is neither sent nor signed. A `#` that belongs to a value is `%23`.'],
  ];
}

function isFormLike(body: string | Uint8Array | undefined, contentType: string): boolean {
  if (body === undefined || /^multipart\//i.test(contentType)) return false;
  return FORM_LIKE.test(formText(body.slice(0, LOOKED_AT)).trim());
}

const TOLERANCE_SECONDS = 60;
/** As seconds that is the year 5138. */
const MILLISECONDS = 100_000_000_000;
const LOOKED_AT = 2_000;
const DOUBLE = /%25[\da-f]{2}/i;
const FORM_LIKE = /^[\w.~%+[\]-]+=[^&=\s<{]*(?:&[\w.~%+[\]-]+=[^&=\s]*)*$/;
