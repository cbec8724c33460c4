import { expect, test } from 'vitest';
import { huvrServer } from './huvr-server.ts';
import { virtualClock } from './virtual-clock.ts';

test('stands still until it is moved, and begins with the time of the machine', async () => {
  const clock = virtualClock({ startMs: 1_000 });
  const { now } = clock;
  expect(now()).toBe(1_000);
  await clock.advance(250);
  expect(now()).toBe(1_250);
  clock.jump(-500);
  expect(now()).toBe(750);
  clock.jump(10_000);
  expect(now()).toBe(10_750);
  await expect(clock.advance(-1)).rejects.toThrow(RangeError);
  expect(now()).toBe(10_750);
  expect(Math.abs(virtualClock().now() - Date.now())).toBeLessThan(5_000);
});

test('fires timers in the order in which they come due, each at its own time, and what they lead to before the next', async () => {
  const clock = virtualClock({ startMs: 0 });
  const fired: unknown[] = [];
  const note = (what: string): void => void fired.push([what, clock.now()]);
  using _ = clock.takeTimers();
  setTimeout(note, 300, 'third');
  setTimeout(note, 100, 'first');
  setTimeout(() => Promise.resolve().then(() => setTimeout(note, 50, 'second')), 100);
  setTimeout(note, 300, 'fourth');
  clearTimeout(setTimeout(note, 10, 'cleared'));
  await clock.advance(299);
  expect(fired).toEqual([
    ['first', 100],
    ['second', 150],
  ]);
  await clock.advance(1);
  expect(fired.slice(2)).toEqual([
    ['third', 300],
    ['fourth', 300],
  ]);
});

test('a jump fires nothing, and the timers go on as long as they had left', async () => {
  const clock = virtualClock({ startMs: 0 });
  const fired: string[] = [];
  using _ = clock.takeTimers();
  setTimeout(() => fired.push('late'), 100);
  clock.jump(3_600_000);
  await clock.advance(99);
  expect(fired).toEqual([]);
  clock.jump(-7_200_000);
  await clock.advance(1);
  expect(fired).toEqual(['late']);
});

test('a timer behaves like a real one where anybody looks: unref, refresh, close, and lengths out of range', async () => {
  const clock = virtualClock();
  const fired: string[] = [];
  using _ = clock.takeTimers();
  const timer = setTimeout(() => fired.push('refreshed'), 100).unref();
  await clock.advance(80);
  timer.refresh();
  await clock.advance(80);
  expect(fired).toEqual([]);
  await clock.advance(20);
  expect(fired).toEqual(['refreshed']);
  setTimeout(() => fired.push('closed'), 10)[Symbol.dispose]();
  setTimeout(() => fired.push('too long'), 2 ** 31);
  setTimeout(() => fired.push('no number'), Number.NaN);
  await clock.advance(10);
  expect(fired).toEqual(['refreshed', 'too long', 'no number']);
});

test('gives the timers back, real ones that ran before included, and takes them once at a time', async () => {
  const { setTimeout: real } = globalThis;
  const clock = virtualClock();
  const fired: string[] = [];
  const before = setTimeout(() => fired.push('real'), 5);
  {
    using timers = clock.takeTimers();
    expect(globalThis.setTimeout).not.toBe(real);
    clearTimeout(before);
    expect(() => virtualClock().takeTimers()).toThrow('taken');
    expect(() => clock.takeTimers()).toThrow('taken');
    setTimeout(() => fired.push('ours'), 5);
    timers[Symbol.dispose]();
    expect(globalThis.setTimeout).toBe(real);
  }
  await clock.advance(10);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(fired).toEqual([]);
  clock.takeTimers()[Symbol.dispose]();
});

test('is the clock of a server: its tokens run out by it', async () => {
  const clock = virtualClock();
  await using server = await huvrServer({ lifetimeSeconds: 60, now: clock.now });
  const headers = { 'User-Agent': 'test/1', 'Content-Type': 'application/json' };
  const body = JSON.stringify({ client_id: server.clientId, client_secret: server.clientSecret });
  const answer = await fetch(`${server.origin}/api/auth/obtain-access-token/`, { method: 'POST', headers, body });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const call = async (): Promise<number> =>
    (await fetch(`${server.origin}/api/auth/user/`, { headers: { ...headers, Authorization: `Token ${token}` } })).status;
  expect(await call()).toBe(200);
  await clock.advance(60_000);
  expect(await call()).toBe(401);
});
