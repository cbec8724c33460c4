import { type CallRow, call } from './call.ts';
import type { DemoClient } from './clients.ts';
import { failureOf } from './failure.ts';
import { type StampedeRow, stampede } from './stampede.ts';
import type { DemoSystem, RunningSystem } from './systems.ts';

/** What to run. */
export interface DemoPlan {
  readonly systems: readonly DemoSystem[];
  readonly clients: readonly DemoClient[];
  /** How many calls a stampede is. */
  readonly stampedeCalls: number;
}

/** What came of it. */
export interface DemoResult {
  readonly ok: boolean;
  readonly calls: readonly CallRow[];
  readonly stampedes: readonly StampedeRow[];
  readonly durationMs: number;
}

/** Hears of everything while it happens. */
export interface DemoReport {
  working?(on: string): void;
  called?(row: CallRow): void;
  stampeded?(row: StampedeRow): void;
}

/** Runs every system through every client, one after the other, then the stampede on those that worked and issue tokens. */
export async function runDemo({ systems, clients, stampedeCalls }: DemoPlan, report: DemoReport = {}): Promise<DemoResult> {
  const startedAt = performance.now();
  report.working?.('starting the servers');
  const starts = await Promise.allSettled(systems.map((system) => system.start()));
  const calls: CallRow[] = [];
  const stampedes: StampedeRow[] = [];
  const prone: { readonly name: string; readonly system: RunningSystem; readonly client: DemoClient }[] = [];

  try {
    for (const [index, { name }] of systems.entries()) {
      const start = starts[index];
      for (const client of clients) {
        report.working?.(`${name} through ${client.name}`);
        const row = start?.status === 'fulfilled' ? await call(name, start.value, client) : notStarted(name, client, start?.reason);
        calls.push(row);
        report.called?.(row);
        if (row.ok && start?.status === 'fulfilled' && start.value.server.revokeTokens) prone.push({ name, system: start.value, client });
      }
    }
    for (const { name, system, client } of prone) {
      report.working?.(`${stampedeCalls} calls to ${name} through ${client.name}`);
      const row = await stampede(name, system, client, stampedeCalls);
      stampedes.push(row);
      report.stampeded?.(row);
    }
  } finally {
    await Promise.all(starts.map((start) => (start.status === 'fulfilled' ? start.value.server.close() : undefined)));
  }
  const ok = [...calls, ...stampedes].every((row) => row.ok);
  return { ok, calls, stampedes, durationMs: Math.round(performance.now() - startedAt) };
}

function notStarted(system: string, client: DemoClient, reason: unknown): CallRow {
  return { system, strategy: '–', client: client.name, ok: false, failure: failureOf(reason), tokenRequests: 0, durationMs: 0 };
}
