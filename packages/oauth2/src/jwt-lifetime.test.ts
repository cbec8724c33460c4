import { describe, expect, it } from 'vitest';
import { jwtLifetimeSeconds } from './jwt-lifetime.ts';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown) => `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;

describe('jwtLifetimeSeconds', () => {
  const nowMs = 1_700_000_000_000;

  it('is exp less iat where the local clock is ahead, or far behind', () => {
    expect(jwtLifetimeSeconds(jwt({ iat: 5_000, exp: 8_600 }), nowMs)).toBe(3_600);
    expect(jwtLifetimeSeconds(jwt({ iat: 5_000, exp: 8_600 }), 0)).toBe(3_600);
  });

  it('is exp less now where the token was made a while ago', () => {
    expect(jwtLifetimeSeconds(jwt({ iat: 1_699_997_000, exp: 1_700_000_600 }), nowMs)).toBe(600);
  });

  it('is exp less now without iat', () => {
    expect(jwtLifetimeSeconds(jwt({ exp: 1_700_000_060, sub: 'Zoë ~?>' }), nowMs)).toBe(60);
  });

  it.each([
    'opaque',
    'a.b',
    'a.b.c',
    '..',
    'a..c',
    'a.%.c',
    jwt(null),
    jwt([]),
    jwt('text'),
    jwt({}),
    jwt({ exp: '8600' }),
    jwt({ exp: 1 }),
    jwt({ exp: -1 }),
    jwt({ exp: 8_600, iat: 'x' }),
    jwt({ iat: 9_000, exp: 8_600 }),
  ])('says nothing of %j', (token) => {
    expect(jwtLifetimeSeconds(token, nowMs)).toBeUndefined();
  });
});
