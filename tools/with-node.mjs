// Runs a command on a Node that can run this repository: `node tools/with-node.mjs vitest run`.
// Node 22.18 or newer is used as it is; an older one on Linux borrows Node 24 from the package registry.
import { spawn, spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import process from 'node:process';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) fail('Usage: node tools/with-node.mjs <command> [...arguments]');

const env = { TURBO_TELEMETRY_DISABLED: '1', ...process.env };
if (!isNewEnough(process.versions.node)) env.PATH = `${dirname(borrowedNode())}${delimiter}${env.PATH}`;

const child = spawn(command, args, { stdio: 'inherit', env, shell: process.platform === 'win32' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // A terminal sends Ctrl-C to the child as well; passing it on would deliver it twice.
  process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal));
}
child.on('error', (error) => fail(`${command}: ${error.message}`));
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

function borrowedNode() {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    fail(`This repository needs Node 22.18 or newer; this is ${process.version}. Install a newer Node and run the command again.`);
  }
  const npx = ['-y', '-p', `node-linux-${process.arch}@24`, '--', 'node', '-p', 'process.execPath'];
  const quiet = { npm_config_loglevel: 'error', npm_config_update_notifier: 'false', npm_config_prefer_offline: 'true' };
  const found = spawnSync('npx', npx, { env: { ...process.env, ...quiet }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const path = found.stdout?.trim().split('\n').at(-1);
  if (found.status !== 0 || !path)
    fail(`This repository needs Node 22.18 or newer; this is ${process.version}, and Node 24 could not be fetched.`);
  return path;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
