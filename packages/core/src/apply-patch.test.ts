// RFC 3986 §2.3 (unreserved), RFC 6265 §4.1.1 and §4.2.1 (cookies), RFC 9110 §5.1 and §5.5 (fields).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendCookies, appendForm, appendQuery, checkPatch, findConflict, percentEncode } from './apply-patch.ts';
import { ConfigurationError } from './auth-error.ts';
import type { AuthPatch, AuthRequest } from './auth-strategy.ts';

function request(part: { url?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {}): AuthRequest {
  const { url = 'https://api.example.com/', headers = {}, body } = part;
  const all = new Headers(headers);
  return { method: 'POST', url, headers: all, replayable: true, attempt: 1, ...(body !== undefined && { body }) };
}

describe('appendQuery', () => {
  it.each([
    ['https://h/p', 'https://h/p?k=v'],
    ['https://h', 'https://h?k=v'],
    ['https://h/p?', 'https://h/p?k=v'],
    ['https://h/p?a=1', 'https://h/p?a=1&k=v'],
    ['https://h/p?a=?', 'https://h/p?a=?&k=v'],
    ['https://h/p??', 'https://h/p??&k=v'],
    ['https://h/p?a=1&', 'https://h/p?a=1&k=v'],
    ['https://h/p#f', 'https://h/p?k=v#f'],
    ['https://h/p?#f', 'https://h/p?k=v#f'],
    ['https://h/p?a#f?x=1', 'https://h/p?a&k=v#f?x=1'],
    ['https://h/p#f?a=1', 'https://h/p?k=v#f?a=1'],
    ["https://h/p?q=it's [1] |2|+ %2f%2F é&&x", "https://h/p?q=it's [1] |2|+ %2f%2F é&&x&k=v"],
    ['/p?a', '/p?a&k=v'],
  ])('makes of %s %s', (url, expected) => {
    expect(appendQuery(url, [['k', 'v']])).toBe(expected);
  });

  it('appends pairs in order, repeated names too, all but unreserved characters encoded', () => {
    const pairs = [
      ['a', "!'()* +&=#%/?"],
      ['é ', ''],
      ['a', '-._~'],
    ] as const;
    expect(appendQuery('https://h/', pairs)).toBe('https://h/?a=%21%27%28%29%2A%20%2B%26%3D%23%25%2F%3F&%C3%A9%20=&a=-._~');
  });

  it.each([[undefined], [[]]])('leaves the URL as it is for %j', (pairs) => {
    expect(appendQuery('https://h/p?#', pairs)).toBe('https://h/p?#');
  });

  it('keeps every byte that was there, and what it adds reads back', () => {
    const pairs = fc.array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 4 });
    const query = fc.string({ unit: fc.constantFrom(..."a1=&?%+ '[]|é/") });
    fc.assert(
      fc.property(query, fc.constantFrom('', '#', '#f?&'), pairs, (text, fragment, added) => {
        const before = `https://h/p?${text}`;
        const url = appendQuery(before + fragment, added);
        expect(url.startsWith(before) && url.endsWith(fragment)).toBe(true);
        const tail = url.slice(before.length, url.length - fragment.length).replace(/^&/, '');
        expect([...new URLSearchParams(`&${tail}`)]).toEqual(added.map(([name, value]) => [name, value.toWellFormed()]));
      }),
    );
  });
});

describe('percentEncode', () => {
  it('leaves only unreserved characters', () => {
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join('');
    expect(percentEncode(ascii).replace(/%[0-9A-F]{2}/g, '')).toBe('-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~');
  });

  it('does not fail on half a character', () => {
    expect(percentEncode('a\ud800b')).toBe('a%EF%BF%BDb');
  });

  it('reads back', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => decodeURIComponent(percentEncode(text)) === text));
  });
});

