// The product in one sentence: any strategy × any adapter × any store works the same. The columns of axios are a file of their own, for the second core.
import { expect, it } from 'vitest';
import { cells } from './conformance-cells.ts';
import { testCells } from './conformance-suite.ts';

testCells(cells.filter(({ column }) => !column.startsWith('axios')));

it('no cell is empty, no case stands twice in one, and every skip says why', () => {
  for (const { row, column, cases } of cells) {
    const names = cases.map(({ name }) => name);
    expect([`${row} × ${column}`, new Set(names).size]).toEqual([`${row} × ${column}`, names.length]);
    expect(cases.some(({ skipped }) => skipped === undefined)).toBe(true);
    expect(cases.filter(({ skipped }) => skipped !== undefined && skipped.length < 10)).toEqual([]);
  }
});
