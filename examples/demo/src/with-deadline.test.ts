import { expect, test } from 'vitest';
import { withDeadline } from './with-deadline.ts';

test('waits no longer than the deadline for work that never ends', async () => {
  await expect(withDeadline(() => new Promise(() => {}), 20)).rejects.toThrow('no answer within 0.02 seconds');
});

test('passes on what the work yields, or throws', async () => {
  expect(await withDeadline(async () => 'done')).toBe('done');
  await expect(withDeadline(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});
