import { describe, expect, it } from 'vitest';
import type { AuthStrategy } from './auth-strategy.ts';
import { checkStrategy } from './check-strategy.ts';

const strategy: AuthStrategy = { name: 'test', specVersion: 1, authorize: () => ({}) };

describe('checkStrategy', () => {
  it('takes a strategy, a function with its members too', () => {
    expect(() => checkStrategy(strategy)).not.toThrow();
    expect(() => checkStrategy(Object.assign(() => {}, { specVersion: 1, authorize: () => ({}) }))).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['a factory', () => strategy, 'It is a function: call it.'],
    ['a list', [strategy, strategy], 'It is a list: use compose(a, b).'],
    ['a promise', Promise.resolve(strategy), 'It is a promise: await it.'],
  ])('says what to do with %s', (_name, value, hint) => {
    expect(() => checkStrategy(value, 'strategies')).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_ERROR',
        option: 'strategies',
        message: `\`strategies\` must be an AuthStrategy, such as apiKey({ key }). ${hint}`,
      }),
    );
  });

  it.each([undefined, null, 'hunter22', {}, { ...strategy, specVersion: 2 }])('refuses %j', (value) => {
    expect(() => checkStrategy(value)).toThrow(
      expect.objectContaining({ option: 'strategy', message: '`strategy` must be an AuthStrategy, such as apiKey({ key }).' }),
    );
  });
});
