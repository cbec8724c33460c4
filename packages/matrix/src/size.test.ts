import { expect, it } from 'vitest';
import { measureSize, sizeEntries } from '../bench/bundle-size.ts';

it.each(sizeEntries)('$name fits into $limit bytes, minified and gzipped', async (entry) => {
  const { initial, limit, modules } = await measureSize(entry);
  const heaviest = modules.slice(0, 5).map(({ path, bytes }) => `${path} ${bytes}`);
  expect(initial, `heaviest: ${heaviest.join(', ')}`).toBeLessThanOrEqual(limit);
});
