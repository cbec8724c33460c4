import type { AuthStrategy } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { withAuth } from './index.ts';

const strategy: AuthStrategy = { name: 'test', specVersion: 1, authorize: () => ({ headers: { Authorization: 'A' } }) };

/** Answers with the Authorization header that it would send. */
const echo = async (_input: string | URL | Request, init?: RequestInit) => new Response(new Headers(init?.headers).get('authorization'));

describe('withAuth', () => {
  it('refuses what can be called like fetch but makes clients, as ky does: those would go out bare', () => {
    const lookalike = Object.assign(echo, { extend: () => {}, create: () => {}, get: () => {} });
    expect(() => withAuth(lookalike as typeof fetch, strategy)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_ERROR',
        option: 'fetch',
        message: 'This is ky: use `withAuth` of @authseam/adapter-ky.',
      }),
    );
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a strategy', strategy],
    ['axios', Object.assign(() => {}, { interceptors: {}, create: () => {} })],
  ])('refuses %s', (_, wrong) => {
    expect(() => withAuth(wrong as never, strategy)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_ERROR',
        option: 'fetch',
        message: expect.stringContaining('withAuth(fetch, strategy)'),
      }),
    );
  });

  it('keeps what a runtime hangs on its fetch', async () => {
    const preconnect = () => {};
    const api = withAuth(Object.assign(echo.bind(null), { preconnect, create: 'no function' }), strategy);
    expect([api.preconnect, api.create]).toEqual([preconnect, 'no function']);
    expect(await (await api('https://api.example.com/items')).text()).toBe('A');
  });
});
