// Runs scripts of the root package.json one after the other and stops at the first that fails: `node tools/run-in-order.mjs lint build`.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

for (const script of process.argv.slice(2)) {
  process.stdout.write(`\n--- ${script}\n`);
  const { status } = spawnSync('pnpm', ['run', script], { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
}
