import type { Client, ClientContender, LineUp } from './client-contender.ts';
import { liveBytes } from './heap.ts';

/** Whether instances share one strategy, or one cached token, or have one each. */
export type Sharing = 'shared' | 'own';

/** Bytes that stay on the heap for each of `count` instances that have sent one request. To be run in a process of its own. */
export async function bytesPerInstance<Init>(
  contender: ClientContender<Init>,
  lineUp: LineUp<Init>,
  sharing: Sharing,
  count: number,
): Promise<number> {
  await instances(contender, lineUp, sharing, 500); // what the first ones compile and cache is not theirs
  const before = await liveBytes();
  const kept = await instances(contender, lineUp, sharing, count);
  const after = await liveBytes();
  return (after - before) / kept.length;
}

async function instances<Init>(
  { setup }: ClientContender<Init>,
  { requests }: LineUp<Init>,
  sharing: Sharing,
  count: number,
): Promise<readonly Client<Init>[]> {
  const kept: Client<Init>[] = [];
  const create = await setup();
  for (let made = 0; made < count; made += 1) {
    const instance = (sharing === 'shared' ? create : await setup())();
    await instance(...requests.GET);
    kept.push(instance);
  }
  return kept;
}
