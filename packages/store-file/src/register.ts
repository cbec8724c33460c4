import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './has-code.ts';
import { findFolder } from './private-directory.ts';
import { syncFolder } from './private-file.ts';
import { StoreProblem } from './store-problem.ts';

// A register is a word that processes share: a folder with one empty file, whose name is the word. Renaming that file is to compare and to set in one
// step: of all who try, for one the file still has the old name. No lock is needed for it, so nobody who stops or dies in the middle holds up others or
// comes back too late. It rests on words that never come back; where one does (`free`), it has to mean the same as before.

/** What stands in a register's folder. */
export interface RegisterContent {
  readonly word: string;
  /** The other files of the folder. */
  readonly files: readonly string[];
}

/** In front of the word, in the name of the file. */
const PREFIX = 'state.';
/** A listing that was taken while a file was renamed may show both names or none. */
const LISTINGS = 6;
/** Where folders are made ready, and for how long one that was left there is let alone. */
const NURSERY = '.new';
const NURSERY_MS = 60_000;

/**
 * Reads a register; `undefined` where there is none.
 *
 * @param isWord What may stand in it.
 * @throws {StoreProblem} when no word stands in it, or several: somebody has been in the folder by hand. It is set aside then, as `….damaged-<milliseconds>`.
 */
export async function readRegister(folder: string, isWord: RegExp, now: () => number): Promise<RegisterContent | undefined> {
  for (let listing = 1; listing <= LISTINGS; listing++) {
    const names = await namesIn(folder);
    if (names.length === 0) return undefined;
    const words = names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
    const [word] = words;
    if (word !== undefined && words.length === 1 && isWord.test(word))
      return { word, files: names.filter((name) => !name.startsWith(PREFIX)) };
    await sleep(2 ** listing);
  }
  const aside = `${folder}.damaged-${now()}`;
  await rename(folder, aside);
  throw new StoreProblem(`it was damaged, and is set aside as ${aside}`);
}

/** Puts `next` in place of `word`. @returns `false` when something else stands there by now: nothing has happened then. */
export async function swapRegister(folder: string, word: string, next: string): Promise<boolean> {
  try {
    await rename(join(folder, PREFIX + word), join(folder, PREFIX + next));
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/**
 * Removes a register in which `word` stands and nothing lies beside it. Removing the file is what {@link swapRegister} does with another end: of all who
 * change that word for one it is still there. An empty folder is no register already, whoever makes the next one puts it in its place, and only an empty
 * folder goes away: one with a word in it never is empty.
 *
 * @returns `false` when it stands there no more or cannot be removed: nothing has happened then.
 */
export async function removeRegister(folder: string, word: string): Promise<boolean> {
  // On Windows no folder takes the place of another, an empty one either: whoever died in between would leave a register that nobody can make.
  if (process.platform === 'win32' || (await namesIn(folder)).length > 1) return false;
  try {
    await unlink(join(folder, PREFIX + word));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  await rmdir(folder).catch(() => {}); // somebody has made the next one
  return true;
}

/**
 * Makes a register where there is none. Whoever comes second leaves the first one's as it is: the folder gets its name with the word already in it, and
 * no folder takes the name of one that is not empty.
 */
export async function createRegister(folder: string, word: string): Promise<void> {
  const nursery = join(dirname(folder), NURSERY);
  const made = join(nursery, randomUUID());
  await makeFolder(nursery);
  await makeFolder(made);
  try {
    await writeFile(join(made, PREFIX + word), '', { flag: 'wx', mode: 0o600 });
    await rename(made, folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    const isTaken = hasCode(error, 'ENOTEMPTY', 'EEXIST') || (process.platform === 'win32' && hasCode(error, 'EPERM'));
    const isSweptAway = hasCode(error, 'ENOENT');
    if (!isTaken && !isSweptAway) throw error;
  } finally {
    await rm(made, { recursive: true, force: true }).catch(() => {}); // swept away later
  }
  await sweep(nursery);
}

/** Removes what processes left that died while they made a folder. Should one of them only have been slow, it starts again. */
async function sweep(nursery: string): Promise<void> {
  for (const name of await namesIn(nursery)) {
    const path = join(nursery, name);
    const stats = await stat(path).catch(() => undefined);
    // By the machine's clock, like the file's own time.
    if (stats && Date.now() - stats.mtimeMs > NURSERY_MS) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
    await chmod(path, 0o700);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    await findFolder(path);
  }
}

/** Names in a folder, none where there is no folder. */
async function namesIn(folder: string): Promise<readonly string[]> {
  if (!(await findFolder(folder))) return [];
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
