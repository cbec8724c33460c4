export {
  type ChannelName,
  channelNames,
  type PublishEventsOptions,
  type PublishedEvent,
  publishEvents,
} from './diagnostics-channel/publish-events.ts';
