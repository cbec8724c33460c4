export type { HeldWebLock, WebLockRequest, WebLocks } from './web-locks.ts';
export { type WebStorage, type WebStoreOptions, webStore } from './web-store.ts';
