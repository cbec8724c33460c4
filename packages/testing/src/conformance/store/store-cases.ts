import type { ConformanceCase } from '../conformance-case.ts';
import { entryCases } from './entry-cases.ts';
import { lockCases } from './lock-cases.ts';
import type { StoreSubject } from './store-subject.ts';

/**
 * What every token store has to do. These cases use nothing of Node, and clocks of no kind but real time: the slowest takes less than two seconds. A process
 * lives while one runs.
 *
 * @example
 * ```ts
 * import { memoryStore } from '@authseam/core';
 * import { storeCases, type StoreSubject } from '@authseam/testing/conformance';
 *
 * const subject: StoreSubject = { name: 'mine', cannot: { reopening: 'it is in memory' }, create: () => ({ store: memoryStore() }) };
 * for (const { run, skip } of storeCases) if (!skip?.(subject)) await run(subject);
 * ```
 */
export const storeCases: readonly ConformanceCase<StoreSubject>[] = Object.freeze([...entryCases, ...lockCases]);
