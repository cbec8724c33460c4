import { describe, expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

describe('retryAfterMs', () => {
  const nowMs = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT');

  // Date formats: RFC 9110 §5.6.7
  it.each([
    ['0', 0],
    ['2', 2_000],
    ['3600', 3_600_000],
    ['Sun, 06 Nov 1994 08:49:40 GMT', 3_000],
    ['Sunday, 06-Nov-94 08:50:37 GMT', 60_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
  ])('%s is %d ms', (header, ms) => {
    expect(retryAfterMs(header, nowMs)).toBe(ms);
  });

  it.each([
    null,
    '',
    '-5',
    '1.5',
    '1e3',
    'soon',
    '99999999999999999999',
    'Sun, 06 Nov 1994 08:49:36 GMT',
    'Sun, 06 Nov 2094 08:49:36 GMT',
    '2 seconds',
  ])('%j says nothing', (header) => {
    expect(retryAfterMs(header, nowMs)).toBeUndefined();
  });
});
