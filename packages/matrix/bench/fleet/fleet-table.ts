import type { FleetRow } from './fleet-runs.ts';

const columns: readonly (readonly [title: string, width: number, cell: (row: FleetRow) => string | number | undefined])[] = [
  ['store', 6, ({ store }) => store],
  ['run', 27, ({ name }) => name],
  ['', 12, ({ times }) => times],
  ['refreshes', 10, ({ refreshes }) => refreshes],
  ['reuse', 6, ({ reuses }) => reuses],
  ['calls', 8, ({ calls }) => calls],
  ['failed', 7, ({ failedCalls }) => failedCalls],
  ['locks p50/p95/max', 19, ({ lockWaitsMs }) => lockWaitsMs?.map(Math.round).join(' / ')],
  ['calls p50/p95/max', 19, ({ callWaitsMs }) => callWaitsMs?.map(Math.round).join(' / ')],
  ['recovery', 12, ({ longestRecoveryMs }) => longestRecoveryMs && Math.round(longestRecoveryMs)],
  ['took s', 7, ({ tookMs }) => (tookMs / 1000).toFixed(0)],
];

/**
 * The names of the columns. `locks` and `calls`: how long was waited for a lock, and how long those calls waited that had to. `recovery`: the longest time from
 * a kill until another process had refreshed, or without a refresh at all. Milliseconds.
 */
export const fleetHeader: string = line(columns.map(([title]) => title));

/** A row of the table, with what else there is to know beneath it. */
export function cellsOf(row: FleetRow): readonly string[] {
  const broken = row.broken.map((promise) => `       BROKEN: ${promise}`);
  return [line(columns.map(([, , cell]) => `${cell(row) ?? ''}`)), `       ${row.notes.join('; ')}`, ...broken];
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index < 3 ? cell.padEnd(columns[index]![1]) : cell.padStart(columns[index]![1])))
    .join('')
    .trimEnd();
}
