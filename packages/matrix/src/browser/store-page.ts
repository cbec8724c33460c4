// What the tabs of store-web-chromium.test.ts load. A test says what a tab does in `page.evaluate`, with what stands here under `tab`.
import { createTokenManager, isAuthError, type TokenLock } from '@authseam/core';
import { webStore } from '@authseam/store-web';
import { storeCases } from '@authseam/testing/conformance';

/** What became of every conformance case: `undefined`, or what it expected. */
async function conformance(): Promise<Record<string, string | undefined>> {
  const outcomes: Record<string, string | undefined> = {};
  for (const { name, run } of storeCases) {
    const area = crypto.randomUUID();
    const open = () => webStore({ storage: localStorage, name: area });
    outcomes[name] = await run({ name: 'webStore', create: () => ({ store: open(), reopen: open }) }).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    localStorage.clear();
  }
  return outcomes;
}

/** Adds 1 to a number in the store, `times` times, each time under its lock or by comparing versions. */
async function count(name: string, times: number, by: 'lock' | 'version'): Promise<void> {
  const store = webStore({ storage: localStorage, name });
  const add = async (): Promise<boolean> => {
    const found = await store.get('count');
    const sum = String(Number(found?.entry.accessToken ?? '0') + 1);
    const isOnly = by === 'version' ? { ifVersion: found?.version ?? null } : {};
    return (await store.set('count', { accessToken: sum, tokenType: 'Bearer' }, isOnly)) !== false;
  };
  for (let done = 0; done < times; ) {
    if (by === 'version') {
      if (await add()) done++;
      continue;
    }
    const lock = await store.lock('count', { ttlMs: 30_000, waitMs: 30_000 });
    await add();
    await lock.release();
    done++;
  }
}

/** What an operation failed with. */
async function failureOf(work: PromiseLike<unknown>): Promise<{ readonly code: unknown; readonly option: unknown; readonly text: string }> {
  const error = await Promise.resolve(work).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const { option } = (error ?? {}) as { option?: unknown };
  return { code: isAuthError(error) && error.code, option, text: `${error} ${(error as Error | undefined)?.cause}` };
}

const tools = { webStore, createTokenManager, conformance, count, failureOf, locks: new Map<string, TokenLock>() };

declare global {
  var tab: typeof tools;
}
globalThis.tab = tools;
