import { apiKey } from '@authseam/auth-api-key';
import type { AuthStrategy } from '@authseam/core';
import axios from 'axios';
import { credential } from '../contender.ts';
import { median } from '../interleaved-rounds.ts';
import type { Client, ClientContender, LineUp } from './client-contender.ts';
import { liveBytes } from './heap.ts';
import { answerWith } from './null-clients.ts';

/** Many requests of one instance, and what of them is still there afterwards. */
export interface Retention {
  readonly situation: string;
  /** Bytes on the heap for each request; may be negative. */
  readonly bytesPerRequest: number;
}

interface Situation {
  readonly name: string;
  /** Options of one request, besides those of the line-up. */
  readonly options?: () => object;
  /** One of so many requests is answered with a 401 first. */
  readonly rejectEvery?: number;
  /** Means nothing to a client without our strategies. */
  readonly isOursOnly?: boolean;
  readonly isAxiosOnly?: boolean;
}

const PARTS = 5;

const other = apiKey({ key: credential.accessToken });
/** Has no patch at once: each request waits for it, and listens for its abort meanwhile. */
const late: AuthStrategy = { name: 'late', specVersion: 1, authorize: async () => ({ headers: { Authorization: 'Bearer late' } }) };
const { signal } = new AbortController();
const { token: cancelToken } = axios.CancelToken.source();

const situations: readonly Situation[] = [
  { name: 'plain' },
  { name: 'a signal that outlives them', options: () => ({ signal }) },
  { name: 'a cancel token that outlives them', options: () => ({ cancelToken }), isAxiosOnly: true },
  { name: 'both', options: () => ({ cancelToken, signal }), isAxiosOnly: true },
  { name: 'one in ten rejected', rejectEvery: 10, isOursOnly: true },
  { name: 'one in ten rejected, with the signal', options: () => ({ signal }), rejectEvery: 10, isOursOnly: true },
  {
    name: 'one in ten rejected, with both',
    options: () => ({ cancelToken, signal }),
    rejectEvery: 10,
    isOursOnly: true,
    isAxiosOnly: true,
  },
  { name: 'another strategy', options: () => ({ authStrategy: other }), isOursOnly: true },
  { name: 'a new strategy each', options: () => ({ authStrategy: apiKey({ key: credential.accessToken }) }), isOursOnly: true },
  { name: 'a wait for each credential, with the signal', options: () => ({ signal, authStrategy: late }), isOursOnly: true },
];

/**
 * What is retained of `count` requests in each situation that concerns `contender`. They are sent in parts, and the middle one of what the parts leave
 * counts: the runtime's own tables of weak references (fetch has some) grow and shrink by megabytes, once in a while, however little is in them. To be
 * run in a process of its own.
 */
export async function retained<Init>(contender: ClientContender<Init>, lineUp: LineUp<Init>, count: number): Promise<Retention[]> {
  const isOurs = contender.role === 'ours';
  const results: Retention[] = [];
  for (const situation of situations) {
    if ((situation.isOursOnly && !isOurs) || (situation.isAxiosOnly && lineUp.client !== 'axios')) continue;
    const client = (await contender.setup())();
    const left: number[] = [];
    const part = Math.ceil(count / PARTS);
    await send(client, lineUp, situation, part);
    for (let before = await liveBytes(); left.length < PARTS; ) {
      await send(client, lineUp, situation, part);
      const after = await liveBytes();
      left.push((after - before) / part);
      before = after;
    }
    results.push({ situation: situation.name, bytesPerRequest: median(left) });
  }
  return results;
}

async function send<Init>(
  client: Client<Init>,
  { requests }: LineUp<Init>,
  { name, options, rejectEvery = 0 }: Situation,
  count: number,
): Promise<void> {
  const [url, init] = requests.GET;
  let answers = 0;
  let rejections = 0;
  answerWith(() => {
    answers += 1;
    // What follows a 401 is the second attempt of the same request.
    const isRejected = rejectEvery > 0 && answers % (rejectEvery + 1) === 0;
    rejections += Number(isRejected);
    return isRejected ? 401 : 200;
  });
  for (let sent = 0; sent < count; sent += 1) await client(url, { ...init, ...options?.() });
  answerWith(() => 200);
  if (answers !== count + rejections) throw new Error(`${name}: ${count} requests, ${rejections} rejections, ${answers} answers`);
}