describe('appendForm', () => {
  const pairs = [['k', 'a b&c']] as const;

  it.each([
    ['no body', undefined, 'k=a%20b%26c'],
    ['an empty one', '', 'k=a%20b%26c'],
    ['text, byte for byte', "q=it's+[1]&&x", "q=it's+[1]&&x&k=a%20b%26c"],
  ])('extends %s', (_name, body, expected) => {
    expect(appendForm(body, pairs)).toBe(expected);
  });

  it('extends bytes by bytes, UTF-8 or not', () => {
    const extended = appendForm(new Uint8Array([0x61, 0x3d, 0xff]), [['k', 'v']]);
    expect(extended).toEqual(new Uint8Array([0x61, 0x3d, 0xff, ...new TextEncoder().encode('&k=v')]));
  });
});

describe('appendCookies', () => {
  it.each([
    [null, 'k=v; l=w'],
    ['', 'k=v; l=w'],
    ['a=1; b="2"', 'a=1; b="2"; k=v; l=w'],
  ])('extends %j', (header, expected) => {
    expect(appendCookies(header, { k: 'v', l: 'w' })).toBe(expected);
  });
});

describe('findConflict', () => {
  const patches: readonly (readonly [name: string, carrying: AuthRequest, patch: AuthPatch, found: unknown])[] = [
    [
      'a header in another case',
      request({ headers: { 'x-api-key': 'mine' } }),
      { headers: { 'X-API-Key': 'k' } },
      { place: 'header', name: 'X-API-Key' },
    ],
    [
      'an empty header',
      request({ headers: { 'X-API-Key': '' } }),
      { headers: { 'X-API-Key': 'k' } },
      { place: 'header', name: 'X-API-Key' },
    ],
    ['a query parameter', request({ url: 'https://h/?b&a%20b=1' }), { query: [['a b', 'k']] }, { place: 'query', name: 'a b' }],
    ['an empty query parameter', request({ url: 'https://h/?key' }), { query: [['key', 'k']] }, { place: 'query', name: 'key' }],
    ['a form-encoded name', request({ url: 'https://h/?a+b=1' }), { query: [['a b', 'k']] }, { place: 'query', name: 'a b' }],
    [
      'the second parameter',
      request({ url: 'https://h/?b=1' }),
      {
        query: [
          ['a', 'k'],
          ['b', 'k'],
        ],
      },
      { place: 'query', name: 'b' },
    ],
    ['a cookie', request({ headers: { Cookie: 'a=1;sid = 2' } }), { cookies: { sid: 'k' } }, { place: 'cookie', name: 'sid' }],
    ['a form field', request({ body: 'x=1&tok%65n=2' }), { form: [['token', 'k']] }, { place: 'form', name: 'token' }],
    ['a form field in bytes', request({ body: new TextEncoder().encode('é=1') }), { form: [['é', 'k']] }, { place: 'form', name: 'é' }],
    ['no header of another name', request({ headers: { 'X-API-Keys': 'mine' } }), { headers: { 'X-API-Key': 'k' } }, undefined],
    ['no parameter in another case', request({ url: 'https://h/?Key=1' }), { query: [['key', 'k']] }, undefined],
    ['no parameter in the path', request({ url: 'https://h/key=1' }), { query: [['key', 'k']] }, undefined],
    ['no parameter in a value', request({ url: 'https://h/?a=key&b=%26key=1' }), { query: [['key', 'k']] }, undefined],
    ['no cookie in another case', request({ headers: { Cookie: 'SID=1; b=sid=1' } }), { cookies: { sid: 'k' } }, undefined],
    ['no cookie that is a prefix', request({ headers: { Cookie: 'sid2=1; xsid=1' } }), { cookies: { sid: 'k' } }, undefined],
    ['nothing for an empty patch', request({ url: 'https://h/?a=1', headers: { a: '1' } }), {}, undefined],
  ];

  it.each(patches)('finds %s', (_name, carrying, patch, found) => {
    expect(findConflict(carrying, patch)).toEqual(found);
  });
});

