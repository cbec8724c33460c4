import type { Contender } from '../contender.ts';
import { nullFetch } from '../null-transport.ts';

/** No credential at all: the null transport itself. */
export const bareFetch: Contender = {
  name: 'bare fetch',
  role: 'reference',
  setup: async () => nullFetch,
};
