// `pnpm bench:oauth1`: what an OAuth 1 signature costs, in CPU time. Options: --json, --rounds 25, --slice 20 (ms), --check.
import { createHmac } from 'node:crypto';
import { arch, cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { median } from './interleaved-rounds.ts';
import { authseam } from './oauth1/authseam.ts';
import { bareHmac } from './oauth1/bare-hmac.ts';
import { baseStringOf } from './oauth1/base-string-of.ts';
import { oauth } from './oauth1/oauth.ts';
import { oauth10a } from './oauth1/oauth-1.0a.ts';
import { signatureOnly } from './oauth1/oauth-signature.ts';
import { credentials, type RequestToSign, type Signer } from './oauth1/sign.ts';

/** A kind of request, and how many times as fast as oauth-1.0a we promise to be. */
interface Workload {
  readonly name: string;
  readonly request: RequestToSign;
  readonly target?: number;
}

/** One line of the table: microseconds of CPU time for one signature, and oauth-1.0a's in relation to it, median over the rounds. */
interface Row {
  readonly name: string;
  readonly medianUs: number;
  readonly timesAsFast: number;
}

const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`field_${index}`, `value number ${index}, plain`]));
const ten = new URLSearchParams(Object.entries(twenty).slice(0, 10)).toString().replaceAll('+', '%20');
const workloads: readonly Workload[] = [
  { name: 'GET', request: { method: 'GET', url: 'https://api.example.com/v1/items/42' }, target: 2.5 },
  { name: 'GET with 10 query parameters', request: { method: 'GET', url: `https://api.example.com/v1/items?${ten}` } },
  {
    name: 'POST form with 20 parameters',
    request: { method: 'POST', url: 'https://api.example.com/v1/items', form: new URLSearchParams(twenty).toString(), fields: twenty },
    target: 1.8,
  },
];

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '25' },
    slice: { type: 'string', default: '20' },
  },
});
const rounds = Math.max(15, Number(values.rounds));
const sliceMs = Number(values.slice);

const results = workloads.map((workload) => ({ workload, rows: timed(workload) }));
const machine = `${process.version}, ${cpus()[0]?.model ?? arch()}`;
if (values.json) console.log(JSON.stringify({ machine, rounds, sliceMs, results }, null, 2));
else for (const { workload, rows } of results) print(workload, rows);
if (values.check && results.some(({ workload, rows }) => !isOnTarget(workload, rows))) process.exitCode = 1;

/** Contenders take turns: each round gives each of them one slice, in another order, so that a machine that slows down slows all of them. */
function timed({ request }: Workload): Row[] {
  const signers = [authseam, oauth10a, oauth, signatureOnly, bareHmac(request)];
  for (const signer of signers) checkItSigns(signer, request);
  const entries = signers.map((signer) => ({ signer, count: callsPerSlice(signer, request), us: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % entries.length;
    for (const entry of [...entries.slice(turn), ...entries.slice(0, turn)]) entry.us.push(slice(entry.signer, request, entry.count));
  }
  const peer = entries.find(({ signer }) => signer === oauth10a)!.us;
  return entries.map(({ signer, us }) => ({
    name: signer.name,
    medianUs: median(us),
    timesAsFast: median(us.map((own, round) => peer[round]! / own)),
  }));
}

/** Warms `signer` up, and tells how many calls fill a slice. */
function callsPerSlice(signer: Signer, request: RequestToSign): number {
  for (let warmUp = 0; warmUp < 3; warmUp += 1) slice(signer, request, 5_000);
  return Math.ceil((sliceMs * 1000) / slice(signer, request, 5_000));
}

/** Microseconds of CPU time per signature over `count` of them. Headers are looked at, so that they are really made. */
function slice({ sign }: Signer, request: RequestToSign, count: number): number {
  let length = 0;
  const start = process.cpuUsage();
  for (let done = 0; done < count; done += 1) length += sign(request).charCodeAt(20);
  const { user, system } = process.cpuUsage(start);
  if (length === 0) throw new Error('Nothing was signed.');
  return (user + system) / count;
}

/** A contender that signs something else would win. */
function checkItSigns({ name, role, sign }: Signer, request: RequestToSign): void {
  if (role === 'reference') return;
  const header = sign(request);
  const signature = decodeURIComponent(/oauth_signature="([^"]*)"/.exec(header)?.[1] ?? '');
  const key = `${credentials.consumerSecret}&${credentials.tokenSecret}`;
  const expected = createHmac('sha1', key).update(baseStringOf(request, header)).digest('base64');
  if (signature !== expected) throw new Error(`${name} signs something else: ${header}`);
}

function isOnTarget({ target = 0 }: Workload, rows: readonly Row[]): boolean {
  return rows.find(({ name }) => name === authseam.name)!.timesAsFast >= target;
}

function print(workload: Workload, rows: readonly Row[]): void {
  const { name, target } = workload;
  console.log(`${name}: CPU time, medians of ${rounds} interleaved rounds of ${sliceMs} ms each; ${machine}`);
  console.log(`${''.padEnd(20)}${'µs/signature'.padStart(14)}${'× oauth-1.0a'.padStart(16)}`);
  for (const row of rows)
    console.log(`${row.name.padEnd(20)}${row.medianUs.toFixed(2).padStart(14)}${row.timesAsFast.toFixed(2).padStart(16)}`);
  if (target !== undefined)
    console.log(`Target: ${target} × as fast as oauth-1.0a: ${isOnTarget(workload, rows) ? 'on target' : 'MISSED'}.`);
  console.log('');
}
