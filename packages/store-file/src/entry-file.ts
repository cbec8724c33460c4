import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenSet } from '@authseam/core';
import { hasCode } from './has-code.ts';
import { readPrivateFile, syncFolder, writePrivateFile } from './private-file.ts';
import { createRegister, type RegisterContent, readRegister, swapRegister } from './register.ts';
import { StoreProblem } from './store-problem.ts';

// One entry is a folder. Its register says which version stands there, `entry.<version>`, or that there is none, `none.<version>`; the tokens are in
// `<version>.after.<version before>.json`. A write puts its file there first, then changes the register from the version before to its own: that is the
// moment at which it happens. A deletion leaves the folder, because what is there once must not begin anew.

/** Version of the format of an entry's file. */
const FORMAT = 1;
const WORD = /^(?:entry|none)\.[0-9a-f-]{36}$/;
const FILE = /^([0-9a-f-]{36})\.after\.[0-9a-f-]{36}\.json$/;

/** Reads an entry. @throws {StoreProblem} when its file is damaged, after setting it aside: the next call finds nothing. */
export async function readEntry(
  folder: string,
  now: () => number,
): Promise<{ readonly entry: TokenSet; readonly version: string } | undefined> {
  let fileless: string | undefined;
  for (;;) {
    const content = await readRegister(folder, WORD, now);
    const version = versionIn(content);
    if (!content || version === null) return undefined;
    const file = content.files.find((name) => FILE.exec(name)?.[1] === version);
    const text = file && (await readPrivateFile(join(folder, file)));
    const entry = text && parseEntry(text);
    if (entry) return { entry, version };
    // Without a file: it was replaced between two looks. If it was not, nobody will write the file any more.
    const isReplaced = text === undefined && fileless !== version;
    fileless = version;
    if (isReplaced || !(await swapRegister(folder, content.word, `none.${randomUUID()}`))) continue;
    throw new StoreProblem(await setAside(folder, text === undefined ? undefined : file, now()));
  }
}

/** Writes an entry. @returns Its version, or `false` where something else stands there than `ifVersion` says. */
export async function writeEntry(
  folder: string,
  entry: TokenSet,
  ifVersion: string | null | undefined,
  now: () => number,
): Promise<string | false> {
  const text = JSON.stringify({ format: FORMAT, entry });
  const version = randomUUID();
  let file: string | undefined;
  try {
    for (;;) {
      const content = await readRegister(folder, WORD, now);
      if (ifVersion !== undefined && ifVersion !== versionIn(content)) return false;
      if (!content) {
        await createRegister(folder, `none.${randomUUID()}`);
        continue;
      }
      file = await placeFile(file, join(folder, `${version}.after.${content.word.replace(/^\w+\./, '')}.json`), text);
      if (!(await swapRegister(folder, content.word, `entry.${version}`))) continue;
      file = undefined;
      await syncFolder(folder);
      await removeFiles(folder, content);
      return version;
    }
  } finally {
    if (file) await rm(file, { force: true }).catch(() => {}); // the next write removes it
  }
}

/** Removes an entry. @returns Whether there was one, and of that version where `ifVersion` is given. */
export async function removeEntry(folder: string, ifVersion: string | undefined, now: () => number): Promise<boolean> {
  for (;;) {
    const content = await readRegister(folder, WORD, now);
    const version = versionIn(content);
    if (!content || version === null || (ifVersion !== undefined && ifVersion !== version)) return false;
    if (!(await swapRegister(folder, content.word, `none.${randomUUID()}`))) continue;
    await removeFiles(folder, content);
    await syncFolder(folder);
    return true;
  }
}

/** `null` where nothing is stored. */
function versionIn(content: RegisterContent | undefined): string | null {
  return content?.word.startsWith('entry.') ? content.word.slice('entry.'.length) : null;
}

function parseEntry(text: string): TokenSet | undefined {
  try {
    const { format, entry } = JSON.parse(text) as { format?: unknown; entry?: unknown };
    return format === FORMAT && typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? (entry as TokenSet) : undefined;
  } catch {
    return undefined; // what the parser says quotes tokens
  }
}

/** Puts the file of a write where it belongs: it is on the disk only once, however often another write comes first. */
async function placeFile(placed: string | undefined, path: string, text: string): Promise<string> {
  try {
    if (placed) await rename(placed, path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return placeFile(undefined, path, text);
  }
  if (!placed) await writePrivateFile(path, text);
  return path;
}

/**
 * Removes the files that stood in the folder before a change of its register: the replaced one, and what writes left that were not the first or died. A
 * file is there for one change only, the one from the version after which it is named. That version is past, and never comes back.
 */
async function removeFiles(folder: string, before: RegisterContent): Promise<void> {
  const files = before.files.filter((name) => FILE.test(name));
  await Promise.all(files.map((name) => rm(join(folder, name), { force: true }).catch(() => {}))); // else the next write removes it
}

/** Renames a damaged file, and says where it is. */
async function setAside(folder: string, file: string | undefined, nowMs: number): Promise<string> {
  if (file === undefined) return `the file of the entry in ${folder} is gone`;
  const aside = `${folder}.damaged-${nowMs}`;
  await rename(join(folder, file), aside);
  return `the entry was damaged, and is set aside as ${aside}`;
}
