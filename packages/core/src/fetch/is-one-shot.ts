/** Whether `body` is read by sending it: streams and async iterables. Anything else can be sent again. */
export function isOneShot(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);
}
