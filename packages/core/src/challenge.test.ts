// RFC 9110 §11.2 (auth-param, token68), §11.3 (challenge), §5.6.1.2 (empty list elements), §11.6.1 (WWW-Authenticate and its examples).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Challenge, parseChallenges } from './challenge.ts';

interface Plain {
  readonly scheme: string;
  readonly token68?: string;
  readonly parameters: Record<string, string>;
}

/** Without the null prototype, so that `toEqual` compares what is there. */
function plain(challenges: readonly Challenge[]): Plain[] {
  return challenges.map((challenge) => ({ ...challenge, parameters: { ...challenge.parameters } }));
}

const bearer = (parameters: Record<string, string> = {}): Plain => ({ scheme: 'Bearer', parameters });

const wellFormed: readonly (readonly [name: string, header: string, expected: readonly Plain[]])[] = [
  [
    'the example of §11.6.1: two challenges in one header, a comma and escapes inside quotes',
    'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\", please"',
    [
      { scheme: 'Basic', parameters: { realm: 'simple' } },
      { scheme: 'Newauth', parameters: { realm: 'apps', type: '1', title: 'Login to "apps", please' } },
    ],
  ],
  ['a scheme alone', 'Negotiate', [{ scheme: 'Negotiate', parameters: {} }]],
  ['two schemes alone', 'Negotiate, NTLM', ['Negotiate', 'NTLM'].map((scheme) => ({ scheme, parameters: {} }))],
  [
    'Negotiate before Bearer',
    'Negotiate, Bearer error="invalid_token"',
    [{ scheme: 'Negotiate', parameters: {} }, bearer({ error: 'invalid_token' })],
  ],
  [
    'token68 with padding, before Bearer',
    'Negotiate oYG2MIGzoAMKAQChCwYJ/+==, Bearer realm="x"',
    [{ scheme: 'Negotiate', token68: 'oYG2MIGzoAMKAQChCwYJ/+==', parameters: {} }, bearer({ realm: 'x' })],
  ],
  ['token68 that one = ends, no parameter', 'Negotiate abc=', [{ scheme: 'Negotiate', token68: 'abc=', parameters: {} }]],
  [
    'token68 after a challenge with parameters',
    'Bearer realm=x, Negotiate a.b-c_d~e+f/g',
    [bearer({ realm: 'x' }), { scheme: 'Negotiate', token68: 'a.b-c_d~e+f/g', parameters: {} }],
  ],
  ['empty list elements', ', ,Bearer realm="x",, , error="y", ,', [bearer({ realm: 'x', error: 'y' })]],
  ['white space round =', 'Bearer realm = "x",\terror\t=\tinvalid_token', [bearer({ realm: 'x', error: 'invalid_token' })]],
  [
    'no space after a comma',
    'Bearer realm="x",error="y",Basic realm="z"',
    [bearer({ realm: 'x', error: 'y' }), { scheme: 'Basic', parameters: { realm: 'z' } }],
  ],
  ['several spaces after the scheme', 'Bearer   realm="x"', [bearer({ realm: 'x' })]],
  ['an empty quoted string', 'Bearer realm=""', [bearer({ realm: '' })]],
  ['an escaped backslash before the closing quote', 'Bearer realm="C:\\\\", error="y"', [bearer({ realm: 'C:\\', error: 'y' })]],
  ['an escaped ordinary character', 'Bearer realm="\\a\\b"', [bearer({ realm: 'ab' })]],
  ['what looks like a challenge inside quotes', 'Bearer realm="x, Basic realm=y"', [bearer({ realm: 'x, Basic realm=y' })]],
  [
    'names in any case',
    'bEARER Error="x", ERROR_DESCRIPTION="y"',
    [{ scheme: 'bEARER', parameters: { error: 'x', error_description: 'y' } }],
  ],
  ['a repeated name: the first one', 'Bearer error="first", ERROR="second"', [bearer({ error: 'first' })]],
  ['Latin-1 in quotes', 'Basic realm="Zugänge"', [{ scheme: 'Basic', parameters: { realm: 'Zugänge' } }]],
  ['the same scheme twice', 'Bearer realm="a", Bearer realm="b"', [bearer({ realm: 'a' }), bearer({ realm: 'b' })]],
];

