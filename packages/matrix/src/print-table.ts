// Runs every cell of the matrix and prints the table: how many of the cases that apply pass, and beneath it why others do not apply.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cell, cells, columns } from './conformance-cells.ts';

const CASE_LIMIT_MS = 20_000;

interface Result {
  readonly cell: Cell;
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly string[];
}

async function resultOf(cell: Cell): Promise<Result> {
  const applicable = cell.cases.filter(({ skipped }) => skipped === undefined);
  const failures: string[] = [];
  for (const { name, run } of applicable) {
    await withinLimit(run()).catch((error: unknown) => failures.push(`${cell.row} × ${cell.column}: ${name}\n    ${error}`));
  }
  return { cell, passed: applicable.length - failures.length, total: applicable.length, failures };
}

/** A case that hangs is a failure, not the end of the run. */
async function withinLimit(work: Promise<void>): Promise<void> {
  const limit = new AbortController();
  const late = sleep(CASE_LIMIT_MS, undefined, { signal: limit.signal }).then(
    () => Promise.reject(new Error(`not done within ${CASE_LIMIT_MS} ms`)),
    () => {},
  );
  await Promise.race([work, late]).finally(() => limit.abort());
}

function table(results: readonly Result[]): string {
  const rows = [...new Set(cells.map(({ row }) => row))].map((row) => {
    const of = (column: string): string => {
      const found = results.find(({ cell }) => cell.row === row && cell.column === column);
      return found ? `${found.passed}/${found.total}` : '';
    };
    return [row, ...columns.map(of)];
  });
  const all = [['', ...columns], ...rows];
  const widths = all[0]?.map((_, index) => Math.max(...all.map((cellsOfRow) => cellsOfRow[index]?.length ?? 0))) ?? [];
  return all
    .map((texts) =>
      texts
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Each reason once, with how many cases it keeps from which cells. */
function skips(): string {
  const counts = new Map<string, number>();
  for (const { row, column, cases } of cells) {
    for (const { skipped } of cases) {
      if (skipped === undefined) continue;
      const where = row === 'any strategy' ? column : row;
      const line = `${where}: ${skipped}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
  }
  return [...counts].map(([line, count]) => `  ${line} (${count})`).join('\n');
}

const results: Result[] = [];
for (const cell of cells) results.push(await resultOf(cell));
const failures = results.flatMap((result) => result.failures);
const [passed, total] = [results.reduce((sum, result) => sum + result.passed, 0), results.reduce((sum, result) => sum + result.total, 0)];

process.stdout.write(`${table(results)}\n\n${passed} of ${total} cases pass.\n\nCases that do not apply, and why:\n${skips()}\n`);
if (failures.length > 0) {
  process.stdout.write(`\nFailures:\n${failures.map((failure) => `  ${failure}`).join('\n')}\n`);
  process.exitCode = 1;
}
