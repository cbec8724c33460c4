/** A subject that does not conform. */
export class ConformanceError extends Error {
  override readonly name: string = 'ConformanceError';
}

/** @throws {ConformanceError} unless `condition` holds. */
export function expectThat(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new ConformanceError(`Expected: ${expected}.`);
}

/** @throws {ConformanceError} unless both show alike: plain data, bytes and errors are compared by what they hold. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [came, wanted] = [shown(actual), shown(expected)];
  if (came !== wanted) throw new ConformanceError(`${what}: expected ${cut(wanted)}, got ${cut(came)}.`);
}

/** What `work` rejects with. @throws {ConformanceError} when it does not reject. */
export async function rejectionOf(work: PromiseLike<unknown>, what: string): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new ConformanceError(`${what}: expected a rejection, got an answer.`);
}

/** Waits until `condition` holds. @throws {ConformanceError} after `withinMs`, in milliseconds. */
export async function until(condition: () => boolean, expected: string, withinMs = 5_000): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new ConformanceError(`Expected within ${withinMs} ms: ${expected}.`);
    await pause(2);
  }
}

/** What `work` comes to. @throws {ConformanceError} when it takes longer than `withinMs`, in milliseconds. */
export async function soon<T>(work: PromiseLike<T>, what: string, withinMs = 5_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConformanceError(`${what}: nothing within ${withinMs} ms.`)), withinMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function shown(value: unknown): string {
  if (ArrayBuffer.isView(value)) return bytesText(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${key}: ${shown((value as Record<string, unknown>)[key])}`).join(', ')}}`;
}

function bytesText(bytes: Uint8Array): string {
  return `bytes ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function cut(text: string): string {
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
