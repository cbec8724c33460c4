// Beside the npm package oauth-1.0a 2.2.6: the same signature for the same input, but where that package departs from RFC 5849. Each departure is
// named, its predicate tells when it can show, and an example shows that it does.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import OAuth from 'oauth-1.0a';
import { describe, expect, it } from 'vitest';
import { aRequest, patchOf } from './fixtures/a-request.ts';
import { encodedParameters, queryOf } from './request-parameters.ts';

interface Input {
  readonly method: string;
  readonly url: string;
  /** Fields of a form body. */
  readonly fields?: readonly (readonly [string, string])[];
}

interface Departure {
  readonly name: string;
  readonly section: string;
  readonly shows: (input: Input) => boolean;
  readonly example: Input;
}

const at = (url: string, fields?: Input['fields']): Input => ({ method: 'POST', url, ...(fields && { fields }) });
const pieces = (url: string): string[] => queryOf(url).split('&');
const rawNames = (url: string): string[] => pieces(url).map((piece) => piece.split('=', 1)[0] ?? '');
const rawValues = (url: string): string[] => pieces(url).map((piece) => piece.slice(piece.indexOf('=') + 1 || piece.length));
const names = ({ url, fields = [] }: Input): string[] => [...encodedParameters(queryOf(url)), ...fields].map(([name]) => name);
const hasRepeats = (list: readonly string[]): boolean => new Set(list).size < list.length;

