// Run it with `npx -y pnpm@12 demo` at the root of the repository.
import { parseArgs } from 'node:util';
import { clients } from './clients.ts';
import { type DemoPlan, runDemo } from './run-demo.ts';
import { screenReport } from './screen-report.ts';
import { systems } from './systems.ts';
import type { Output } from './table.ts';

const HELP = `Usage: npx -y pnpm@12 demo [--json]

Calls every system through every client, then sends 200 calls at once on a token
that the server has just revoked. Everything runs on this machine, against
embedded servers.

  --json  One JSON document on stdout.
  --help  This text.

NO_COLOR and FORCE_COLOR are respected. The exit code is 1 if anything failed.
`;

/** What {@link main} uses unless it is told otherwise. */
export interface DemoEnvironment extends Partial<DemoPlan> {
  readonly stdout?: Output;
  readonly stderr?: Output;
}

/** Runs the demo and answers with the exit code. */
export async function main(argv: readonly string[], environment: DemoEnvironment = {}): Promise<number> {
  const { stdout = process.stdout, stderr = process.stderr } = environment;
  const options = optionsOf(argv);
  if (typeof options === 'string') {
    stderr.write(`${options}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    stdout.write(HELP);
    return 0;
  }
  const plan: DemoPlan = { systems, clients, stampedeCalls: 200, ...environment };
  return options.json ? runForMachines(plan, stdout) : runForPeople(plan, stdout);
}

/** The options, or what is wrong with them. */
function optionsOf(argv: readonly string[]): { readonly json?: boolean; readonly help?: boolean } | string {
  try {
    const args = argv.filter((argument) => argument !== '--');
    return parseArgs({ args, options: { json: { type: 'boolean' }, help: { type: 'boolean' } } }).values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function runForPeople(plan: DemoPlan, stdout: Output): Promise<number> {
  const report = screenReport(plan, stdout);
  const result = await runDemo(plan, report);
  report.finished(result);
  return result.ok ? 0 : 1;
}

async function runForMachines(plan: DemoPlan, stdout: Output): Promise<number> {
  const result = await runDemo(plan);
  stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  return result.ok ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
