import type { BeyondCore } from '../bundle-size.ts';
import { median } from '../interleaved-rounds.ts';
import type { Result } from './tasks.ts';

/** One figure that we promise something about. */
export interface Finding {
  readonly what: string;
  readonly value: number;
  readonly atMost: number;
}

/** The whole call in relation to hand-written code's. */
const MOST_TIME = 1.05;
/** Bytes that an instance takes more than one with hand-written code. */
const MOST_BYTES = 700;
/** Bytes retained for each request: more than the heap moves by in any case, less than one reference. */
const MOST_RETAINED = 2;

/** What came of all tasks, held against what we promise. */
export function findingsOf(results: readonly Result[], sizes: readonly BeyondCore[]): Finding[] {
  const ours = results.filter(({ contender }) => contender.startsWith('authseam'));
  return ours
    .flatMap((result) => {
      const { kind, client, contender } = result;
      const name = `${client}, ${contender}`;
      if (kind === 'time') return timeFindings(name, result);
      if (kind === 'memory') {
        const what = `${name}, ${result.sharing === 'own' ? 'a strategy for each' : 'one strategy'}: bytes per instance more than hand-written`;
        return [{ what, value: result.bytes - handWritten(results, result), atMost: MOST_BYTES }];
      }
      return result.situations.map(({ situation, bytesPerRequest }) => ({
        what: `${name}, ${situation}: bytes retained per request`,
        value: bytesPerRequest,
        atMost: MOST_RETAINED,
      }));
    })
    .concat(sizes.map(({ name, bytes, target }) => ({ what: `${name}: bytes beyond core, gzipped`, value: bytes, atMost: target })));
}

function timeFindings(name: string, { requests, contender }: Extract<Result, { kind: 'time' }>): Finding[] {
  return Object.entries(requests).map(([method, rows]) => {
    const { ratio } = rows.find((row) => row.name === contender)!;
    return { what: `${name}, ${method}: time of a call, hand-written = 1`, value: ratio, atMost: MOST_TIME };
  });
}

function handWritten(results: readonly Result[], { client, sharing }: Extract<Result, { kind: 'memory' }>): number {
  const same = results.filter((result) => result.kind === 'memory' && result.client === client && result.sharing === sharing);
  return median(same.flatMap((result) => (result.kind === 'memory' && result.contender.startsWith('hand-written') ? [result.bytes] : [])));
}
