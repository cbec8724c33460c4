import { TokenStoreError } from './auth-error.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenLock, TokenLockOptions, TokenStore } from './token-store.ts';
import { LONGEST_TIMER_MS, waitFor } from './wait-for.ts';

/**
 * A store in memory: several strategies of one process share their tokens through it, and one refresh. Gone with the process.
 *
 * @example
 * ```ts
 * import { memoryStore } from '@authseam/core';
 *
 * const store = memoryStore();
 * await store.set('key', { accessToken: 'example', tokenType: 'Bearer' });
 * ```
 */
export function memoryStore(): Required<TokenStore> {
  const entries = new Map<string, { readonly entry: TokenSet; readonly version: string }>();
  const queues = new Map<string, Promise<void>>();
  let writes = 0;

  async function lock(key: string, { ttlMs, waitMs, signal }: TokenLockOptions): Promise<TokenLock> {
    const before = queues.get(key) ?? Promise.resolve();
    let finish = (): void => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const queue = before.then(() => held);
    queues.set(key, queue);
    // Forgotten only when all before it are done as well: one who gives up waiting must not open the way past the holder.
    queue.then(() => {
      if (queues.get(key) === queue) queues.delete(key);
    });
    const timeoutError = (): Error => new TokenStoreError(`memoryStore: no lock within ${waitMs} ms.`, { operation: 'lock' });
    try {
      await waitFor(before, { signal, timeoutMs: waitMs, timeoutError });
    } catch (error) {
      finish();
      throw error;
    }
    const expiry = setTimeout(finish, Math.min(ttlMs, LONGEST_TIMER_MS)) as unknown as { unref?: () => void };
    expiry.unref?.();
    return {
      release: async () => {
        clearTimeout(expiry as unknown as number);
        finish();
      },
    };
  }

  return Object.freeze({
    get: (key: string) => entries.get(key),
    set(key: string, entry: TokenSet, { ifVersion }: { readonly ifVersion?: string | null } = {}) {
      if (ifVersion !== undefined && ifVersion !== (entries.get(key)?.version ?? null)) return false;
      const version = String(++writes);
      entries.set(key, Object.freeze({ entry: Object.freeze({ ...entry }), version }));
      return version;
    },
    delete(key: string, { ifVersion }: { readonly ifVersion?: string } = {}) {
      if (ifVersion !== undefined && ifVersion !== entries.get(key)?.version) return false;
      return entries.delete(key);
    },
    lock,
  });
}
