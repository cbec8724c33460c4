// RFC 5849 §3.4.1.2.
import { expect, it } from 'vitest';
import { baseStringUri } from './base-string-uri.ts';

it.each([
  ['http://EXAMPLE.COM:80/r%20v/X?id=123', 'http://example.com/r%20v/X'], // the RFC's first example
  ['https://www.example.net:8080/?q=1', 'https://www.example.net:8080/'], // its second
  ['https://api.example.com', 'https://api.example.com/'],
  ['https://api.example.com?a=/b', 'https://api.example.com/'],
  ['https://api.example.com#/a', 'https://api.example.com/'],
  ['HTTPS://API.example.com:443/A/b', 'https://api.example.com/A/b'],
  ['https://api.example.com:80/', 'https://api.example.com:80/'],
  ['http://api.example.com:443/', 'http://api.example.com:443/'],
  ['http://[2001:DB8::1]:8080/x', 'http://[2001:db8::1]:8080/x'],
  ['http://[::1]/', 'http://[::1]/'],
  ['https://user:pass@api.example.com/', 'https://api.example.com/'],
  ['https://bücher.example/ü', 'https://xn--bcher-kva.example/%C3%BC'],
  ['https://api.example.com/a b', 'https://api.example.com/a%20b'],
  ['https://api.example.com/a/../b/./c', 'https://api.example.com/b/c'],
  ['https://api.example.com/a/%2e%2E/b', 'https://api.example.com/b'],
  ['https://api.example.com/..', 'https://api.example.com/'],
  ['https://api.example.com/1.1/a.json', 'https://api.example.com/1.1/a.json'],
  ["https://api.example.com/~u/it's(1);v=1,2", "https://api.example.com/~u/it's(1);v=1,2"],
  ['https://api.example.com/a\\b', 'https://api.example.com/a/b'],
  ['http://0x7f.1/', 'http://127.0.0.1/'],
  ['https://api.example.com//a//', 'https://api.example.com//a//'],
])('%s', (url, uri) => {
  expect(baseStringUri(url)).toBe(uri);
});

it('is told in a time that grows with the length alone', () => {
  const started = performance.now();
  baseStringUri(`https://api.example.com/${'a'.repeat(500_000)}!`);
  baseStringUri(`https://${'a.'.repeat(20_000)}example/${'/a'.repeat(500_000)}/..`);
  expect(performance.now() - started).toBeLessThan(5_000);
});

it('refuses a relative URL', () => {
  expect(() => baseStringUri('/items')).toThrow(TypeError);
});
