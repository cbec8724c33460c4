/**
 * The first `limit` bytes of `body`; the rest is cancelled, so that a hostile answer can neither fill memory nor hold a socket.
 *
 * @param signal Ends the reading early, with what has come until then.
 * @returns The bytes, and whether there were more.
 */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
  signal?: AbortSignal,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body?.getReader();
  // Nobody reads on after a cancellation: how it ends is of no interest.
  const cancel = (): void => void reader?.cancel().catch(() => {});
  signal?.addEventListener('abort', cancel, { once: true });
  while (reader && size <= limit) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.byteLength;
  }
  const truncated = size > limit;
  signal?.removeEventListener('abort', cancel);
  if (truncated) cancel();
  const bytes = new Uint8Array(Math.min(size, limit));
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, limit - filled), filled);
    filled += Math.min(chunk.byteLength, limit - filled);
  }
  return { bytes, truncated };
}
