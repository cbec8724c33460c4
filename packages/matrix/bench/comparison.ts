import type { Contender } from './contender.ts';
import { median, quantile, type Timed } from './interleaved-rounds.ts';

/** One line of the table. Nanoseconds per call. */
interface Row {
  readonly name: string;
  readonly medianNs: number;
  /** What it adds to bare fetch: the median of the differences within each round, so that a slow round counts for both. */
  readonly addedNs: number;
  /** First and third quartile of `addedNs`. */
  readonly quartilesNs: readonly [number, number];
  /** `addedNs` in relation to that of the hand-written contender. */
  readonly timesHandWritten: number;
}

/** The table for one kind of request, and whether it is as promised. */
export interface Comparison {
  readonly rows: readonly Row[];
  /** `undefined` where there is no target: not the bearer token. */
  readonly isOnTarget?: boolean;
  readonly verdict?: string;
}

const BARE = 'bare fetch';
const HAND_WRITTEN = 'hand-written';
const OURS = 'authseam bearerToken';
/** Ours adds at most so many times what hand-written code adds. */
const LIMIT = 2;

/** What was timed, in relation to bare fetch and to hand-written code, and held against the target. */
export function compare(contenders: readonly Contender[], timed: readonly Timed[]): Comparison {
  const bare = timed.find(({ name }) => name === BARE)!;
  const added = new Map(timed.map(({ name, rounds }) => [name, rounds.map((ns, round) => ns - bare.rounds[round]!)]));
  const ofHandWritten = median(added.get(HAND_WRITTEN)!);
  const rows = timed.map(({ name, rounds }): Row => {
    const differences = added.get(name)!;
    return {
      name,
      medianNs: median(rounds),
      addedNs: median(differences),
      quartilesNs: [quantile(differences, 0.25), quantile(differences, 0.75)],
      timesHandWritten: median(differences) / ofHandWritten,
    };
  });
  const ours = rows.find(({ name }) => name === OURS);
  if (!ours) return { rows };
  const isPeer = ({ name }: Row): boolean => contenders.some((contender) => contender.name === name && contender.role === 'peer');
  const quicker = rows.filter((row) => isPeer(row) && row.addedNs <= ours.addedNs).map(({ name }) => name);
  const isOnTarget = ours.timesHandWritten <= LIMIT && quicker.length === 0;
  const figures = `${OURS} adds ${ours.timesHandWritten.toFixed(2)} × what hand-written code adds (target: at most ${LIMIT})`;
  const verdict = `${figures}, ${quicker.length === 0 ? 'less than every peer' : `more than ${quicker.join(', ')}`}: ${isOnTarget ? 'on target' : 'MISSED'}.`;
  return { rows, isOnTarget, verdict };
}