const malformed: readonly (readonly [name: string, header: string, kept: readonly Plain[]])[] = [
  ['nothing', '', []],
  ['commas only', ' , ,, ', []],
  ['no scheme', '="x"', []],
  [
    'an unterminated quoted string',
    'Basic realm="a", Bearer realm="b, error=',
    [{ scheme: 'Basic', parameters: { realm: 'a' } }, bearer()],
  ],
  ['a quoted string that ends in an escape', 'Bearer realm="a\\"', [bearer()]],
  ['text after a quoted string', 'Bearer realm="a"b, error="c"', [bearer()]],
  ['a missing comma between challenges', 'Bearer realm="a" Basic realm="b"', [bearer()]],
  ['two words after the scheme', 'Bearer foo bar', [bearer()]],
  ['a scheme where a parameter or token68 belongs', 'Basic Bearer error="invalid_token"', [{ scheme: 'Basic', parameters: {} }]],
  ['a parameter after token68', 'Negotiate abc, realm="x"', [{ scheme: 'Negotiate', token68: 'abc', parameters: {} }]],
  ['a character that no token may hold', 'Bearer realm=a@b', [bearer()]],
];

describe('parseChallenges', () => {
  it.each(wellFormed)('reads %s', (_name, header, expected) => {
    expect(plain(parseChallenges(header))).toEqual(expected);
  });

  it.each(malformed)('ends the list at %s, and keeps what stood before it', (_name, header, kept) => {
    expect(plain(parseChallenges(header))).toEqual(kept);
  });

  it.each([null, undefined])('gives none for %s', (header) => {
    expect(parseChallenges(header)).toEqual([]);
  });

  it('takes parameter names from the server without touching a prototype', () => {
    const [challenge] = parseChallenges('Bearer __proto__="x", constructor="y"');
    expect(Object.getPrototypeOf(challenge?.parameters)).toBeNull();
    expect(Object.entries(challenge?.parameters ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('terminates without throwing for any string', () => {
    const pieces = fc.array(fc.constantFrom('a', 'Bearer', ' ', '\t', ',', '=', '"', '\\', '\n', '~', '==', 'é', '\0', '\u2028'), {
      maxLength: 200,
    });
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      pieces.map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (header) => {
        expect(Array.isArray(parseChallenges(header))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['words', 'a '.repeat(32_000)],
    ['one token', 'a'.repeat(64_000)],
    ['blanks', `Bearer a${' '.repeat(64_000)}x`],
    ['an open quote', `Bearer a="${'\\a'.repeat(32_000)}`],
    ['padding', `Bearer a${'='.repeat(64_000)}x`],
    ['commas', ','.repeat(64_000)],
    ['parameters', `Bearer ${'a=b,'.repeat(16_000)}`],
  ])('takes no longer than its length for 64 KB of %s', (_name, header) => {
    const startMs = performance.now();
    parseChallenges(header);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it('reads back what was written', () => {
    const tokenCharacters = [..."!#$%&'*+.^_`|~09AZaz-"];
    const token = fc.string({ unit: fc.constantFrom(...tokenCharacters), minLength: 1, maxLength: 12 });
    const token68 = fc
      .tuple(fc.string({ unit: fc.constantFrom(...'azAZ09-._~+/'), minLength: 1, maxLength: 20 }), fc.constantFrom('', '=', '=='))
      .map((parts) => parts.join(''));
    const value = fc.string({ unit: fc.constantFrom(...' \t,="\\aé0~;/'), maxLength: 20 });
    const parameters = fc.dictionary(
      token.map((name) => name.toLowerCase()),
      value,
      { maxKeys: 4 },
    );
    const challenge: fc.Arbitrary<Plain> = fc.oneof(
      fc.record({ scheme: token, parameters }),
      fc.record({ scheme: token, token68, parameters: fc.constant({}) }),
    );
    const quote = (text: string): string => (/^[a-z0-9~]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`);
    const write = (one: Plain): string => {
      const pairs = Object.entries(one.parameters).map(([name, text]) => `${name}=${quote(text)}`);
      return [one.scheme, one.token68 ?? pairs.join(', ')].join(' ').trimEnd();
    };
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
        const read = parseChallenges(challenges.map(write).join(', '));
        expect(read.map((one) => ({ ...one, parameters: Object.entries(one.parameters) }))).toEqual(
          challenges.map((one) => ({ ...one, parameters: Object.entries(one.parameters) })),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
