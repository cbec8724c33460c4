/**
 * What can be read of an error without looking for it: its texts, its JSON, and what a console prints of it, however deep. Hidden properties that no
 * console shows are left out: clients keep the request there, which carries the credential by its nature.
 */
export async function printed(error: unknown): Promise<string> {
  const { inspect } = await import('node:util');
  const { name, message, stack, cause } = (error ?? {}) as { name?: unknown; message?: unknown; stack?: unknown; cause?: unknown };
  const texts = [String(error), name, message, stack, json(error), inspect(error, { depth: Infinity, maxStringLength: Infinity })];
  return [...texts, ...(cause === undefined || cause === error ? [] : [await printed(cause)])].map(String).join('\n');
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch (error) {
    return String(error);
  }
}
