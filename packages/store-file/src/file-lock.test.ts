import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acquireLock, sinceBootMs } from './file-lock.ts';

const OWNER = '00000000-0000-0000-0000-000000000000';

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'authseam-store-file-'));
  folder = join(root, 'lock');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const lock = (options: Partial<Parameters<typeof acquireLock>[1]> = {}) =>
  acquireLock(folder, {
    ttlMs: 30_000,
    waitMs: 0,
    heartbeatMs: 5_000,
    sinceBootMs,
    now: () => Date.now(),
    isKept: async () => true,
    ...options,
  });
const word = (): string => readdirSync(folder).join().slice('state.'.length);

/** Leaves the lock as a process would that died while it held it, or that stands still. */
async function leave(beatAtMs: number, untilMs: number, { pid = deadPid(), endsAtMs = untilMs + 10_000 } = {}): Promise<void> {
  await (await lock()).release();
  renameSync(join(folder, 'state.free'), join(folder, `state.held.${OWNER}.${beatAtMs}.${untilMs}.${endsAtMs}.${pid}`));
}

function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

it('that ran out has one winner, however many find it', async () => {
  for (let round = 0; round < 10; round++) {
    await leave(sinceBootMs() - 2_000, sinceBootMs() - 1_000);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lock()));
    const won = results.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]?.value.release();
    expect(word()).toBe('free');
  }
});

it('that counts is left alone, and taken when it runs out', async () => {
  await leave(1_000_000, 1_020_000);
  await expect(lock({ waitMs: 50, sinceBootMs: () => 1_019_999 })).rejects.toThrow('50 ms');
  await (await lock({ sinceBootMs: () => 1_020_000 })).release();
});

it('counts until it ends, however silent, where its process still is, stopped say', async () => {
  await leave(1_000_000, 1_020_000, { pid: process.pid, endsAtMs: 1_030_000 });
  await expect(lock({ sinceBootMs: () => 1_029_999 })).rejects.toThrow('not free');
  await (await lock({ sinceBootMs: () => 1_030_000 })).release();
  await leave(1_000_000, 1_020_000, { endsAtMs: 1_030_000 });
  await expect(lock({ sinceBootMs: () => 1_019_999 })).rejects.toThrow('not free');
  await (await lock({ sinceBootMs: () => 1_020_000 })).release();
});

it.skipIf(process.platform === 'win32')('is kept for a process that was stopped, and free soon when that one is killed', async () => {
  const script = `const { acquireLock, sinceBootMs } = await import(process.argv[1]);
    const limits = { ttlMs: 30_000, waitMs: 0, heartbeatMs: 20, isKept: async () => true };
    await acquireLock(process.argv[2], { ...limits, sinceBootMs, now: Date.now });
    console.log('held');
    setInterval(() => {}, 1_000);`;
  const module = new URL('./file-lock.ts', import.meta.url).href;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script, module, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(other.stdout, 'data');
    other.kill('SIGSTOP');
    await sleep(200); // ten heartbeats
    await expect(lock()).rejects.toThrow('not free');
  } finally {
    other.kill('SIGKILL');
  }
  await once(other, 'exit');
  await (await lock({ waitMs: 5_000 })).release();
});

it('counts as well where its process belongs to another user, of whom the system tells nothing else', async () => {
  await leave(1_000_000, 1_020_000, { endsAtMs: 1_030_000 });
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  await expect(lock({ sinceBootMs: () => 1_029_999 })).rejects.toThrow('not free');
  kill.mockRestore();
  await (await lock({ sinceBootMs: () => 1_029_999 })).release();
});

it('is free when its last heartbeat lies in the future: the machine has started anew', async () => {
  await leave(sinceBootMs() + 3_600_000, sinceBootMs() + 3_620_000);
  await (await lock()).release();
  await leave(1_000_000, 1_020_000);
  await expect(lock({ sinceBootMs: () => 980_000 })).rejects.toThrow('not free');
  await (await lock({ sinceBootMs: () => 979_999 })).release();
});

