// The faults of the reliability document, by number, each through the public API over real sockets; and after each a search for the secrets in play.
import { describe, expect, it } from 'vitest';
import { faultTable } from './fault-table.ts';
import { problemsIn } from './world.ts';

describe('faults', () => {
  for (const { fault, title, run, skip } of faultTable) {
    it(`fault ${fault}: ${title}`, async (context) => {
      const reason = skip?.();
      if (reason !== undefined) context.skip(reason);
      expect(await problemsIn(run)).toEqual([]);
    });
  }
});

it('no number is without a row, and no two rows have one name', () => {
  // 28 to 35 are what lies in callbacks and browsers: see authcode-hostile-callback.test.ts and loopback-callback.test.ts.
  const wanted = [...Array.from({ length: 27 }, (_, index) => 1 + index), ...Array.from({ length: 12 }, (_, index) => 36 + index)];
  expect(wanted.filter((number) => !faultTable.some(({ fault }) => fault === number))).toEqual([]);
  const names = faultTable.map(({ fault, title }) => `${fault}: ${title}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
