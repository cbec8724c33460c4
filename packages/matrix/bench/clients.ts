// `pnpm bench:clients`: our adapters for axios and ky against what people write by hand, over transports that send nothing. Options: --json, --check,
// --rounds 41, --slice 20 (ms), --instances 4000, --requests 100000, --only time, memory, retention or size, --client axios or ky.
import { spawnSync } from 'node:child_process';
import { arch, cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type BeyondCore, beyondCoreEntries, measureBeyondCore } from './bundle-size.ts';
import { findingsOf } from './clients/findings.ts';
import { type Effort, type Result, run, type Task, tasks } from './clients/tasks.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '41' },
    slice: { type: 'string', default: '20' },
    instances: { type: 'string', default: '4000' },
    requests: { type: 'string', default: '100000' },
    only: { type: 'string' },
    client: { type: 'string' },
    task: { type: 'string' },
  },
});
const effort: Effort = {
  rounds: Math.max(15, Number(values.rounds)),
  sliceMs: Number(values.slice),
  instances: Number(values.instances),
  requests: Number(values.requests),
};

if (values.task === undefined) await main();
else console.log(JSON.stringify(await run(JSON.parse(values.task), effort)));

async function main(): Promise<void> {
  const { only, client } = values;
  const results = tasks.filter((task) => (only ?? task.kind) === task.kind && (client ?? task.client) === task.client).map(inOwnProcess);
  const sizes: BeyondCore[] = [];
  if ((only ?? 'size') === 'size') for (const entry of beyondCoreEntries) sizes.push(await measureBeyondCore(entry));
  const findings = findingsOf(results, sizes);
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? arch(), cores: cpus().length };
  if (values.json) console.log(JSON.stringify({ machine, ...effort, results, sizes, findings }, null, 2));
  else {
    console.log(
      `${machine.node}, ${machine.cpu}; CPU time: ${effort.rounds} interleaved rounds, ${effort.sliceMs} ms for each contender in each\n`,
    );
    for (const result of results) print(result);
    for (const { what, value, atMost } of findings) {
      console.log(`${value <= atMost ? 'on target' : 'MISSED   '}  ${value.toFixed(value > 100 ? 0 : 2).padStart(6)} (${atMost})  ${what}`);
    }
  }
  if (values.check && findings.some(({ value, atMost }) => value > atMost)) process.exitCode = 1;
}

function inOwnProcess(task: Task): Result {
  const { rounds, sliceMs, instances, requests } = effort;
  const settings = { task: JSON.stringify(task), rounds, slice: sliceMs, instances, requests };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, '--expose-gc', import.meta.filename, ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`This part of the benchmark ended with ${status}: ${settings.task}`);
  return JSON.parse(stdout);
}

function print(result: Result): void {
  const { kind, client, contender } = result;
  if (kind === 'memory') {
    console.log(`${client}: ${result.bytes.toFixed(0)} bytes for each instance, ${contender}, ${result.sharing}\n`);
  } else if (kind === 'retention') {
    console.log(`${client}: bytes retained of each of ${effort.requests} requests, ${contender}`);
    for (const { situation, bytesPerRequest } of result.situations) console.log(`${bytesPerRequest.toFixed(2).padStart(8)}  ${situation}`);
    console.log('');
  } else {
    for (const [method, rows] of Object.entries(result.requests)) {
      console.log(
        `${`${client}, ${method}`.padEnd(28)}${['ns/call', 'added', '× hand-written', '(quartiles)'].map((title) => title.padStart(16)).join('')}`,
      );
      for (const { name, medianNs, addedNs, ratio, quartiles } of rows) {
        const cells = [medianNs.toFixed(0), addedNs.toFixed(0), ratio.toFixed(3), `(${quartiles.map((q) => q.toFixed(3)).join('–')})`];
        console.log(`${name.padEnd(28)}${cells.map((cell) => cell.padStart(16)).join('')}`);
      }
      console.log('');
    }
  }
}
