// See conformance.test.ts.
import { cells } from './conformance-cells.ts';
import { testCells } from './conformance-suite.ts';

testCells(cells.filter(({ column }) => column.startsWith('axios')));
