import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRegister, readRegister, swapRegister } from './register.ts';

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'authseam-store-file-'));
  folder = join(root, 'register');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const word = async (): Promise<string | undefined> => (await readRegister(folder, /^\d+$/, () => Date.now()))?.word;

it('is made once, by whoever comes first', async () => {
  expect(await word()).toBeUndefined();
  await Promise.all(Array.from({ length: 20 }, (_, index) => createRegister(folder, `${index}`)));
  const first = await word();
  expect(first).toBeDefined();
  await createRegister(folder, '99');
  expect(await word()).toBe(first);
  expect(readdirSync(join(root, '.new'))).toEqual([]);
});

it('is made anew where only an empty folder is left', async () => {
  mkdirSync(folder);
  expect(await word()).toBeUndefined();
  await createRegister(folder, '1');
  expect(await word()).toBe('1');
});

it('is changed once from one word, however many try', async () => {
  await createRegister(folder, '0');
  for (let round = 0; round < 10; round++) {
    const tries = Array.from({ length: 20 }, (_, index) => swapRegister(folder, `${round * 100}`, index === 0 ? 'x' : `${index}`));
    const results = await Promise.all(tries);
    expect(results.filter(Boolean)).toHaveLength(1);
    const winner = results.indexOf(true);
    await swapRegister(folder, winner === 0 ? 'x' : `${winner}`, `${(round + 1) * 100}`);
    expect(await word()).toBe(`${(round + 1) * 100}`);
  }
});

it('is read with one word while it changes all the time', async () => {
  await createRegister(folder, '0');
  let isOver = false;
  const changing = (async () => {
    for (let next = 1; next <= 500; next++) await swapRegister(folder, `${next - 1}`, `${next}`);
    isOver = true;
  })();
  while (!isOver) expect(await word()).toBeDefined();
  await changing;
});
