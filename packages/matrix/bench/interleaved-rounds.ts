// A harness of our own: tinybench and mitata time one contender to its end before the next begins, so that a machine that slows down half-way (ours
// shares its two cores) favours whoever came first; and tinybench reads the clock around every call, which costs about as much as the calls do.

/** What is timed: one request of one client. */
type TimedCall<Init> = (url: string, init: Init) => Promise<unknown>;

/** What one contender was timed at. */
export interface Timed {
  readonly name: string;
  /** Nanoseconds per call, one figure for each round, in the order of the rounds. */
  readonly rounds: readonly number[];
}

/** How long and how often is measured. */
export interface RoundOptions {
  readonly rounds: number;
  /** Milliseconds that one contender runs in one round, about. */
  readonly sliceMs: number;
  /** Calls of each of four runs to warm up. Default 20 000: for calls that take microseconds. */
  readonly warmUpCalls?: number;
  /** Milliseconds since any moment. Default `performance.now`. */
  readonly clock?: () => number;
}

/**
 * Times every call in rounds. In a round each contender has one slice, in random order; calls follow one another, each awaited. Contenders are warmed
 * up before, and that run also tells how many calls fill a slice.
 */
export async function interleavedRounds<Init>(
  calls: ReadonlyMap<string, TimedCall<Init>>,
  request: readonly [string, Init],
  { rounds, sliceMs, warmUpCalls = 20_000, clock = () => performance.now() }: RoundOptions,
): Promise<Timed[]> {
  const entries: { name: string; call: TimedCall<Init>; count: number; rounds: number[] }[] = [];
  for (const [name, call] of calls) {
    for (let warmUp = 0; warmUp < 3; warmUp += 1) await slice(call, request, warmUpCalls, clock);
    const count = Math.ceil((sliceMs * 1e6) / (await slice(call, request, warmUpCalls, clock)));
    entries.push({ name, call, count, rounds: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const entry of shuffled(entries)) entry.rounds.push(await slice(entry.call, request, entry.count, clock));
  }
  return entries;
}

/** Nanoseconds per call over `count` calls. */
async function slice<Init>(
  call: TimedCall<Init>,
  [url, init]: readonly [string, Init],
  count: number,
  clock: () => number,
): Promise<number> {
  const start = clock();
  for (let done = 0; done < count; done += 1) await call(url, init);
  return ((clock() - start) * 1e6) / count;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** The middle of `values`; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `q` of `values` lies, interpolated. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low = Number.NaN, high = low] = sorted.slice(Math.floor(at));
  return low + (high - low) * (at - Math.floor(at));
}
