import { memoryStore } from '@authseam/core';
import type { StoreSubject } from '@authseam/testing/conformance';
import { fileStoreSubject } from './fixtures/store-file-subject.ts';
import { redisStoreSubjects } from './fixtures/store-redis-subject.ts';
import { webStoreSubject } from './fixtures/store-web-subject.ts';

/** Every store. Adding one is a line here. */
export const stores: readonly StoreSubject[] = [
  { name: 'memoryStore', create: () => ({ store: memoryStore() }), cannot: { reopening: 'it serves one process' } },
  webStoreSubject,
  fileStoreSubject(),
  ...redisStoreSubjects,
];
