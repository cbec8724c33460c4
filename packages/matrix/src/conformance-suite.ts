import { describe, it } from 'vitest';
import type { Cell } from './conformance-cells.ts';

/** Each case of each cell as a test; what does not apply is skipped, and says why. */
export function testCells(cells: readonly Cell[]): void {
  for (const { row, column, cases } of cells) {
    describe(`${row} × ${column}`, () => {
      for (const { name, skipped, run } of cases) {
        it(name, { timeout: 20_000 }, async (context) => {
          if (skipped !== undefined) context.skip(skipped);
          await run();
        });
      }
    });
  }
}
