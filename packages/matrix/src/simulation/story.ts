/** What happened in a simulation, line by line, and what should not have. */
export interface Story {
  readonly problems: readonly string[];
  tell(who: string, what: string): void;
  /** Something that is promised was not kept. */
  blame(problem: string): void;
  toString(): string;
}

/** @param now Milliseconds since the simulation began. */
export function story(now: () => number): Story {
  const lines: string[] = [];
  const problems: string[] = [];
  const write = (line: string): void => void lines.push(`${(now() / 1_000).toFixed(3).padStart(8)} s  ${line}`);
  return {
    problems,
    tell: (who, what) => write(`${who.padEnd(4)} ${what}`),
    blame(problem) {
      problems.push(problem);
      write(`!!!! ${problem}`);
    },
    toString: () => lines.join('\n'),
  };
}
