/** What the store needs of the Web Locks API: `navigator.locks` fits. */
export interface WebLocks {
  request(name: string, options: WebLockRequest, work: (lock: unknown) => unknown): Promise<unknown>;
  query(): Promise<{ readonly held?: readonly HeldWebLock[] }>;
}

/** How a lock is asked for (Web Locks API §3.2.2). */
export interface WebLockRequest {
  readonly mode?: 'exclusive' | 'shared';
  readonly ifAvailable?: boolean;
  readonly steal?: boolean;
  readonly signal?: AbortSignal;
}

/** A lock that somebody holds. */
export interface HeldWebLock {
  readonly name?: string;
  /** The page that holds it. */
  readonly clientId?: string;
}

/** Holds a lock beside others until `done` settles. Resolves once it is held. */
export function holdShared(locks: WebLocks, name: string, done: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<unknown> => {
      resolve();
      return done;
    };
    locks.request(name, { mode: 'shared' }, hold).catch(reject); // who loses it later has nothing to tell anybody
  });
}

/** Takes a lock away from whoever holds it; the next in line gets it. */
export async function putOut(locks: WebLocks, name: string): Promise<void> {
  await locks.request(name, { steal: true }, () => {});
}
