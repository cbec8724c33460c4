// Packs every public package as it would be published and checks the tarballs with publint and attw. Needs `pnpm build` first.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const tarballs = mkdtempSync(join(tmpdir(), 'authseam-shape-'));
const problems = [];

try {
  for (const folder of readdirSync(join(root, 'packages')).sort()) checkPackage(join(root, 'packages', folder));
} finally {
  rmSync(tarballs, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);

function checkPackage(folder) {
  const manifestFile = join(folder, 'package.json');
  if (!existsSync(manifestFile)) return;
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  if (manifest.private) return;

  for (const file of ['LICENSE', 'README.md', 'dist']) {
    if (!existsSync(join(folder, file))) problems.push(`${manifest.name}: ${file} is missing`);
  }
  const tarball = join(tarballs, `${manifest.name.replace('/', '-')}.tgz`);
  run(manifest.name, 'pnpm', ['pack', '--out', tarball], folder);
  run(manifest.name, 'publint', ['run', tarball, '--strict'], root);
  run(manifest.name, 'attw', [tarball, '--profile', 'esm-only', '--no-emoji'], root);
}

function run(name, command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
  const outcome = status === 0 ? 'ok' : 'failed';
  console.log(`${name}: ${command} ${outcome}`);
  if (status !== 0) problems.push(`${name}: ${command} failed\n${stdout ?? ''}${stderr ?? ''}`);
}
