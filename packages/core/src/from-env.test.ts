import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationError } from './auth-error.ts';
import { fromEnv } from './from-env.ts';

const NAME = 'AUTHSEAM_TEST_TOKEN';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe('fromEnv', () => {
  it('reads at each use, not before', () => {
    const secret = fromEnv(NAME);
    vi.stubEnv(NAME, 'one');
    expect(secret()).toBe('one');
    vi.stubEnv(NAME, 'two');
    expect(secret()).toBe('two');
  });

  it.each([
    ['unset', undefined, 'is not set'],
    ['empty', '', 'is empty'],
  ])('names the variable when it is %s', (_name, value, problem) => {
    vi.stubEnv(NAME, value);
    const secret = fromEnv(NAME);
    expect(secret).toThrow(ConfigurationError);
    expect(secret).toThrow(expect.objectContaining({ option: NAME, message: expect.stringContaining(`${NAME} ${problem}`) }));
  });

  it('looks under no other name', () => {
    vi.stubEnv(NAME.toLowerCase(), 'lower');
    vi.stubEnv(`${NAME}_2`, 'other');
    vi.stubEnv(NAME, undefined);
    expect(fromEnv(NAME)).toThrow(/is not set/);
  });

  it('says the same where there is no environment', () => {
    vi.stubGlobal('process', undefined);
    expect(fromEnv(NAME)).toThrow(/is not set/);
  });

  it.each(['', undefined, 7])('refuses %j for a name', (name) => {
    expect(() => fromEnv(name as string)).toThrow(ConfigurationError);
  });
});
