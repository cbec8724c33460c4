// The file store between processes that count, are stopped and are killed, without a token manager. With one: store-fleet.test.ts.
import { describe, expect, it } from 'vitest';
import { countTogether, killAtRandom } from './fixtures/store-file-runs.ts';

describe.skipIf(process.platform === 'win32')('many processes', { timeout: 180_000 }, () => {
  it.each(['comparison', 'lock'] as const)('lose no count of 20, by %s, though some are stopped in between', async (under) => {
    expect(await countTogether({ processes: 20, times: 15, under })).toBe(300);
  });

  it('that are killed at any moment leave whole entries, and a lock that is soon free', async () => {
    expect((await killAtRandom(50)).problems).toEqual([]);
  });
});
