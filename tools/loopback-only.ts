// A vitest setup file: a test that opens a connection to anything but this machine fails, even if its client swallows the error.
import { afterEach, expect } from 'vitest';
import { denyNonLoopback } from '../packages/testing/src/deny-non-loopback.ts';

// AUTHSEAM_LIVE=1 lets the examples reach the real systems that their environment variables name.
if (process.env['AUTHSEAM_LIVE'] !== '1') {
  const guard = denyNonLoopback();
  afterEach(() => {
    expect(guard.attempts).toEqual([]);
  });
}
