import { spawnSync } from 'node:child_process';
import { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { compose, fromTokenSource, staticHeaders } from '@authseam/core';
import * as huvr from '@authseam/example-huvr';
import * as sdk from '@authseam/example-sdk';
import { type Fault, type HuvrServer, huvrServer, sdkServer, type TransformFault } from '@authseam/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clients } from './clients.ts';
import { type DemoEnvironment, main } from './main.ts';
import type { DemoResult } from './run-demo.ts';
import { type DemoSystem, system, systems } from './systems.ts';

beforeEach(() => {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'TERM']) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: readonly string[], environment: DemoEnvironment = {}, terminal: object = {}): Promise<Run> {
  const texts = { stdout: '', stderr: '' };
  const collector = (name: keyof typeof texts) =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += chunk;
        done();
      },
    });
  const stdout = Object.assign(collector('stdout'), terminal);
  const exitCode = await main(argv, { stampedeCalls: 20, ...environment, stdout, stderr: collector('stderr') });
  return { exitCode, ...texts };
}

/** HUVR, with something wrong for as long as it runs. */
function broken(fault: Fault): DemoSystem {
  const start = async () => {
    const server = await huvrServer();
    server.inject({ ...fault, times: Number.POSITIVE_INFINITY });
    return server;
  };
  return system('HUVR', start, huvr);
}

const aTerminal = {
  isTTY: true,
  columns: 80,
  getColorDepth: () => WriteStream.prototype.getColorDepth({ TERM: 'xterm-256color', NO_COLOR: process.env['NO_COLOR'] }),
};
const sdkOnly = [system('SDK', () => sdkServer(), sdk)];

test('every system works through every client, and a stampede costs one token request', { timeout: 60_000 }, async () => {
  const { exitCode, stdout, stderr } = await run(['--json'], { stampedeCalls: 200 });
  const result = JSON.parse(stdout) as DemoResult;
  expect([exitCode, stderr, result.ok]).toEqual([0, '', true]);
  const each = (row: object) => ['fetch', 'axios', 'ky'].map((client) => ({ ...row, client, ok: true }));
  expect(result.calls).toMatchObject([
    ...each({ system: 'HUVR', strategy: 'clientCredentials', whoAmI: 'huvr-client', tokenRequests: 1 }),
    ...each({ system: 'Auth0', strategy: 'clientCredentials', whoAmI: 'auth0-client', tokenRequests: 1 }),
    ...each({ system: 'Auth0, PKCE', strategy: 'authorizationCode', whoAmI: 'alice', tokenRequests: 1 }),
    ...each({ system: 'Extra Horizon', strategy: 'oauth1', whoAmI: 'Jane Example', tokenRequests: 0 }),
    ...each({ system: 'SDK', strategy: 'apiKey', whoAmI: 'Example account', tokenRequests: 0 }),
    ...each({ system: 'SDK, code', strategy: 'authorizationCode', whoAmI: 'Alice Example', tokenRequests: 1 }),
  ]);
  const once = { calls: 200, rejected: 200, failed: 0, tokenRequests: 1 };
  const prone = ['HUVR', 'Auth0', 'Auth0, PKCE', 'SDK, code'];
  expect(result.stampedes).toMatchObject(prone.flatMap((name) => each({ system: name, ...once })));
});

