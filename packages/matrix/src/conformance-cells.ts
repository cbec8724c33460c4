// Which cases run on what: the table of the matrix.
import {
  adapterCases,
  type ConformanceCase,
  pairingCases,
  storeCases,
  storePairingCases,
  strategyCases,
} from '@authseam/testing/conformance';
import { adapters } from './adapters.ts';
import { stores } from './stores.ts';
import { strategies } from './strategies.ts';

/** One cell of the table: one subject, and every case that there is for it. */
export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly cases: readonly BoundCase[];
}

/** One case on one subject. */
interface BoundCase {
  readonly name: string;
  /** Why it says nothing about the subject. */
  readonly skipped: string | undefined;
  run(): Promise<void>;
}

const ALONE = 'by itself';
const storing = strategies.filter(({ takesStore }) => takesStore);

/** Every adapter, strategy, store, every strategy on every adapter, and with every store where it takes one. */
export const cells: readonly Cell[] = [
  ...adapters.map((adapter) => cell('any strategy', adapter.name, adapterCases, adapter)),
  ...strategies.map((strategy) => cell(strategy.name, ALONE, strategyCases, strategy)),
  ...strategies.flatMap((strategy) => adapters.map((adapter) => cell(strategy.name, adapter.name, pairingCases, { adapter, strategy }))),
  ...stores.map((store) => cell(store.name, ALONE, storeCases, store)),
  ...stores.flatMap((store) =>
    storing.flatMap((strategy) =>
      adapters.map((adapter) => cell(`${strategy.name} + ${store.name}`, adapter.name, storePairingCases, { adapter, strategy, store })),
    ),
  ),
];

/** The columns of the table. */
export const columns: readonly string[] = [ALONE, ...adapters.map(({ name }) => name)];

function cell<Subject>(row: string, column: string, cases: readonly ConformanceCase<Subject>[], subject: Subject): Cell {
  return {
    row,
    column,
    cases: cases.map(({ name, run, skip }) => ({ name, skipped: skip?.(subject), run: () => run(subject) })),
  };
}
