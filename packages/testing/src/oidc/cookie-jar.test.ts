import { expect, test } from 'vitest';
import { cookieJar } from './cookie-jar.ts';

const url = new URL('http://127.0.0.1:1234/sign/in');

function jarWith(...lines: readonly string[]): ReturnType<typeof cookieJar> {
  const jar = cookieJar();
  for (const line of lines) jar.keep(url, new Headers([['Set-Cookie', line]]));
  return jar;
}

test('sends a cookie back under its path, to its own origin', () => {
  const jar = jarWith('a=1=2; Path=/; HttpOnly', 'b=3; path=/sign; samesite=lax', 'c=4', 'd=5; path=/other');
  expect(jar.header(url)).toBe('a=1=2; b=3; c=4');
  expect(jar.header(new URL('/signature', url))).toBe('a=1=2');
  expect(jar.header(new URL('/other', url))).toBe('a=1=2; d=5');
  expect(jar.header(new URL('http://127.0.0.1:4321/sign/in'))).toBe('');
});

test('a newer cookie of the same name and path replaces the older; one in the past removes it', () => {
  expect(jarWith('a=1; path=/', 'a=2; path=/').header(url)).toBe('a=2');
  expect(jarWith('a=1; path=/', 'a=2; path=/sign').header(url)).toBe('a=1; a=2');
  expect(jarWith('a=1; path=/', 'a=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT').header(url)).toBe('');
  expect(jarWith('a=1; path=/', 'a=; path=/; max-age=0').header(url)).toBe('');
  expect(jarWith(`a=1; path=/; expires=${new Date(Date.now() + 60_000).toUTCString()}`).header(url)).toBe('a=1');
});
