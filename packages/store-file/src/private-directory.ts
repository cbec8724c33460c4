import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './has-code.ts';
import { StoreProblem } from './store-problem.ts';

/** Makes the directory and what leads to it, where it does not exist. A mode that is asked for is cut by the umask, one that is set is not. */
export async function makePrivateDirectory(directory: string): Promise<void> {
  if (await findPrivateDirectory(directory)) return;
  if (!(await makeFolder(directory))) await findPrivateDirectory(directory);
}

/**
 * Makes a folder, and those above it that are missing, one level at a time: Node's own recursive `mkdir` never comes back where the system says "no such
 * file" below a folder that exists, as it does in /proc.
 *
 * @returns `false` when something stands there already.
 */
async function makeFolder(path: string): Promise<boolean> {
  const make = () => mkdir(path, { mode: 0o700 });
  try {
    await make().catch(async (error) => {
      const parent = dirname(path);
      if (!hasCode(error, 'ENOENT') || parent === path) throw error;
      await makeFolder(parent);
      await make();
    });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  await chmod(path, 0o700);
  return true;
}

/**
 * Whether the directory exists.
 *
 * @throws {StoreProblem} when it is a symbolic link or no directory at all, when somebody else owns it, or may write to it.
 */
export async function findPrivateDirectory(directory: string): Promise<boolean> {
  const stats = await findFolder(directory);
  if (!stats) return false;
  const userId = process.geteuid?.(); // Windows has neither owners nor modes of this kind
  if (userId === undefined) return true;
  // root may serve somebody else: in containers volumes often have another owner
  if (stats.uid !== userId && userId !== 0) throw new StoreProblem(`${directory} belongs to another user`);
  if (stats.mode & 0o022)
    throw new StoreProblem(`others may write to ${directory}: give the tokens a directory of their own, or chmod 700 this one`);
  return true;
}

/** What is known of a folder, `undefined` where there is none. @throws {StoreProblem} when something else stands there, a symbolic link to a folder, say. */
export async function findFolder(path: string): Promise<Stats | undefined> {
  const stats = await lstat(path).catch((error) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (stats?.isSymbolicLink()) throw new StoreProblem(`${path} is a symbolic link`);
  if (stats && !stats.isDirectory()) throw new StoreProblem(`${path} is not a directory`);
  return stats;
}
