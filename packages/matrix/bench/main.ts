// `pnpm bench`: what a cached credential adds to a request, over a transport that sends nothing. Options: --json, --rounds 25, --slice 20 (ms), --check.
import { arch, cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type Comparison, compare } from './comparison.ts';
import type { Call, Contender } from './contender.ts';
import { authseamApiKey } from './contenders/authseam-api-key.ts';
import { authseamBearerToken } from './contenders/authseam-bearer-token.ts';
import { authseamClientCredentials } from './contenders/authseam-client-credentials.ts';
import { azureCoreRestPipeline } from './contenders/azure-core-rest-pipeline.ts';
import { badgatewayOauth2Client } from './contenders/badgateway-oauth2-client.ts';
import { bareFetch } from './contenders/bare-fetch.ts';
import { handWritten } from './contenders/hand-written.ts';
import { oauth4webapi } from './contenders/oauth4webapi.ts';
import { interleavedRounds } from './interleaved-rounds.ts';
import { sentBy } from './null-transport.ts';

const contenders: readonly Contender[] = [
  bareFetch,
  handWritten,
  authseamBearerToken,
  authseamClientCredentials,
  authseamApiKey,
  oauth4webapi,
  azureCoreRestPipeline,
  badgatewayOauth2Client,
];

const url = 'https://api.example.com/v1/items/42';
const headers = { accept: 'application/json' };
const requests = {
  GET: [url, { headers }],
  POST: [url, { method: 'POST', headers, body: '{"name":"example","count":3}' }],
} satisfies Record<string, readonly [string, RequestInit]>;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '25' },
    slice: { type: 'string', default: '20' },
  },
});
const timing = { rounds: Math.max(15, Number(values.rounds)), sliceMs: Number(values.slice) };

const calls = new Map<string, Call>();
for (const contender of contenders) {
  await checkItAuthorizes(contender);
  calls.set(contender.name, await contender.setup());
}
const results: Record<string, Comparison> = {};
for (const [name, request] of Object.entries(requests)) {
  results[name] = compare(contenders, await interleavedRounds(calls, request, timing));
}

const machine = { node: process.version, cpu: cpus()[0]?.model ?? arch(), cores: cpus().length };
if (values.json) console.log(JSON.stringify({ machine, ...timing, results }, null, 2));
else for (const [name, result] of Object.entries(results)) print(name, result);
if (values.check && Object.values(results).some(({ isOnTarget }) => !isOnTarget)) process.exitCode = 1;

function print(request: string, { rows, verdict }: Comparison): void {
  console.log(`${request}, ${timing.rounds} interleaved rounds of ${timing.sliceMs} ms each; medians; ${machine.node}, ${machine.cpu}`);
  const header = ['', 'ns/call', 'added', '(quartiles)', '× hand-written'];
  const cells = rows.map(({ name, medianNs, addedNs, quartilesNs, timesHandWritten }) => [
    name,
    medianNs.toFixed(0),
    addedNs.toFixed(0),
    `(${quartilesNs.map((ns) => ns.toFixed(0)).join('–')})`,
    timesHandWritten.toFixed(2),
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]!.length)));
  for (const row of [header, ...cells]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '));
  }
  console.log(`${verdict}\n`);
}

/** A contender that forgets the credential, or sends elsewhere, would win. */
async function checkItAuthorizes(contender: Contender): Promise<void> {
  const sent = await sentBy(contender, ...requests.GET);
  const isComplete = sent?.url === url && (contender === bareFetch || sent.authorization !== null);
  if (!isComplete) throw new Error(`${contender.name} did not send an authorized request: ${JSON.stringify(sent)}`);
}
