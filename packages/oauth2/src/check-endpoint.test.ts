import { describe, expect, it } from 'vitest';
import { checkEndpoint } from './check-endpoint.ts';

describe('checkEndpoint', () => {
  it.each([
    'https://login.example.com/token',
    'https://login.example.com/token?tenant=a',
    'https://login.example.com/@user/token',
    'http://127.0.0.1:8080/token',
    'http://localhost/token',
    'http://[::1]/token',
  ])('takes %s', (url) => {
    expect(checkEndpoint(url, 'tokenEndpoint', 's').href).toBe(url);
  });

  it.each([
    'http://login.example.com/token',
    'http://127.0.0.1.evil.test/token',
    'https://id:hunter22@login.example.com/token',
    'https://hunter22@login.example.com/token',
    'https://login.example.com/token#hunter22',
    'https://login.example.com/token#',
    'https://login.example.com/token\n',
    ' https://login.example.com/token',
    'https:\\\\login.example.com\\hunter22',
    '//login.example.com/token',
    '/token',
    'ftp://login.example.com/token',
    'javascript:alert(1)',
    '',
    undefined,
    null,
    42,
    new URL('https://login.example.com/token'),
  ])('refuses %j without showing it', (value) => {
    const check = () => checkEndpoint(value, 'tokenEndpoint', 's');
    expect(check).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'tokenEndpoint', strategy: 's' }));
    expect(check).not.toThrow(/hunter22/);
  });
});
