/** Whether `body` is read by sending it: streams, async iterables, and what pipes, as the form-data package does. Anything else can be sent again. */
export function isOneShot(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body || 'pipe' in body);
}
