import { redactedCause, type TokenLock, type TokenLockOptions, TokenStoreError } from '@authseam/core';
import { exclusively, expiryName } from './exclusive-work.ts';
import { holdShared, type WebLocks } from './web-locks.ts';

/**
 * A Web Lock with a time to live.
 *
 * @param prepare Done once it is held, before the caller has it.
 * @throws {TokenStoreError} when the wait is over; the signal's reason when it aborts.
 */
export function expiringLock(
  locks: WebLocks,
  name: string,
  { ttlMs, waitMs, signal }: TokenLockOptions,
  prepare: () => Promise<unknown>,
): Promise<TokenLock> {
  return new Promise((resolve, reject) => {
    const held = Promise.withResolvers<void>();
    const ended = exclusively(locks, name, { waitMs, signal }, async () => {
      const expiry = setTimeout(held.resolve, ttlMs);
      held.promise.then(() => clearTimeout(expiry));
      await holdShared(locks, expiryName(name, Date.now() + ttlMs), held.promise);
      await prepare();
      const release = async (): Promise<void> => {
        held.resolve();
        await ended.catch(() => {}); // it was taken away before
      };
      resolve({ release });
      await held.promise;
    });
    ended.catch((error: unknown) => {
      held.resolve();
      const message = `webStore: no lock within ${waitMs} ms.`;
      reject(signal?.aborted ? signal.reason : new TokenStoreError(message, { operation: 'lock', cause: redactedCause(error) }));
    });
  });
}
