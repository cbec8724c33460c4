import type { CallRow } from './call.ts';
import { type Failure, failureText } from './failure.ts';
import { progressLine } from './progress-line.ts';
import type { DemoPlan, DemoReport, DemoResult } from './run-demo.ts';
import type { StampedeRow } from './stampede.ts';
import { type Column, fittedWidth, type Output, paint, paragraph, rowLine, titleLine } from './table.ts';

/** Writes the rows for a person to read, each as soon as it is known. */
export function screenReport(plan: DemoPlan, output: Output): Required<DemoReport> & { finished(result: DemoResult): void } {
  const width = Math.min(output.columns ?? 80, 100);
  const progress = progressLine(output);
  const callColumns = columnsOfCalls(plan, width);
  const stampedeColumns = columnsOfStampedes(plan);
  let isStampede = false;

  function print(...lines: readonly string[]): void {
    progress.clear();
    output.write(`${lines.join('\n')}\n`);
  }
  function reason(failure: Failure | undefined): string[] {
    return failure === undefined ? [] : [paint('red', paragraph(failureText(failure), width), output)];
  }

  print(paint('bold', 'Authseam: every system through every client', output), '', titleLine(callColumns, output));
  return {
    working: progress.show,
    called(row) {
      print(rowLine(row, callColumns, output), ...reason(row.failure));
    },
    stampeded(row) {
      if (!isStampede) {
        const title = `${plan.stampedeCalls} calls at once, on a token that the server has just revoked`;
        print('', paint('bold', title, output), '', titleLine(stampedeColumns, output));
      }
      isStampede = true;
      print(rowLine(row, stampedeColumns, output), ...reason(row.failure));
    },
    finished({ ok, calls, stampedes, durationMs }) {
      const rows = [...calls, ...stampedes];
      const failed = rows.filter((row) => !row.ok).length;
      const seconds = (durationMs / 1000).toFixed(1);
      const summary = ok ? `All ${rows.length} worked, in ${seconds} s.` : `${failed} of ${rows.length} failed, in ${seconds} s.`;
      print('', paint(ok ? 'green' : 'red', summary, output));
    },
  };
}

function columnsOfCalls({ systems, clients }: DemoPlan, width: number): Column<CallRow>[] {
  const fitted: Column<CallRow>[] = [
    { ...named('System', systems), text: ({ system }) => system, style: 'bold' },
    { title: 'Strategy', width: 17, text: ({ strategy }) => strategy, style: 'cyan' },
    { ...named('Client', clients), text: ({ client }) => client },
    { title: 'Token req.', width: 10, align: 'right', text: (row) => `${row.tokenRequests}` },
    { title: 'Time', width: 6, align: 'right', text: (row) => `${row.durationMs} ms`, style: 'dim' },
  ];
  const taken = fitted.reduce((sum, column) => sum + 2 + column.width, 2);
  const room = Math.max(8, Math.min(28, width - taken));
  return fitted.toSpliced(3, 0, { title: 'Who am I', width: room, text: ({ whoAmI }) => whoAmI ?? 'failed', style: 'green' });
}

function columnsOfStampedes({ systems, clients }: DemoPlan): Column<StampedeRow>[] {
  return [
    { ...named('System', systems), text: ({ system }) => system, style: 'bold' },
    { ...named('Client', clients), text: ({ client }) => client },
    { title: 'Rejected', width: 8, align: 'right', text: ({ rejected }) => `${rejected}` },
    { title: 'Failed', width: 6, align: 'right', text: ({ failed }) => `${failed}` },
    { title: 'Token requests', width: 14, align: 'right', text: (row) => `${row.tokenRequests}`, style: 'bold' },
    { title: 'Time', width: 7, align: 'right', text: (row) => `${row.durationMs} ms`, style: 'dim' },
  ];
}

function named(title: string, rows: readonly { readonly name: string }[]): { readonly title: string; readonly width: number } {
  const names = rows.map(({ name }) => name);
  return { title, width: fittedWidth(title, names) };
}