describe('checkPatch', () => {
  const fine: AuthPatch[] = [
    {},
    { headers: { Authorization: 'Bearer a.b-c~+/==' } },
    { headers: { 'X-Empty': '', "X!#$%&'*+.^_`|~": 'a\tb c' } },
    { headers: { 'X-Latin': 'Zugänge' } },
    { cookies: { sid: "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~" } },
    { query: [['any\nname', 'any\0value']], form: [['é', '\r\n']] },
  ];

  it.each(fine)('accepts %j', (patch) => {
    expect(() => checkPatch(patch, 'test')).not.toThrow();
  });

  const CANARY = 'hunter22';
  const unfit: readonly (readonly [name: string, patch: AuthPatch])[] = [
    ...['\n', '\r', '\0', '\x7f', '\x1b', '\u0100', '日本', ' ', '\t', '\r\nX-Evil: 1'].map(
      (tail) => [`a header that ends in ${JSON.stringify(tail)}`, { headers: { Authorization: `Bearer ${CANARY}${tail}` } }] as const,
    ),
    ['a header that begins with a blank', { headers: { 'X-Key': ` ${CANARY}` } }],
    ['a line break within a header', { headers: { 'X-Key': `${CANARY}\r\nX-Evil: 1` } }],
    ['a header that is no string', { headers: { 'X-Key': [CANARY] as never } }],
    ['an undefined header', { headers: { 'X-Key': undefined as never } }],
    ...['', ' ', 'a b', 'a:', 'é', 'a\n', 'a"'].map(
      (name) => [`the header name ${JSON.stringify(name)}`, { headers: { [name]: CANARY } }] as const,
    ),
    ...[' ', ';', ',', '"', '\\', '\n', 'é', '\x7f'].map(
      (tail) => [`a cookie with ${JSON.stringify(tail)}`, { cookies: { sid: `${CANARY}${tail}` } }] as const,
    ),
    ...['', 'a b', 'a=', 'a;', 'é'].map((name) => [`the cookie name ${JSON.stringify(name)}`, { cookies: { [name]: CANARY } }] as const),
    ['a cookie that is no string', { cookies: { sid: 1 as never } }],
  ];

  it.each<[string, AuthPatch, string]>([
    [
      'a header name',
      { headers: { 'X Key': CANARY } },
      'test: the name of a header is empty, or holds a character that HTTP does not allow in names.',
    ],
    [
      'a cookie name',
      { cookies: { 'a;': CANARY } },
      'test: the name of a cookie is empty, or holds a character that HTTP does not allow in names.',
    ],
    [
      'a header value',
      { headers: { Authorization: `Bearer \u201c${CANARY}\u201d` } },
      'test: the value for `Authorization` holds a character that HTTP headers cannot carry (a typographic quote, perhaps).',
    ],
    [
      'a cookie value',
      { cookies: { sid: `${CANARY};` } },
      'test: the value for `sid` holds a character that HTTP cookies cannot carry (a blank, quote, comma or semicolon, perhaps).',
    ],
    [
      'a blank at the end',
      { headers: { 'X-Key': `${CANARY} ` } },
      'test: the value for `X-Key` begins or ends with a blank or a line break.',
    ],
    ['no string', { headers: { 'X-Key': undefined as never } }, 'test: the value for `X-Key` is not a string.'],
  ])('says what is wrong: %s', (_name, patch, message) => {
    expect(() => checkPatch(patch, 'test', 'key')).toThrow(expect.objectContaining({ option: 'key', message }));
  });

  it.each(unfit)('refuses %s without showing the value', (_name, patch) => {
    let caught: unknown;
    try {
      checkPatch(patch, 'test');
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ConfigurationError);
    const { message, stack = '', strategy } = caught as ConfigurationError;
    expect(strategy).toBe('test');
    expect(message + stack + JSON.stringify(caught)).not.toContain(CANARY);
    expect(message).not.toMatch(/[\r\n]/);
  });
});
