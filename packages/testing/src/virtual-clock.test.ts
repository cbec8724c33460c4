import { promisify } from 'node:util';
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

test('a timer is cleared by its number as well, and by nobody else’s', async () => {
  const clock = virtualClock();
  const fired: string[] = [];
  using _ = clock.takeTimers();
  const [first, second, third] = ['first', 'second', 'third'].map((name) => setTimeout(() => fired.push(name), 10));
  clearTimeout(Number(first));
  clearTimeout(String(second === undefined ? '' : Number(second)));
  clearTimeout(Number(first));
  for (const nothing of [undefined, null, 0, '', 'x', {}]) clearTimeout(nothing as never);
  await clock.advance(10);
  expect(fired).toEqual(['third']);
  expect(new Set([first, second, third].map(Number)).size).toBe(3);
});

test('a real timer from before is cleared by its number', async () => {
  const fired: string[] = [];
  const before = setTimeout(() => fired.push('real'), 5);
  {
    using _ = virtualClock().takeTimers();
    clearTimeout(Number(before));
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(fired).toEqual([]);
});

test('`util.promisify` makes a sleep of it, with a value and a signal, as of the real one', async () => {
  const clock = virtualClock({ startMs: 0 });
  using _ = clock.takeTimers();
  const sleep = promisify(setTimeout);
  const woken = sleep(100, 'value').then((value) => [value, clock.now()]);
  const reason = new Error('left');
  const controller = new AbortController();
  const signals = [AbortSignal.abort(reason), controller.signal];
  const left = Promise.allSettled(signals.map((signal) => sleep(100, undefined, { signal })));
  await clock.advance(50);
  controller.abort(reason);
  const error = expect.objectContaining({ name: 'AbortError', code: 'ABORT_ERR', cause: reason });
  expect(await left).toEqual(signals.map(() => ({ status: 'rejected', reason: error })));
  await clock.advance(100);
  expect(await woken).toEqual(['value', 100]);
});

test('a callback that is no function is refused at once', async () => {
  const clock = virtualClock();
  using _ = clock.takeTimers();
  for (const callback of [undefined, null, 'code()', 10]) expect(() => setTimeout(callback as never, 10)).toThrow(TypeError);
  await clock.advance(10);
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
