import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OidcServer, oidcServer, signIn } from '@authseam/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

let server: OidcServer;
let folder: string;
let running: ChildProcess[];
beforeEach(async () => {
  server = await oidcServer();
  folder = mkdtempSync(join(tmpdir(), 'cli-login-'));
  running = [];
});
afterEach(async () => {
  for (const child of running) child.kill();
  rmSync(folder, { recursive: true });
  await server.close();
});

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** The first match in what was written so far, or will be. */
  shown(pattern: RegExp): Promise<string>;
}

const serverVariables = (): Record<string, string> => ({
  CLI_LOGIN_ISSUER: server.issuer,
  CLI_LOGIN_CLIENT_ID: 'native-app',
  CLI_LOGIN_WHOAMI_URL: `${server.apiUrl}/api/me`,
  CLI_LOGIN_SCOPE: 'openid',
});

/** The program as its own process, with nothing of ours in its environment. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = serverVariables()): Running {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const argv = ['--conditions=@authseam/source', main, ...args];
  const child = spawn(process.execPath, argv, { env: { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1', ...env } });
  running.push(child);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode, ...texts }));
  const shown = (pattern: RegExp): Promise<string> =>
    vi.waitFor(() => pattern.exec(`${texts.stdout}\n${texts.stderr}`)?.[0] ?? expect.fail(`${texts.stderr} has no ${pattern}`), 15_000);
  return { child, ended, shown };
}

/** What a person does with the URL that the program prints. */
async function signInAt({ shown }: Running, options: Parameters<typeof signIn>[1] = {}): Promise<string> {
  const { callbackUrl } = await signIn(await shown(/http:\S+\/authorize\?\S+/), options);
  return (await fetch(callbackUrl)).text();
}

describe('cli-login', { timeout: 60_000 }, () => {
  test('signs in, remembers it, refreshes, and signs out: each in a process of its own', async () => {
    const login = run(['login', '--no-browser']);
    expect(await signInAt(login, { user: 'bob' })).toContain('You are signed in');
    expect(await login.ended).toMatchObject({
      exitCode: 0,
      stdout: 'bob\n',
      stderr: expect.stringMatching(/Waiting for you.*Signed in\./s),
    });

    expect(await run(['whoami']).ended).toEqual({ exitCode: 0, stdout: 'bob\n', stderr: '' });
    expect(server.tokenRequests).toBe(1);
    server.expireTokens();
    expect(await run(['whoami']).ended).toEqual({ exitCode: 0, stdout: 'bob\n', stderr: '' });
    expect(server.refreshes).toBe(1);

    expect(await run(['logout']).ended).toMatchObject({ exitCode: 0, stdout: 'Signed out, and the tokens are revoked.\n' });
    expect(server.revocations).toBe(1);
    expect(await run(['whoami']).ended).toEqual({ exitCode: 1, stdout: '', stderr: 'You are not signed in. Run login.\n' });
    expect(existsSync(join(folder, '.config', 'authseam-cli-login'))).toBe(true);
  });

  test('offline it brings a server of its own', async () => {
    const login = run(['login', '--no-browser', '--directory', join(folder, 'tokens')], {});
    await signInAt(login);
    expect(await login.ended).toMatchObject({ exitCode: 0, stdout: 'alice\n' });
    expect(existsSync(join(folder, 'tokens'))).toBe(true);
  });

  test('`server` is one for several runs, until Ctrl-C', async () => {
    const serving = run(['server'], {});
    await serving.shown(/Ctrl-C/);
    const text = await serving.shown(/(?:CLI_LOGIN_\w+=\S+\n)+/);
    const env = Object.fromEntries(
      text
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
    const login = run(['login', '--no-browser'], env);
    await signInAt(login);
    expect((await login.ended).stdout).toBe('alice\n');
    expect((await run(['whoami'], env).ended).stdout).toBe('alice\n');
    serving.child.kill('SIGINT');
    expect((await serving.ended).exitCode).toBe(0);
  });

  test('says so when the person says no', async () => {
    const login = run(['login', '--no-browser']);
    expect(await signInAt(login, { deny: true })).toContain('You are not signed in');
    expect(await login.ended).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('You were not signed in: ') });
  });

  test('Ctrl-C ends the wait', async () => {
    const login = run(['login', '--no-browser']);
    await login.shown(/\/authorize\?/);
    login.child.kill('SIGINT');
    expect(await login.ended).toMatchObject({ exitCode: 130, stdout: '', stderr: expect.stringMatching(/Stopped\.\n$/) });
  });

  test.runIf(process.platform === 'linux')('opens the browser of the system, with the URL as it is', async () => {
    const [browser, opened] = [join(folder, 'browser'), join(folder, 'opened')];
    writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$#" "$@" > '${opened}.new'\nmv '${opened}.new' '${opened}'\n`);
    chmodSync(browser, 0o700);
    const login = run(['login'], { ...serverVariables(), BROWSER: browser });
    const url = await login.shown(/http:\S+\/authorize\?\S+/);
    await expect.poll(() => existsSync(opened)).toBe(true);
    expect(readFileSync(opened, 'utf8').trim().split('\n')).toEqual(['1', url]);
    await signInAt(login);
    const { exitCode, stderr } = await login.ended;
    expect([exitCode, stderr.includes('No browser opened')]).toEqual([0, false]);
  });

  test.runIf(process.platform === 'linux')('says so where no browser opens, and waits', async () => {
    const login = run(['login'], { ...serverVariables(), BROWSER: 'false' });
    await login.shown(/No browser opened\. Open the page yourself\./);
    await signInAt(login);
    expect(await login.ended).toMatchObject({ exitCode: 0, stdout: 'alice\n' });
  });

  test.each<[string, string[], number, string, RegExp]>([
    ['help', ['--help'], 0, 'stdout', /^Usage: /],
    ['no command', [], 2, 'stderr', /^Which command\?/],
    ['another command', ['signin'], 2, 'stderr', /^There is no command signin\./],
    ['two commands', ['login', 'logout'], 2, 'stderr', /^One command at a time\./],
    ['another option', ['login', '--colour'], 2, 'stderr', /--colour/],
  ])('answers to %s', async (_, args, exitCode, where, text) => {
    expect(await run(args).ended).toMatchObject({ exitCode, [where]: expect.stringMatching(text) });
  });

  test.each(['CLI_LOGIN_ISSUER', 'CLI_LOGIN_CLIENT_ID', 'CLI_LOGIN_WHOAMI_URL'])('names %s when it is missing', async (name) => {
    const { [name]: _, ...env } = serverVariables();
    const stderr = `The environment variable ${name} is not set. Set it, or pass the value itself.\n`;
    expect(await run(['whoami'], env).ended).toEqual({ exitCode: 1, stdout: '', stderr });
  });
});
