// `pnpm fleet`: what many processes do to one store, with a server that takes a refresh token once, and all that can go wrong. About an hour;
// a few minutes: --rounds 20 --kills 10. Options: --rounds 1000, --kills 200, --processes 20, --store file or redis, --only <words of a run>, --json.
import { arch, cpus, tmpdir } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { hasRedis } from '../src/redis/redis-server.ts';
import { type FleetRow, plannedRuns } from './fleet/fleet-runs.ts';
import { storeNames } from './fleet/fleet-site.ts';
import { cellsOf, fleetHeader } from './fleet/fleet-table.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '200' },
    processes: { type: 'string', default: '20' },
    store: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const effort = { rounds: Number(values.rounds), kills: Number(values.kills), processes: Number(values.processes) };
for (const [option, count] of Object.entries(effort)) {
  if (!(Number.isInteger(count) && count > 0)) throw new Error(`--${option} must be a whole number above 0.`);
}
if (process.platform === 'win32') throw new Error('Processes are stopped and killed by signals, which Windows does not have.');

const isThere = { file: true, redis: hasRedis() };
const wanted = storeNames.filter((store) => (values.store ?? store) === store);
for (const store of wanted) if (!isThere[store]) console.error(`Skipped: ${store}. There is no redis-server on this machine.`);
const runs = wanted.filter((store) => isThere[store]).flatMap(plannedRuns);
const chosen = runs.filter(({ name }) => name.includes(values.only ?? ''));
if (chosen.length === 0) throw new Error(`Nothing to do. There are: ${runs.map(({ name }) => name).join('; ')}.`);

const machine = { node: process.version, cpu: cpus()[0]?.model ?? arch(), cores: cpus().length, directory: tmpdir() };
if (!values.json) console.log(`${machine.node}, ${machine.cores} × ${machine.cpu}; files in ${machine.directory}\n\n${fleetHeader}`);
const rows: FleetRow[] = [];
for (const planned of chosen) {
  const row = await planned.run(effort);
  rows.push(row);
  if (!values.json) for (const line of cellsOf(row)) console.log(line);
}
if (values.json) console.log(JSON.stringify({ machine, ...effort, rows }, null, 2));
const broken = rows.filter((row) => row.broken.length > 0);
if (!values.json) console.log(broken.length === 0 ? '\nEvery promise was kept.' : `\n${broken.length} runs broke a promise.`);
process.exitCode = broken.length === 0 ? 0 : 1;
