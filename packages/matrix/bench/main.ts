// `pnpm bench`: what a cached credential adds to a request, over a transport that sends nothing, and what stores cost. Options: --json, --rounds 25,
// --slice 20 (ms), --check, --only requests or stores.
import { spawnSync } from 'node:child_process';
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
import { type StoreCosts, storeTable, timeStores } from './stores/store-costs.ts';
import { storeLineUps } from './stores/store-line-ups.ts';

/**
 * Who is timed together, in one process. Each of ours gets a process of its own with both references, as each peer runs in one configuration only: the
 * engine compiles code that serves one strategy, as in most applications, better than code that serves three.
 */
const groups: readonly (readonly Contender[])[] = [
  [bareFetch, handWritten, authseamBearerToken, oauth4webapi, azureCoreRestPipeline, badgatewayOauth2Client],
  [bareFetch, handWritten, authseamClientCredentials],
  [bareFetch, handWritten, authseamApiKey],
];

const url = 'https://api.example.com/v1/items/42';
const headers = { accept: 'application/json' };
const requests = {
  GET: [url, { headers }],
  POST: [url, { method: 'POST', headers, body: '{"name":"example","count":3}' }],
} satisfies Record<string, readonly [string, RequestInit]>;

type Results = Readonly<Record<string, Comparison>>;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '25' },
    slice: { type: 'string', default: '20' },
    only: { type: 'string' },
    group: { type: 'string' },
  },
});
const timing = { rounds: Math.max(15, Number(values.rounds)), sliceMs: Number(values.slice) };

if (values.group === undefined) {
  const isWanted = (kind: string): boolean => (values.only ?? kind) === kind;
  const stores = isWanted('stores') ? storeLineUps().map((_, index) => inOwnProcess<StoreCosts>(`stores ${index}`)) : [];
  report(isWanted('requests') ? groups.map((_, index) => inOwnProcess<Results>(`requests ${index}`)) : [], stores);
} else {
  const [kind, index] = values.group.split(' ');
  const result = kind === 'stores' ? timeStores(storeLineUps()[Number(index)]!, timing) : timeTogether(groups[Number(index)]!);
  console.log(JSON.stringify(await result));
}

async function timeTogether(contenders: readonly Contender[]): Promise<Results> {
  const calls = new Map<string, Call>();
  for (const contender of contenders) {
    await checkItAuthorizes(contender);
    calls.set(contender.name, await contender.setup());
  }
  const results: Record<string, Comparison> = {};
  for (const [name, request] of Object.entries(requests)) {
    results[name] = compare(contenders, await interleavedRounds(calls, request, timing));
  }
  return results;
}

/** A contender that forgets the credential, or sends elsewhere, would win. */
async function checkItAuthorizes(contender: Contender): Promise<void> {
  const sent = await sentBy(contender, ...requests.GET);
  const isComplete = sent?.url === url && (contender === bareFetch || sent.authorization !== null);
  if (!isComplete) throw new Error(`${contender.name} did not send an authorized request: ${JSON.stringify(sent)}`);
}

function inOwnProcess<Result>(group: string): Result {
  const args = [import.meta.filename, '--group', group, '--rounds', String(timing.rounds), '--slice', String(timing.sliceMs)];
  const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`Group ${group} of the benchmark ended with ${status}.`);
  return JSON.parse(stdout);
}

function report(results: readonly Results[], stores: readonly StoreCosts[]): void {
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? arch(), cores: cpus().length };
  if (values.json) console.log(JSON.stringify({ machine, ...timing, groups: results, stores }, null, 2));
  else {
    if (results.length > 0) for (const request of Object.keys(requests)) print(request, results, `${machine.node}, ${machine.cpu}`);
    for (const costs of stores) console.log([...storeTable(costs), ''].join('\n'));
  }
  const isMissed = results.some((group) => Object.values(group).some(({ isOnTarget }) => isOnTarget === false));
  if (values.check && isMissed) process.exitCode = 1;
}

function print(request: string, results: readonly Results[], machine: string): void {
  console.log(`${request}: medians of ${timing.rounds} interleaved rounds, ${timing.sliceMs} ms for each contender in each; ${machine}`);
  const header = ['', 'ns/call', 'added', '(quartiles)', '× hand-written'];
  const cells = results.map((group) =>
    group[request]!.rows.map(({ name, medianNs, addedNs, quartilesNs, timesHandWritten }) => [
      name,
      medianNs.toFixed(0),
      addedNs.toFixed(0),
      `(${quartilesNs.map((ns) => ns.toFixed(0)).join('–')})`,
      timesHandWritten.toFixed(2),
    ]),
  );
  const widths = header.map((title, column) => Math.max(title.length, ...cells.flat().map((row) => row[column]!.length)));
  for (const row of [header, ...cells.flatMap((group, index) => (index === 0 ? group : [[''], ...group]))]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '));
  }
  for (const group of results) if (group[request]!.verdict) console.log(group[request]!.verdict);
  console.log('');
}
