// RFC 5849 §3.4.1.3.1, and FIELD-NOTES.md, "OAuth 1.0a".
import { describe, expect, it } from 'vitest';
import { aRequest } from './fixtures/a-request.ts';
import { encodedParameters, queryOf, requestParameters } from './request-parameters.ts';

describe('a query or form, piece by piece', () => {
  it.each<[string, string, [string, string][]]>([
    ['nothing', '', []],
    ['a name alone', 'a', [['a', '']]],
    ['an empty value', 'a=', [['a', '']]],
    ['an empty name', '=a', [['', 'a']]],
    ['neither', '=', [['', '']]],
    ['nothing between ampersands', '&&a=1&&', [['a', '1']]],
    [
      'repeated names, in order',
      'a=2&a=1&a=',
      [
        ['a', '2'],
        ['a', '1'],
        ['a', ''],
      ],
    ],
    ['equals signs in a value', 'a=b=c==', [['a', 'b%3Dc%3D%3D']]],
    ['a plus, which is a space', 'a+b=c+d', [['a%20b', 'c%20d']]],
    ['an escaped plus, which is none', 'a=%2B', [['a', '%2B']]],
    ['a semicolon, which separates nothing', 'a=1;b=2', [['a', '1%3Bb%3D2']]],
    ['a question mark and slashes', 'a=b?c/d', [['a', 'b%3Fc%2Fd']]],
    ['escapes in lower case', 'a=%c3%a9%5b', [['a', '%C3%A9%5B']]],
    ['escapes of what needs none', '%61=%7E%2d', [['a', '~-']]],
    ['raw characters', 'é=日😀', [['%C3%A9', '%E6%97%A5%F0%9F%98%80']]],
    ['brackets and marks', "a[0]=!*'()", [['a%5B0%5D', '%21%2A%27%28%29']]],
    ['bytes that are no UTF-8', 'a=%FF%c3', [['a', '%FF%C3']]],
    [
      'a stray percent sign',
      'a=100%&b=%zz%4',
      [
        ['a', '100%25'],
        ['b', '%25zz%254'],
      ],
    ],
    ['an escape of a percent sign, once', 'a=%2541', [['a', '%2541']]],
    ['a byte order mark', 'a=%EF%BB%BF\ufeff', [['a', '%EF%BB%BF%EF%BB%BF']]],
    ['half a surrogate pair, as clients send it', 'a=\ud800b', [['a', '%EF%BF%BDb']]],
    [
      'RQL, as Extra Horizon wants it',
      'eq(name,value)&in(id,a,b)',
      [
        ['eq%28name%2Cvalue%29', ''],
        ['in%28id%2Ca%2Cb%29', ''],
      ],
    ],
  ])('%s', (_name, text, pairs) => {
    expect(encodedParameters(text)).toEqual(pairs);
  });

  it.each([
    ['https://a.example/?a=1#b?c', 'a=1'],
    ['https://a.example/#a?b', ''],
    ['https://a.example/?a?b', 'a?b'],
    ['https://a.example/', ''],
  ])('the query of %s', (url, query) => {
    expect(queryOf(url)).toBe(query);
  });
});

describe('a body', () => {
  const form = 'application/x-www-form-urlencoded';

  it.each<[string, string | undefined, string | Uint8Array, boolean]>([
    [form, form, 'a=1', true],
    ['any case and parameters', 'Application/X-WWW-Form-URLEncoded ; charset=UTF-8', 'a=1', true],
    ['JSON', 'application/json', '{"a":1}', false],
    ['something longer', `${form}-not`, 'a=1', false],
  ])('counts as a form by its media type: %s', (_name, contentType, body, isForm) => {
    const request = aRequest({ method: 'GET', body, ...(contentType !== undefined && { contentType }) });
    expect(requestParameters(request, false)).toEqual({ isForm, parameters: isForm ? [['a', '1']] : [] });
  });

  it('without a media type is a form if forms were all that was asked for, and else has to say', () => {
    const untyped = { ...aRequest(), body: 'a=1' };
    expect(requestParameters(untyped, false)).toEqual({ isForm: true, parameters: [['a', '1']] });
    expect(() => requestParameters(untyped, true)).toThrow('Content-Type');
    expect(requestParameters({ ...untyped, body: new Uint8Array(3) }, true)).toEqual({ isForm: false, parameters: [] });
  });

  it('in bytes keeps what is no UTF-8, and a byte order mark', () => {
    const bytes = Uint8Array.from([0x61, 0x3d, 0xff, 0x2b, 0xc3]);
    expect(requestParameters(aRequest({ body: bytes }), false).parameters).toEqual([['a', '%FF%20%C3']]);
    const text = new TextEncoder().encode('\ufeffa=é');
    expect(requestParameters(aRequest({ body: text }), false).parameters).toEqual([['%EF%BB%BFa', '%C3%A9']]);
  });

  it('adds to the query', () => {
    const request = aRequest({ url: 'https://a.example/?a=1&b=', body: 'a=2' });
    expect(requestParameters(request, false).parameters).toEqual([
      ['a', '1'],
      ['b', ''],
      ['a', '2'],
    ]);
  });
});

it.each<[string, string | undefined, string]>([
  ['https://a.example/?oauth_nonce=EVIL', undefined, 'url'],
  ['https://a.example/?%6fauth%5Fversion=2', undefined, 'url'],
  ['https://a.example/', 'a=1&oauth_token=x', 'body'],
])('protocol parameters of others are refused: %s %s', (url, body, option) => {
  const refused = expect(() => requestParameters(aRequest({ url, body }), false));
  refused.toThrow(expect.objectContaining({ name: 'ConfigurationError', option, strategy: 'oauth1' }));
  refused.not.toThrow('EVIL');
});