const departures: readonly Departure[] = [
  { name: 'a fragment is signed', section: '§3.4.1.2', shows: ({ url }) => url.includes('#'), example: at('https://a.example/x#part') },
  {
    name: 'a default port is signed',
    section: '§3.4.1.2',
    shows: ({ url }) => /^(?:http:\/\/[^/?#]*:80|https:\/\/[^/?#]*:443)(?![^/?#])/i.test(url),
    example: at('https://a.example:443/x'),
  },
  {
    name: 'an upper-case scheme or host is signed',
    section: '§3.4.1.2',
    shows: ({ url }) => /[A-Z]/.test(url.split(/[/?#]/, 3).join('/')),
    example: at('https://A.example/x'),
  },
  {
    name: 'a URL without path is signed without its slash',
    section: '§3.4.1.2',
    shows: ({ url }) => !/^\w+:\/\/[^/?#]+\//.test(url),
    example: at('https://a.example'),
  },
  {
    name: 'what a client encodes in a path is signed as it was written',
    section: '§3.4.1.2',
    shows: ({ url }) => /[^!-~]|\/\.|["<>`{}\\^|]/.test(url.split(/[?#]/, 1)[0] ?? ''),
    example: at('https://a.example/a/../b c'),
  },
  {
    name: 'query names are not decoded',
    section: '§3.4.1.3.1',
    shows: ({ url }) => rawNames(url).some((name) => /[%+]/.test(name)),
    example: at('https://a.example/?a%5B0%5D=1'),
  },
  {
    name: 'a plus in a query value is not a space',
    section: '§3.4.1.3.1',
    shows: ({ url }) => rawValues(url).some((value) => value.includes('+')),
    example: at('https://a.example/?q=a+b'),
  },
  {
    name: 'a query value ends at its first equals sign',
    section: '§3.4.1.3.1',
    shows: ({ url }) => rawValues(url).some((value) => value.includes('=')),
    example: at('https://a.example/?q=a=b'),
  },
  {
    name: 'a query ends at its second question mark',
    section: '§3.4.1.3.1',
    shows: ({ url }) => queryOf(url).includes('?'),
    example: at('https://a.example/?q=a?b'),
  },
  {
    name: 'nothing between two ampersands is a parameter',
    section: '§3.4.1.3.1',
    shows: ({ url }) => url.includes('?') && pieces(url).includes(''),
    example: at('https://a.example/?a=1&&b=2'),
  },
  {
    name: 'an escape that is none, or no UTF-8, throws',
    section: '§3.4.1.3.1',
    shows: ({ url }) => rawValues(url).some((value) => !decodes(value)),
    example: at('https://a.example/?q=100%'),
  },
  {
    name: 'of a repeated query name an earlier empty value is lost',
    section: '§3.4.1.3.2',
    shows: ({ url }) => hasRepeats(rawNames(url)) && rawValues(url).includes(''),
    example: at('https://a.example/?a=&a=1'),
  },
  {
    name: 'the query replaces body fields of the same name',
    section: '§3.4.1.3.2',
    shows: ({ url, fields = [] }) =>
      fields.some(([name]) => encodedParameters(queryOf(url)).some(([other]) => decodeURIComponent(other) === name)),
    example: at('https://a.example/?a=1', [['a', '2']]),
  },
  {
    name: 'names that every object has come out as code',
    section: '§3.4.1.3.1',
    shows: (input) => names(input).some((name) => name in Object.prototype),
    example: at('https://a.example/?constructor=1'),
  },
  {
    name: 'a method of other characters is not encoded',
    section: '§3.4.1.1',
    shows: ({ method }) => /[^\w.~-]/.test(method),
    example: { method: "IT'S", url: 'https://a.example/' },
  },
];

const plain = fc.constantFrom('a', 'b', 'a-b', 'B', 'x!y', '*', ';', '~', ',', '1');
const odd = fc.constantFrom('é', '%20', '%5B', '+', '=', '?', '', '&', '%', '%FF', 'constructor');
const word = fc
  .array(fc.oneof({ weight: 12, arbitrary: plain }, { weight: 1, arbitrary: odd }), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(''));
const query = fc.array(
  fc.tuple(word, fc.option(word)).map(([name, value]) => (value === null ? name : `${name}=${value}`)),
  { maxLength: 5 },
);
const url = fc
  .tuple(
    fc.constantFrom(
      'https://a.example',
      'http://a.example',
      'http://a.example:8080',
      'https://a.example:8443',
      'https://A.example',
      'https://a.example:443',
    ),
    fc.constantFrom('/', '/x', '/x%20y', '/~u/(1)', '/a/b', '', '/a/../b'),
    fc.option(query.map((parts) => parts.join('&'))),
    fc.constantFrom('', '', '', '', '', '#part'),
  )
  .map(([origin, path, search, hash]) => `${origin}${path}${search === null ? '' : `?${search}`}${hash}`);
const plainWord = fc.string({ unit: fc.constantFrom('a', 'b', '-', ' ', '+', '%', '=', '&', 'é', '😀', '!', "'", '1') });
const input: fc.Arbitrary<Input> = fc.record(
  { method: fc.constantFrom('GET', 'POST', 'put', "it's"), url, fields: fc.array(fc.tuple(plainWord, plainWord), { maxLength: 6 }) },
  { requiredKeys: ['method', 'url'] },
);

describe('beside oauth-1.0a', () => {
  it('signs the same but for the departures below', () => {
    let compared = 0;
    fc.assert(
      fc.property(input, (one) => {
        if (departures.some(({ shows }) => shows(one))) return;
        compared += 1;
        expect(ours(one)).toBe(theirs(one));
      }),
      { numRuns: 6000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it.each(departures)('there $section: $name', ({ shows, example }) => {
    expect(shows(example)).toBe(true);
    expect(departures.filter((departure) => departure.shows(example))).toHaveLength(1);
    expect(ours(example)).toMatch(/^[A-Za-z0-9+/]{27}=$/);
    expect(ours(example)).not.toBe(theirs(example));
  });

  it('there a query replaces protocol parameters; here it is refused', () => {
    const evil = at('https://a.example/?oauth_nonce=EVIL');
    expect(baseStringOfPeer(evil)).toContain('oauth_nonce%3DEVIL');
    expect(() => ours(evil)).toThrow('oauth_');
  });

  it("there the caller's request is written to, nonces come from Math.random, and a body hash is keyed with the secrets", () => {
    const data = { method: 'GET', url: 'https://a.example/' };
    const random = Math.random;
    try {
      Math.random = () => 0;
      expect(randomPeer().authorize(data).oauth_nonce).toBe('a'.repeat(32));
    } finally {
      Math.random = random;
    }
    expect(data).toHaveProperty('data');
    const hashed = peer().authorize({ ...data, data: 'Hello World!', includeBodyHash: true } as OAuth.RequestOptions) as {
      oauth_body_hash?: string;
    };
    expect(hashed.oauth_body_hash).not.toBe('Lve95gjOVATpfV8EL5X4nxwjKHE=');
  });
});

function ours({ method, url: target, fields }: Input): string {
  const body = fields && new URLSearchParams(fields.map(([name, value]) => [name, value])).toString();
  const options = {
    consumerKey: 'key',
    consumerSecret: 'secret',
    token: 'token',
    tokenSecret: 'other',
    timestampSeconds: () => 1,
    nonce: () => 'n',
  };
  return patchOf(options, aRequest({ method, url: target, body })).receipt.signature;
}

function theirs(one: Input): string | undefined {
  try {
    return peer().authorize(requestOf(one), { key: 'token', secret: 'other' }).oauth_signature;
  } catch {
    return undefined;
  }
}

function baseStringOfPeer(one: Input): string {
  const fixed = peer();
  return fixed.getBaseString(requestOf(one), { ...fixed.authorize(requestOf(one)) });
}

function peer(): OAuth {
  return Object.assign(randomPeer(), { getNonce: () => 'n', getTimeStamp: () => 1 });
}

function randomPeer(): OAuth {
  return new OAuth({
    consumer: { key: 'key', secret: 'secret' },
    signature_method: 'HMAC-SHA1',
    hash_function: (text, key) => createHmac('sha1', key).update(text).digest('base64'),
  });
}

/** Its shape of a request: fields as an object, an array where a name repeats. */
function requestOf({ method, url: target, fields = [] }: Input): OAuth.RequestOptions {
  const data: Record<string, string | string[]> = {};
  for (const [name, value] of fields) {
    const known = Object.hasOwn(data, name) ? data[name] : undefined;
    data[name] = known === undefined ? value : [known, value].flat();
  }
  return { method, url: target, data };
}

function decodes(value: string): boolean {
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}
