// `pnpm size`: what the packages weigh in an application, against the limits that we promise.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { measureSize, type SizeReport, sizeEntries } from './bundle-size.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, modules: { type: 'string', default: '12' } } });

const reports: SizeReport[] = [];
const unbuildable: string[] = [];
for (const entry of sizeEntries) {
  try {
    reports.push(await measureSize(entry));
  } catch (error) {
    unbuildable.push(`${entry.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
if (values.json) console.log(JSON.stringify({ reports, unbuildable }, null, 2));
else for (const report of reports) console.log(describe(report));
for (const problem of unbuildable) console.error(`Cannot be bundled. ${problem}`);
process.exitCode = unbuildable.length > 0 || reports.some(({ initial, limit }) => initial > limit) ? 1 : 0;

function describe({ name, target, limit, initial, lazy, single, modules }: SizeReport): string {
  const verdict =
    initial > limit ? `OVER its limit of ${limit}` : initial > target ? `${(initial / target).toFixed(1)} × the target` : 'on target';
  const heaviest = modules.slice(0, Number(values.modules)).map(({ path, bytes }) => `  ${String(bytes).padStart(8)}  ${path}`);
  return [
    `${name}: ${initial} bytes gzipped, target ${target}: ${verdict}`,
    `  loaded later ${lazy}, all in one file ${single}`,
    '  minified, by module:',
    ...heaviest,
    '',
  ].join('\n');
}
