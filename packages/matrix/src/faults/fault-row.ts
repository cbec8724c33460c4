import type { World } from './world.ts';

/** One way in which something goes wrong, and what has to come of it. */
export interface FaultRow {
  /** Its number in the list of faults of the reliability document, or the section of it that the row is from. */
  readonly fault: number | 'protocols' | 'refreshing' | 'sharing' | 'secrets';
  readonly title: string;
  /** Why it says nothing here. */
  readonly skip?: () => string | undefined;
  /**
   * Rejects where the behaviour is wrong. Secrets are planted in `world`, clients and servers come from it: what they show is searched after each row, and
   * faults that were injected must have happened.
   */
  readonly run: (world: World) => Promise<void>;
}