it('counts for four heartbeats, and never longer than its time to live', async () => {
  const clock = { sinceBootMs: () => 1_000_000 };
  await lock(clock);
  expect(word()).toMatch(new RegExp(`^held\\..+\\.1000000\\.1020000\\.1030000\\.${process.pid}$`));
  rmSync(folder, { recursive: true });
  await lock({ ...clock, ttlMs: 7_000.5 });
  expect(word()).toMatch(/^held\..+\.1000000\.1007000\.1007000\.\d+$/);
});

it('is kept by its heartbeat, until its time to live ends', async () => {
  let nowMs = 1_000_000;
  const clock = { sinceBootMs: () => nowMs };
  await lock({ heartbeatMs: 10, ...clock, ttlMs: 200 });
  for (let beat = 0; beat < 6; beat++) {
    const before = word();
    nowMs += 30; // a lease is 40 ms long
    while (word() === before) await sleep(1);
    expect(Number(word().split('.')[3])).toBe(Math.min(nowMs + 40, 1_000_200));
    await expect(lock(clock)).rejects.toThrow('not free');
  }
  nowMs += 20;
  await lock(clock);
});

it('that was lost stays with the new holder, whatever the old one’s heartbeat and release do', async () => {
  let nowMs = 1_000_000;
  const clock = { sinceBootMs: () => nowMs };
  const lost = await lock({ heartbeatMs: 30, ...clock });
  nowMs += 30_000;
  const held = await lock(clock);
  const before = word();
  await sleep(100);
  await lost.release();
  expect(word()).toBe(before);
  await held.release();
});

it('goes by a clock that counts from the start of the machine, in whole milliseconds, the same for every process', async () => {
  const script = 'console.log(Number(process.hrtime.bigint() / 1_000_000n))';
  const before = sinceBootMs();
  const other = Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }));
  expect([before <= other, other <= sinceBootMs()]).toEqual([true, true]);
  await lock();
  expect(Number(word().split('.')[2])).toBeGreaterThanOrEqual(other);
});

it('keeps no process alive', async () => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const held = await lock();
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
  await held.release();
});

it('is not taken by one whose signal aborts, before or while it waits', async () => {
  const reason = new Error('left');
  await expect(lock({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const held = await lock();
  const controller = new AbortController();
  const waiting = lock({ waitMs: 10_000, signal: controller.signal });
  await sleep(20);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await held.release();
  expect(word()).toBe('free');
});

describe.skipIf(process.platform === 'win32')('that is not to be kept', () => {
  const isKept = async (): Promise<boolean> => false;

  it('leaves no folder, unless something lies in it that is not its own', async () => {
    await (await lock({ isKept })).release();
    expect(readdirSync(root)).toEqual(['.new']);
    const held = await lock({ isKept });
    writeFileSync(join(folder, 'of somebody else'), '');
    await held.release();
    expect(readdirSync(folder).sort()).toEqual(['of somebody else', 'state.free']);
    await (await lock()).release();
  });

  it.each([
    ['always', isKept],
    ['now and then', async () => Math.random() < 0.5],
  ])('has one holder at a time, however many wait, take it and remove it (%s)', { timeout: 60_000 }, async (_, kept) => {
    let holders = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      for (let round = 0; round < 20; round++) {
        const held = await lock({ isKept: kept, waitMs: 50_000 });
        most = Math.max(most, ++holders);
        await sleep(Math.random() * 2);
        holders -= 1;
        await held.release();
      }
    };
    await Promise.all(Array.from({ length: 12 }, work));
    expect(most).toBe(1);
    await (await lock({ isKept })).release();
    expect(readdirSync(root)).toEqual(['.new']);
  });

  it('and was lost is left to the new holder', async () => {
    let nowMs = 1_000_000;
    const clock = { sinceBootMs: () => nowMs };
    const lost = await lock({ ...clock, isKept });
    nowMs += 30_000;
    const held = await lock({ ...clock, isKept });
    const before = word();
    await lost.release();
    expect(word()).toBe(before);
    await expect(lock(clock)).rejects.toThrow('not free');
    await held.release();
    expect(readdirSync(root)).toEqual(['.new']);
  });
});
