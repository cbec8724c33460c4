import type { FaultPlan } from './fault-plan.ts';
import type { Story } from './story.ts';

/** What everything in a simulation shares. */
export interface World {
  /** The true time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). All chance comes from here: the same seed, the same story. */
  readonly random: () => number;
  readonly story: Story;
  faults: FaultPlan;
}

/** A process from its start to its end. */
export interface Life {
  /** `A2` is process A, started for the second time. */
  readonly name: string;
  isOver: boolean;
}

/** Time passes for a process. One that has ended meanwhile never wakes up. */
export async function pause(life: Life, ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (life.isOver) await new Promise(() => {});
}