test('each client sends by itself', async () => {
  await using server = await sdkServer();
  await run([], { systems: [system('SDK', async () => server, sdk)] });
  expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual(['node', expect.stringMatching(/^axios\//), 'node']);
});

test('piped, it is plain text in 80 columns', { timeout: 60_000 }, async () => {
  const { exitCode, stdout } = await run([]);
  expect([exitCode, stripVTControlCharacters(stdout)]).toEqual([0, stdout]);
  const lines = stdout.split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const row = /^✔ HUVR {11}clientCredentials {2}(?:fetch|axios|ky {3}) {3}huvr-client +1 +\d+ ms$/;
  expect([lines.filter((line) => row.test(line)).length, lines.filter((line) => line.startsWith('✔')).length]).toEqual([3, 30]);
  expect(lines.at(-2)).toMatch(/^All 30 worked, in \d+\.\d s\.$/);
});

test('on a terminal it has colours and says what is going on, within 80 columns', async () => {
  const { stdout } = await run([], { systems: sdkOnly }, aTerminal);
  expect(stdout).toContain('\u001b[32m✔');
  for (const { name } of clients) expect(stdout).toContain(`… SDK through ${name}`);
  const lines = stripVTControlCharacters(stdout).split('\n');
  expect(lines.find((line) => line.includes('✔'))?.replace(/^.*?✔/, '✔').length).toBeLessThanOrEqual(80);
});

test.each([
  { name: 'NO_COLOR keeps colours off a terminal', variable: 'NO_COLOR', terminal: aTerminal, coloured: false },
  { name: 'FORCE_COLOR puts them into a pipe', variable: 'FORCE_COLOR', terminal: {}, coloured: true },
])('$name', async ({ variable, terminal, coloured }) => {
  vi.stubEnv(variable, '1');
  const { stdout } = await run([], { systems: sdkOnly }, terminal);
  expect(stdout.includes('\u001b[32m')).toBe(coloured);
});

test('a system that answers 500 is a row that says so, and exit code 1', async () => {
  const fault: Fault = { at: 'api', status: 500, body: { detail: 'The database is on fire.' } };
  const { exitCode, stdout } = await run([], { systems: [broken(fault), ...sdkOnly] });
  expect(exitCode).toBe(1);
  expect(stdout.match(/^✘ HUVR {4}clientCredentials {2}(?:fetch|axios|ky {3}) {3}failed +1 +\d+ ms$/gm)).toHaveLength(3);
  expect(stdout.split('\n  Error: HUVR answered 500: {"detail":"The database is on fire."}\n')).toHaveLength(1 + 3);
  expect(stdout.match(/^✔ SDK /gm)).toHaveLength(3);
  expect(stdout).toMatch(/\n3 of 6 failed, in \d+\.\d s\.\n$/);
  expect(stdout).not.toContain('calls at once');
});

test('a refused client is told by its code, within 80 columns', async () => {
  const { exitCode, stdout } = await run([], { systems: [broken({ at: 'token', status: 401, body: { detail: 'No.' } })] });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('  TOKEN_ENDPOINT_ERROR: clientCredentials: the token endpoint');
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('a token that a server echoes is not shown', async () => {
  const tokens: string[] = [];
  const { stdout } = await run(['--json'], {
    systems: [
      broken({
        at: 'api',
        transform(_answer, { headers }) {
          const token = headers['authorization']?.split(' ')[1] ?? '';
          tokens.push(token);
          return { status: 500, body: `You sent ${token}` };
        },
      }),
    ],
  });
  const redacted = { failure: { message: 'HUVR answered 500: You sent [redacted]' } };
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, calls: clients.map(() => redacted) });
  expect(tokens).toEqual(clients.map(() => expect.stringMatching(/^\w{40}$/)));
  expect(tokens.filter((token) => stdout.includes(token))).toEqual([]);
});

test('what a person’s sign-in is made of is not shown, whoever echoes it', async () => {
  const secrets: string[] = [];
  const { name, start } = systems.find((one) => one.name === 'SDK, code')!;
  const echoing = async () => {
    const running = await start();
    const { server } = running;
    const transform: TransformFault['transform'] = (_answer, { headers }) => {
      const form = new URLSearchParams(server.requests.find(({ route }) => route === 'token')?.text);
      const sent = [server.clientSecret, headers['authorization']?.split(' ')[1], form.get('code'), form.get('code_verifier')];
      secrets.push(...sent.map(String));
      return { status: 500, body: `You sent ${sent.join(' ')}` };
    };
    server.inject({ at: 'api', transform, times: Number.POSITIVE_INFINITY });
    return running;
  };
  const { stdout } = await run(['--json'], { systems: [{ name, start: echoing }], clients: clients.slice(0, 1) });
  const message = 'GET /v1/me answered 500: You sent [redacted] [redacted] [redacted] [redacted]';
  expect((JSON.parse(stdout) as DemoResult).calls).toMatchObject([{ ok: false, failure: { message } }]);
  expect([secrets.length, secrets.filter((secret) => secret.length < 20 || stdout.includes(secret))]).toEqual([4, []]);
});

test.each([
  { name: 'Auth0, PKCE', at: '/authorize' },
  { name: 'SDK, code', at: '/oauth/authorize' },
])('$name: a sign-in that gets nowhere is a row that says so', async ({ name, at }) => {
  const { start } = systems.find((one) => one.name === name)!;
  const broken = async () => {
    const running = await start();
    running.server.inject({ at, status: 500, body: 'The login is on fire.' });
    return running;
  };
  const { exitCode, stdout } = await run([], { systems: [{ name, start: broken }] });
  expect([exitCode, stdout.match(/^✔.* ky .*$/gm)?.length]).toEqual([1, 2]);
  expect(stdout).toMatch(/^✘ .*authorizationCode {2}fetch .*failed +0 /m);
  expect(stdout.replace(/\s+/g, ' ')).toContain('did not send the browser back: The login is on fire.');
});

test('a server that cannot start fails its own row only', async () => {
  const start = () => Promise.reject(Object.assign(new Error('no port is left'), { code: 'EADDRINUSE' }));
  const { exitCode, stdout } = await run([], { systems: [{ name: 'HUVR', start }, ...sdkOnly] });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/✘ HUVR .*\n {2}EADDRINUSE: no port is left\n✔ SDK /);
});

test('a stampede that loses calls is a failure', async () => {
  const start = async () => {
    const server = await huvrServer();
    // Every token is good for one call.
    const seen = new Set<string | undefined>();
    const transform: TransformFault['transform'] = (answer, { headers }) => {
      const token = headers['authorization'];
      const isUsed = seen.has(token);
      seen.add(token);
      return isUsed ? { status: 401, body: { detail: 'Invalid token.' } } : answer;
    };
    server.inject({ at: 'api', transform, times: Number.POSITIVE_INFINITY });
    return server;
  };
  const { exitCode, stdout } = await run([], { systems: [system('HUVR', start, huvr)] });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^✘ HUVR {4}fetch +\d+ +\d+ +\d+ +\d+ ms\n {2}Error: HUVR answered 401: \{"detail":"Invalid token\."\}$/m);
});

test('a stampede that costs a token request for every call is a failure', async () => {
  const naive = ({ tokenEndpoint, clientId, clientSecret }: HuvrServer) => {
    const headers = { 'Content-Type': 'application/json', 'User-Agent': 'naive/1.0' };
    const body = JSON.stringify({ client_id: clientId, client_secret: clientSecret });
    const getToken = async () => {
      const answer = await (await fetch(tokenEndpoint, { method: 'POST', headers, body })).json();
      return { accessToken: (answer as { access_token: string }).access_token, tokenType: 'Token' };
    };
    const token = fromTokenSource({ getToken, rejected: () => true, invalidate: async () => {} }, { name: 'naive', scheme: 'Token' });
    return compose(staticHeaders({ 'User-Agent': 'naive/1.0' }), token);
  };
  const { exitCode, stdout } = await run([], { systems: [system('HUVR', () => huvrServer(), { ...huvr, auth: naive })] });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^✘ HUVR {4}fetch +0 +0 +20 +\d+ ms\n {2}Error: 20 token requests where one is enough$/m);
});

test('--help explains, an unknown option is an error of its own', async () => {
  expect(await run(['--', '--help'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Usage: npx -y pnpm@12 demo'),
    stderr: '',
  });
  expect(await run(['--jsno'])).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining("'--jsno'") });
});

test('the process ends with exit code 1 when nothing works', { timeout: 60_000 }, () => {
  const cutCable = `data:text/javascript,import http from 'node:http';
    const cut = () => { throw new Error('The cable is cut.') };
    globalThis.fetch = async () => cut();
    http.request = cut;`;
  const args = ['--conditions=@authseam/source', '--import', cutCable, fileURLToPath(new URL('./main.ts', import.meta.url))];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toContain('Error: The cable is cut.');
  const rows = systems.length * clients.length;
  expect(stdout).toContain(`${rows} of ${rows} failed`);
});
