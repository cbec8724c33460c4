import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { AuthEvent } from '@authseam/core';
import { afterEach, describe, expect, it } from 'vitest';
import { channelNames, publishEvents } from './publish-events.ts';

const rejected: AuthEvent = { type: 'rejected', strategy: 'apiKey', status: 401, attempt: 1 };
const bare: AuthEvent = { type: 'request-bare', strategy: 'apiKey', origin: 'https://elsewhere.example', reason: 'redirect' };

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Everything that is published on these channels, with the channel's name. */
function heardOn(...names: readonly string[]): readonly [string, unknown][] {
  const heard: [string, unknown][] = [];
  for (const name of names) {
    const listener = (message: unknown, from: string | symbol): void => void heard.push([String(from), message]);
    subscribe(name, listener);
    ends.push(() => unsubscribe(name, listener));
  }
  return heard;
}

describe('publishEvents', () => {
  it('publishes each event on the channel of its type, and on no other', () => {
    const heard = heardOn(...channelNames);
    const publish = publishEvents();
    publish(rejected);
    publish(bare);
    expect(heard).toEqual([
      ['authseam:rejected', rejected],
      ['authseam:request-bare', bare],
    ]);
  });

  it('adds the name of the client to a copy', () => {
    const heard = heardOn('authseam:rejected');
    publishEvents({ client: 'reports' })(rejected);
    expect(heard).toEqual([['authseam:rejected', { ...rejected, client: 'reports' }]]);
    expect(rejected).not.toHaveProperty('client');
  });

  it('serves who subscribes late, and again after all have left', () => {
    const publish = publishEvents();
    publish(rejected);
    const first = heardOn('authseam:rejected');
    publish(rejected);
    for (const end of ends.splice(0)) end();
    publish(rejected);
    const second = heardOn('authseam:rejected');
    publish(rejected);
    expect([first.length, second.length]).toEqual([1, 1]);
  });

  it('touches an event only when somebody listens', () => {
    const untouchable = new Proxy(rejected, {
      ownKeys: () => {
        throw new Error('copied for nobody');
      },
    });
    expect(() => publishEvents({ client: 'reports' })(untouchable)).not.toThrow();
    heardOn('authseam:rejected');
    expect(() => publishEvents({ client: 'reports' })(untouchable)).toThrow('copied for nobody');
  });

  it('publishes events of a newer core as well', () => {
    const heard = heardOn('authseam:of-a-newer-core');
    publishEvents()({ type: 'of-a-newer-core' } as unknown as AuthEvent);
    expect(heard).toHaveLength(1);
  });

  it('goes on where a subscriber throws', async () => {
    // Node raises it as an uncaught exception a moment later: vitest's own listeners stand aside for that moment.
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const raised = new Promise((resolve) => process.once('uncaughtException', resolve));
    try {
      const fail = (): never => {
        throw new Error('of a subscriber');
      };
      subscribe('authseam:rejected', fail);
      ends.push(() => unsubscribe('authseam:rejected', fail));
      const heard = heardOn('authseam:rejected');
      expect(() => publishEvents()(rejected)).not.toThrow();
      expect(heard).toHaveLength(1);
      expect(await raised).toMatchObject({ message: 'of a subscriber' });
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});

it('the list of channels has no name twice', () => {
  expect(new Set(channelNames).size).toBe(channelNames.length);
  expect(channelNames).toContain('authseam:token-fetched');
});

it('a misspelt option is refused', () => {
  expect(() => publishEvents({ clients: 'reports' } as object)).toThrow(
    'publishEvents: `clients` is not an option. Did you mean `client`?',
  );
});
