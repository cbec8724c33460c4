// Fetch standard, "HTTP-redirect fetch", steps 3 to 13; RFC 9110 §15.4, §10.2.2 (Location, fragments).
import { describe, expect, it } from 'vitest';
import { headersBoundToOrigin, headersOfBody, isRedirectStatus, redirection } from './redirect.ts';

const FROM = 'https://api.example.com/a/b?q=1';

function follow(
  location: string,
  { status = 307, from = FROM, method = 'GET', ours }: { status?: number; from?: string; method?: string; ours?: [string, string][] } = {},
) {
  return redirection({ status, location }, { url: from, method, strategy: 'test' }, ours);
}

describe('which responses redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i with a Location', (status) => {
    expect(isRedirectStatus(status)).toBe(true);
    expect(follow('/x', { status })?.url.href).toBe('https://api.example.com/x');
  });

  it.each([200, 201, 300, 304, 305, 306, 309, 401])('not %i', (status) => {
    expect(follow('/x', { status })).toBeUndefined();
  });

  it.each([301, 302, 303, 307, 308])('not %i without a Location', (status) => {
    expect(redirection({ status, location: null }, { url: FROM, method: 'GET', strategy: 'test' }, undefined)).toBeUndefined();
  });
});

const methods: readonly (readonly [status: number, unchanged: readonly string[], toGet: readonly string[]])[] = [
  [301, ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'], ['POST', 'post']],
  [302, ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'], ['POST', 'post']],
  [303, ['GET', 'get', 'HEAD', 'head'], ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'put']],
  [307, ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'post'], []],
  [308, ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'post'], []],
];

describe.each(methods)('a %i', (status, unchanged, toGet) => {
  it.each(unchanged)('keeps %s and its body', (method) => {
    expect(follow('/x', { status, method })).toMatchObject({ method, dropsBody: false });
  });

  for (const method of toGet) {
    it(`turns ${method} into GET without a body`, () => {
      expect(follow('/x', { status, method })).toMatchObject({ method: 'GET', dropsBody: true });
    });
  }
});

describe('where it leads', () => {
  it.each([
    ['c', 'https://api.example.com/a/c'],
    ['./c?x#y', 'https://api.example.com/a/c?x#y'],
    ['../c', 'https://api.example.com/c'],
    ['/c', 'https://api.example.com/c'],
    ['?r=2', 'https://api.example.com/a/b?r=2'],
    ['//other.example/c', 'https://other.example/c'],
    ['https://other.example', 'https://other.example/'],
    ['', 'https://api.example.com/a/b?q=1'],
  ])('resolves %j against the URL that was sent', (location, href) => {
    expect(follow(location)?.url.href).toBe(href);
  });

  it.each([
    ['/c', `${FROM}#old`, '#old'],
    ['/c#new', `${FROM}#old`, '#new'],
    ['/c', FROM, ''],
  ])('Location %s from %s has the fragment %j', (location, from, hash) => {
    expect(follow(location, { from })?.url.hash).toBe(hash);
  });

  it.each([
    ['the same origin', '/c', false, false],
    ['the default port spelled out', 'https://api.example.com:443/c', false, false],
    ['another host', 'https://other.example/c', true, false],
    ['another port', 'https://api.example.com:8443/c', true, false],
    ['the same host over http', 'http://api.example.com/a', true, true],
  ])('tells that %s is the same origin or not', (_name, location, crossOrigin, isDowngrade) => {
    expect(follow(location)).toMatchObject({ crossOrigin, isDowngrade });
  });

  it.each([
    ['data:', 'data:text/plain,hello'],
    ['blob: of the same origin', 'blob:https://api.example.com/1'],
    ['file:', 'file:///etc/passwd'],
    ['userinfo', 'https://user:hunter22@api.example.com/'],
    ['no URL', 'http://[bad'],
  ])('refuses %s, without showing a password', (_name, location) => {
    const error = expect.objectContaining({ code: 'UNSAFE_DESTINATION', message: expect.not.stringContaining('hunter22') });
    expect(() => follow(location)).toThrow(error);
  });

  it('reads bytes beyond ASCII as UTF-8', () => {
    expect(follow(Buffer.from('/ü').toString('latin1'))?.url.pathname).toBe('/%C3%BC');
  });

  it('does not call http to https or http to http a downgrade', () => {
    const from = 'http://localhost:3000/a';
    expect(follow('https://localhost:3000/b', { from })).toMatchObject({ crossOrigin: true, isDowngrade: false });
    expect(follow('/b', { from })).toMatchObject({ crossOrigin: false, isDowngrade: false });
  });
});

describe('our own parameter, repeated in Location', () => {
  const ours: [string, string][] = [['api key', 'a+b c%/é']];

  it.each([
    ['alone', '/x?api%20key=a%2Bb%20c%25%2F%C3%A9', '/x'],
    ['in form encoding', '/x?api+key=a%2Bb+c%25%2F%C3%A9', '/x'],
    ['in lower-case triplets', '/x?api%20key=a%2bb%20c%25%2f%c3%a9', '/x'],
    ['barely encoded', '/x?api key=a%2Bb c%25/%C3%A9', '/x'],
    ['between others', "/x?b='(2)+%2f&api%20key=a%2Bb%20c%25%2F%C3%A9&a=%5B1]|&&c", '/x?b=%27(2)+%2f&a=%5B1]|&&c'],
    ['twice', '/x?api%20key=a%2Bb%20c%25%2F%C3%A9&k&api%20key=a%2Bb%20c%25%2F%C3%A9', '/x?k'],
    ['before a fragment', '/x?api%20key=a%2Bb%20c%25%2F%C3%A9#f', '/x#f'],
    ['after a query that begins with a question mark', '/x??a=1&api%20key=a%2Bb%20c%25%2F%C3%A9', '/x??a=1'],
  ])('is taken out: %s', (_name, location, expected) => {
    const { pathname, search, hash } = follow(location, { ours })?.url ?? new URL('about:blank');
    expect(pathname + search + hash).toBe(expected);
  });

  it.each([
    ['the same name with another value', '/x?api%20key=other'],
    ['the same value under another name', '/x?key=a%2Bb%20c%25%2F%C3%A9'],
    ['a name in another case', '/x?API%20key=a%2Bb%20c%25%2F%C3%A9'],
    ['a name with a question mark of its own', '/x??api%20key=a%2Bb%20c%25%2F%C3%A9'],
    ['escapes of all kinds', '/x?a=%7e~%7E&b=+%20&c=%E9&d=%&=&==&e'],
    ['an empty query', '/x?'],
    ['no query', '/x'],
  ])('leaves %s byte for byte', (_name, location) => {
    expect(follow(location, { ours })?.url.href).toBe(`https://api.example.com${location}`);
  });
});

it('lists, in lower case, what stays behind', () => {
  expect(headersBoundToOrigin).toEqual(expect.arrayContaining(['authorization', 'proxy-authorization', 'cookie', 'host']));
  // Fetch standard, "request-body-header name", and Content-Length, which the client computes.
  expect(headersOfBody).toEqual(
    expect.arrayContaining(['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']),
  );
});
