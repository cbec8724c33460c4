import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { hasCode } from './has-code.ts';
import { StoreProblem } from './store-problem.ts';

/** Writes a new file, for this user only, and waits until the disk has it. What could not be written whole is removed. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.chmod(0o600); // whatever the umask took away
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true }).catch(() => {}); // the first failure is the one to tell
    throw error;
  } finally {
    await file.close();
  }
}

/** The text of a file, `undefined` where there is none. @throws {StoreProblem} when it is a symbolic link. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw hasCode(error, 'ELOOP', 'EMLINK') ? new StoreProblem(`${path} is a symbolic link`) : error;
  }
}

/** Waits until the disk has the names in `folder`: a rename alone outlives the process, not the machine. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
