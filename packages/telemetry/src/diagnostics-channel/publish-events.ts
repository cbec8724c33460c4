import { type Channel, channel } from 'node:diagnostics_channel';
import { type AuthEvent, checkKnownKeys } from '@authseam/core';

/** Options of {@link publishEvents}. */
export interface PublishEventsOptions {
  /** Put on every message: tells clients of one strategy apart. Default: no such field. */
  readonly client?: string | undefined;
}

/** A message of our channels: the event itself, with the `client` that was given to {@link publishEvents}. */
export type PublishedEvent = AuthEvent & { readonly client?: string };

/** Where events of one type are published. */
export type ChannelName = `authseam:${AuthEvent['type']}`;

const CHANNELS: Readonly<Record<ChannelName, true>> = {
  'authseam:request-bare': true,
  'authseam:credential-conflict': true,
  'authseam:rejected': true,
  'authseam:rejection-check-failed': true,
  'authseam:replay-skipped': true,
  'authseam:token-locked': true,
  'authseam:token-fetched': true,
  'authseam:token-adopted': true,
  'authseam:token-discarded': true,
  'authseam:token-request-retry': true,
  'authseam:token-request-failed': true,
  'authseam:token-awaited': true,
  'authseam:scope-changed': true,
  'authseam:token-store-failed': true,
};

/**
 * The names of all channels, for who wants to hear everything: diagnostics_channel knows no wildcards.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * import { channelNames, type PublishedEvent } from '@authseam/telemetry/diagnostics-channel';
 *
 * const heard: PublishedEvent[] = [];
 * for (const name of channelNames) subscribe(name, (message) => heard.push(message as PublishedEvent));
 * ```
 */
export const channelNames: readonly ChannelName[] = Object.freeze(Object.keys(CHANNELS) as ChannelName[]);

/**
 * Publishes events on `node:diagnostics_channel`, those of each type on a channel of their own: `authseam:token-fetched`, `authseam:rejected` and so on.
 * Where nobody subscribes, an event costs one look into a map. Subscribers are called at once, in the middle of the request or refresh: they should
 * be short. What one throws does not reach the request; Node raises it as an uncaught exception.
 *
 * @returns A handler for `onEvent` of an adapter or `emit` of `getToken`; one serves any number of clients and holds nothing of theirs.
 * @throws {ConfigurationError} for an unknown option.
 * @example
 * ```ts
 * import { withAuth } from '@authseam/adapter-fetch';
 * import { apiKey } from '@authseam/auth-api-key';
 * import { publishEvents } from '@authseam/telemetry/diagnostics-channel';
 *
 * export const api = withAuth(fetch, apiKey({ key: 'example-key' }), { onEvent: publishEvents({ client: 'reports' }) });
 * ```
 */
export function publishEvents(options: PublishEventsOptions = {}): (event: AuthEvent) => void {
  checkKnownKeys(options, ['client'], { strategy: 'publishEvents' });
  const { client } = options;
  const channels = new Map<string, Channel>();
  return (event) => {
    let known = channels.get(event.type);
    if (!known) {
      known = channel(`authseam:${event.type}`);
      channels.set(event.type, known);
    }
    if (known.hasSubscribers) known.publish(client === undefined ? event : { ...event, client });
  };
}
