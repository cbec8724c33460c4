import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { redisStore } from './redis-store.ts';

/** A client of ioredis, as far as it is asked, that counts how often somebody looks whether it is connected. */
function clientThatIs(status: string) {
  const client = { now: status, looks: 0, connect: async () => {}, call: async (): Promise<unknown> => null };
  return Object.defineProperty(client, 'status', {
    get() {
      client.looks += 1;
      return client.now;
    },
  }) as typeof client & { readonly status: string };
}

const keys = Array.from({ length: 100 }, (_, index) => `${index}`);

it('looks for a connection once for all who wait, and gives up in time', async () => {
  const client = clientThatIs('reconnecting');
  const store = redisStore({ client, timeoutMs: 400 });
  const results = await Promise.allSettled(keys.map((key) => store.get(key)));
  expect(results.map(({ status }) => status)).toEqual(keys.map(() => 'rejected'));
  expect(client.looks).toBeLessThan(keys.length * 10); // each for itself it would be 60 times as many
  const { looks } = client;
  await sleep(100);
  expect(client.looks).toBe(looks);
});

it('goes on for all of them when it is there, and ends for all when the client is closed', async () => {
  for (const [status, expected] of [
    ['ready', 'fulfilled'],
    ['end', 'rejected'],
  ] as const) {
    const client = clientThatIs('reconnecting');
    const store = redisStore({ client, timeoutMs: 60_000 });
    const waiting = Promise.allSettled(keys.map((key) => store.get(key)));
    await sleep(50);
    client.now = status;
    expect((await waiting).map((result) => result.status)).toEqual(keys.map(() => expected));
  }
});

it('counts the time that Redis took to tell its own towards the time after which a change is void', async () => {
  const sent: string[][] = [];
  const call = async (...command: string[]): Promise<number> => {
    sent.push(command);
    if (sent.length === 1) await sleep(200);
    return sent.length === 1 ? 1_000_000 : 1;
  };
  const store = redisStore({ client: { status: 'ready', connect: async () => {}, call }, timeoutMs: 1_000 });
  await store.delete('a');
  const voidAfterMs = Number(sent[1]?.at(-1));
  expect(voidAfterMs).toBeGreaterThan(1_000_000);
  expect(voidAfterMs).toBeLessThanOrEqual(1_000_801); // a timer may be a millisecond early
});
