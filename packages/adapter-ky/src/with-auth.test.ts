import type { AuthStrategy } from '@authseam/core';
import ky, { type KyInstance, type Options } from 'ky';
import { describe, expect, it } from 'vitest';
import { withAuth } from './index.ts';

const url = 'https://api.example.com/items';

function strategy(value: string): AuthStrategy {
  return { name: 'test', specVersion: 1, authorize: () => ({ headers: { Authorization: value } }) };
}

/** An instance that answers with the Authorization header that it would send. */
const echo = ky.create({
  fetch: async (input, init) => new Response(new Request(input, init).headers.get('authorization')),
});

/** What stands for ky 1.14: it merges defaults as ky 2 does, and knows no `init` hooks. */
function ky1(): KyInstance {
  const instance = (defaults: Options): object => ({
    retry: () => {},
    extend: (options: Options | ((parent: Options) => Options)) =>
      instance({ ...(typeof options === 'function' ? options(defaults) : { ...options, hooks: { beforeRequest: [] } }) }),
  });
  return instance({}) as KyInstance;
}

describe('withAuth', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a strategy', strategy('A')],
    ['fetch', fetch],
    ['axios', Object.assign(() => {}, { interceptors: {}, create: () => {} })],
    ['got, or ky before 1.14', Object.assign(() => {}, { extend: () => {} })],
    ['ky 1.14', ky1()],
  ])('refuses %s, and says what to do', (_, wrong) => {
    expect(() => withAuth(wrong as never, strategy('A'))).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_ERROR',
        option: 'ky',
        message: expect.stringContaining('withAuth(ky, strategy). For fetch and axios see'),
      }),
    );
  });

  it.each([
    ['no strategy', [], 'strategy'],
    ['no strategy, but options', [{ origins: url }], 'strategy'],
    ['a bad option', [strategy('A'), { timeoutMs: -1 }], 'timeoutMs'],
  ])('refuses %s', (_, rest, option) => {
    expect(() => withAuth(ky, ...(rest as [AuthStrategy]))).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR', option }));
  });

  it('leaves the instance alone that it is given', async () => {
    const { extend } = echo;
    const api = withAuth(echo, strategy('A'));
    expect(await echo(url).text()).toBe('');
    expect(echo.extend).toBe(extend);
    expect(await api(url).text()).toBe('A');
  });

  it('replaces what was attached before', async () => {
    const first = withAuth(echo, strategy('A'));
    expect(await withAuth(first.extend({ timeout: 500 }), strategy('B'))(url).text()).toBe('B');
    expect(await first(url).text()).toBe('A');
  });

  it('takes all from a ky instance: methods, `stop` and `retry`', () => {
    const api = withAuth(ky, strategy('A'));
    expect(Object.keys(api).sort()).toEqual(Object.keys(ky).sort());
    expect([api.stop, api.retry]).toEqual([ky.stop, ky.retry]);
  });
});

describe('`authStrategy` in the defaults of an instance', () => {
  const refused = expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'authStrategy' });
  const defaults: readonly [string, Options][] = [
    ['a strategy', { authStrategy: strategy('A') }],
    ['false', { authStrategy: false }],
    ['undefined', { authStrategy: undefined }],
  ];

  it.each(defaults)('is refused before, in and after: %s', (_, options) => {
    expect(() => withAuth(ky.create(options), strategy('B'))).toThrow(refused);
    const api = withAuth(ky, strategy('B'));
    for (const instance of [api, api.extend({ timeout: 500 }), api.extend(() => ({})).extend({ retry: 1 })]) {
      expect(() => instance.extend(options)).toThrow(refused);
      expect(() => instance.extend(() => options)).toThrow(refused);
    }
  });

  it('would be merged into a strategy that is neither: that is why', async () => {
    const bare = ky.create({ fetch: async (_, init) => Response.json(Object.keys((init as Options).authStrategy || {})) });
    const marked = { ...strategy('B'), [Symbol('lost')]: true };
    const chimera = await bare
      .extend({ authStrategy: { ...strategy('A'), recover: () => true } })(url, { authStrategy: marked })
      .json();
    expect(chimera).toContain('recover');
  });
});
