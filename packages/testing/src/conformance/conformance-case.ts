/**
 * One thing that every subject of a kind has to do, as data: loop over the cases with whatever test runner there is.
 *
 * @example
 * ```ts
 * import { storeCases, type StoreSubject } from '@authseam/testing/conformance';
 *
 * export async function hold(subject: StoreSubject) {
 *   for (const { run, skip } of storeCases) if (!skip?.(subject)) await run(subject);
 * }
 * ```
 */
export interface ConformanceCase<Subject> {
  /** Reads as a sentence about the subject. */
  readonly name: string;
  /** @throws {ConformanceError} that says what was expected and what came, without a secret. */
  run(subject: Subject): Promise<void>;
  /** Why this case says nothing about the subject; `undefined` where it does. */
  skip?(subject: Subject): string | undefined;
}
