// Run it with `npx -y pnpm@12 -C examples/cli-login start login`; set the variables in which-server.ts to sign in to a real server.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { withAuth } from '@authseam/adapter-fetch';
import { type AuthorizationCode, authorizationCode } from '@authseam/auth-authcode';
import { type LoginEvent, login } from '@authseam/auth-authcode/loopback';
import { isAuthError } from '@authseam/core';
import { fileStore } from '@authseam/store-file';
import { embeddedServer, type Server, variablesOf, whichServer } from './which-server.ts';

const HELP = `Usage: npx -y pnpm@12 -C examples/cli-login start <command> [options]

  login    Signs you in with the browser, keeps the tokens, and prints who you are.
  whoami   Prints who you are; refreshes the token if it has to.
  logout   Revokes the tokens and forgets them.
  server   Runs a server to try them against, until you press Ctrl-C.

  --no-browser      login: print the URL, and open nothing.
  --directory <dir> Where the tokens are kept. Default: ${join('~', '.config', 'authseam-cli-login')}
  --help            This text.

Without variables there is a server of its own in each run: login shows all of
it, but nothing is left for whoami. The answer goes to stdout, the rest to
stderr. The exit code is 1 if it failed, 2 if it was called in a wrong way.
`;

/** A strategy whose tokens outlive the program. */
export function auth({ issuer, clientId, clientSecret, scope }: Server, directory: string): AuthorizationCode {
  const client = clientSecret === undefined ? { clientId, clientAuthentication: 'none' as const } : { clientId, clientSecret };
  return authorizationCode({ issuer, ...client, scope, redirectUri: 'http://127.0.0.1/callback', store: fileStore({ directory }) });
}

/** Asks the API who is calling. `api` is any authorized fetch. */
export async function whoAmI(api: typeof fetch, { whoAmIUrl }: Pick<Server, 'whoAmIUrl'>): Promise<string> {
  const response = await api(whoAmIUrl);
  if (!response.ok) throw new Error(`The API answered ${response.status}: ${await response.text()}`);
  const { sub } = (await response.json()) as { sub: string };
  return sub;
}

/** What a command works with. */
interface Session {
  readonly server: Server;
  readonly auth: AuthorizationCode;
  readonly browser: boolean;
  readonly signal: AbortSignal;
}

/** What each command prints. */
const COMMANDS: Readonly<Record<string, (session: Session) => Promise<string>>> = {
  async login({ server, auth, browser, signal }) {
    say('Waiting for you to sign in. If no browser opens, open this page:');
    await login(auth, {
      ...{ signal, port: server.port, onEvent: report },
      ...(!browser && { open: false as const }),
      onUrl: (url) => say(`  ${styleText('cyan', url, { stream: process.stderr })}`),
    });
    say(styleText('green', 'Signed in.', { stream: process.stderr }));
    return whoAmI(withAuth(fetch, auth), server);
  },
  whoami: ({ server, auth }) => whoAmI(withAuth(fetch, auth), server),
  async logout({ auth, signal }) {
    const { isRevoked } = await auth.signOut({ signal });
    return isRevoked ? 'Signed out, and the tokens are revoked.' : 'Signed out.';
  },
};

/** Runs one command and answers with the exit code. */
export async function main(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const options = optionsOf(argv);
  if (typeof options === 'string') return fail(`${options}\n\n${HELP}`, 2);
  const { command, directory, browser, help } = options;
  if (help) process.stdout.write(HELP);
  if (help) return 0;
  if (command === 'server') return serve(signal);
  const run = COMMANDS[command];
  if (!run) return fail(`${command ? `There is no command ${command}.` : 'Which command?'}\n\n${HELP}`, 2);
  let server: Server | undefined;
  try {
    server = await whichServer();
    if (server.isEmbedded) say('This is a server of its own, for this run only. At its page, allow whatever it asks.');
    console.log(await run({ server, auth: auth(server, directory), browser, signal }));
    return 0;
  } catch (error) {
    if (signal.aborted) return fail('Stopped.', 130);
    if (isAuthError(error, 'INTERACTION_REQUIRED')) return fail('You are not signed in. Run login.');
    if (isAuthError(error, 'AUTHORIZATION_REFUSED')) return fail(`You were not signed in: ${error.errorDescription ?? error.error}.`);
    return fail(error instanceof Error ? error.message : String(error));
  } finally {
    await server?.close();
  }
}

/** The options, or what is wrong with them. */
function optionsOf(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: argv.filter((argument) => argument !== '--'),
      allowPositionals: true,
      allowNegative: true,
      options: { browser: { type: 'boolean' }, directory: { type: 'string' }, help: { type: 'boolean' } },
    });
    const { browser = true, help = false, directory = join(homedir(), '.config', 'authseam-cli-login') } = values;
    return positionals.length > 1 ? 'One command at a time.' : { command: positionals[0] ?? '', browser, help, directory };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Lets the commands be tried one after the other. */
async function serve(signal: AbortSignal): Promise<number> {
  const server = await embeddedServer();
  console.log(variablesOf(server).join('\n'));
  say('Set these variables in another terminal, and run login there. Ctrl-C ends the server.');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await server.close();
  return 0;
}

/** Progress, as far as a person cares. */
function report(event: LoginEvent): void {
  if (event.type === 'browser-failed') say(styleText('yellow', 'No browser opened. Open the page yourself.', { stream: process.stderr }));
  if (event.type === 'callback-received') say('The browser is back. Fetching the tokens.');
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function fail(problem: string, exitCode = 1): number {
  say(styleText('red', problem, { stream: process.stderr }));
  return exitCode;
}

if (import.meta.main) {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.exitCode = await main(process.argv.slice(2), stop.signal);
}
