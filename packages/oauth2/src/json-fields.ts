/**
 * The members of the JSON object `text`, without a prototype, so that `__proto__` and `constructor` are members like others. Nothing for anything
 * else: HTML, an empty body, `null`, a number, a list. Parse errors quote the text, tokens included, so they end here.
 */
export function jsonFields(text: string): Record<string, unknown> {
  const fields = Object.create(null);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? Object.assign(fields, value) : fields;
  } catch {
    return fields;
  }
}
