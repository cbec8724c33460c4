import { describe, expect, it, vi } from 'vitest';
import { readBounded } from './read-bounded.ts';

/** A body of `chunks`, endless if `endless`, that tells whether it was cancelled and how much was asked of it. */
function body(chunks: readonly number[][], { endless = false, fails }: { endless?: boolean; fails?: Error } = {}) {
  const cancelled = vi.fn();
  let pulls = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[endless ? 0 : pulls];
        pulls += 1;
        if (chunk) controller.enqueue(Uint8Array.from(chunk));
        else if (fails) controller.error(fails);
        else controller.close();
      },
      cancel: cancelled,
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled, pulls: () => pulls };
}

describe('readBounded', () => {
  it.each([
    ['nothing', [], 4, [], false],
    ['less than the limit', [[1], [2, 3]], 4, [1, 2, 3], false],
    [
      'exactly the limit',
      [
        [1, 2],
        [3, 4],
      ],
      4,
      [1, 2, 3, 4],
      false,
    ],
    ['one byte more', [[1, 2], [3, 4], [5]], 4, [1, 2, 3, 4], true],
    ['more, in one chunk', [[1, 2, 3, 4, 5, 6]], 4, [1, 2, 3, 4], true],
    [
      'more, in the middle of a chunk',
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      4,
      [1, 2, 3, 4],
      true,
    ],
    ['empty chunks', [[], [1], []], 4, [1], false],
    ['anything, with a limit of 0', [[1]], 0, [], true],
  ])('reads %s', async (_name, chunks, limit, bytes, truncated) => {
    const { stream, cancelled } = body(chunks);
    expect(await readBounded(stream, limit)).toEqual({ bytes: Uint8Array.from(bytes), truncated });
    expect(cancelled).toHaveBeenCalledTimes(truncated ? 1 : 0);
  });

  it('takes no body for an empty one', async () => {
    expect(await readBounded(null, 4)).toEqual({ bytes: new Uint8Array(0), truncated: false });
  });

  it('stops an endless body right after the limit', async () => {
    const { stream, cancelled, pulls } = body([[1, 2, 3]], { endless: true });
    expect(await readBounded(stream, 10)).toMatchObject({ truncated: true });
    expect(cancelled).toHaveBeenCalledOnce();
    expect(pulls()).toBe(4);
  });

  it('fails as the body fails', async () => {
    const reset = new Error('reset');
    await expect(readBounded(body([[1]], { fails: reset }).stream, 4)).rejects.toBe(reset);
  });

  it('does not mind a cancellation that fails', async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Uint8Array.of(1, 2)),
      cancel: () => Promise.reject(new Error('no')),
    });
    expect(await readBounded(stream, 1)).toEqual({ bytes: Uint8Array.of(1), truncated: true });
  });
});
