// What a token costs in store reads and round trips. `pnpm bench` times the same.
import { describe, expect, it } from 'vitest';
import { costOf } from '../bench/stores/store-costs.ts';
import { storeLineUps } from '../bench/stores/store-line-ups.ts';

describe.each(storeLineUps())('$name', ({ contenders }) => {
  it.each(contenders)('$name', async (contender) => {
    expect(await costOf(contender)).toEqual(contender.perCall);
  });
});
