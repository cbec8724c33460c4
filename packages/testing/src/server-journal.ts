import { type FaultQueue, faultQueue } from './fault-queue.ts';
import type { ReceivedRequest } from './received-request.ts';

/**
 * What a loopback server remembers and what is still to go wrong at it. Servers that are given one journal share their log, in order of
 * arrival, and their faults: an authorization server and its API are one system to a test.
 */
export interface ServerJournal {
  readonly requests: ReceivedRequest[];
  readonly failures: unknown[];
  readonly faults: FaultQueue;
}

/** An empty {@link ServerJournal}. */
export function serverJournal(): ServerJournal {
  return Object.freeze({ requests: [], failures: [], faults: faultQueue() });
}
