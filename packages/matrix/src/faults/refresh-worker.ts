// A process that refreshes a session, and says how far it has come. `kills.ts` starts it with a job as its argument, and ends it there.
import { fileURLToPath } from 'node:url';
import { authorizationCode } from '@authseam/auth-authcode';
import type { TokenStore } from '@authseam/core';
import { fileStore } from '@authseam/store-file';

/** How far a refresh is: before anything is sent, after the answer was read, after it was written. */
export type Step = 'locked' | 'received' | 'written';

/** What it is to refresh, and where it stops. */
export interface RefreshJob {
  readonly directory: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** `undefined`: nowhere. */
  readonly stopAt: Step | undefined;
}

/** Options of the store: a lock whose holder is dead is free after four of these. */
export const STORE = { heartbeatMs: 50 } as const;

if (process.argv[1] === fileURLToPath(import.meta.url)) await work(JSON.parse(process.argv[2] ?? '') as RefreshJob);

async function work({ directory, issuer, clientId, clientSecret, stopAt }: RefreshJob): Promise<void> {
  /** Says that it is there, and goes no further. */
  async function at(step: Step): Promise<void> {
    if (step !== stopAt) return;
    process.send?.(step);
    await new Promise(() => setInterval(() => undefined, 1_000));
  }
  const files = fileStore({ directory, ...STORE });
  const store: TokenStore = {
    ...files,
    async lock(key, options) {
      const lock = await files.lock(key, options);
      await at('locked');
      return lock;
    },
    async set(key, entry, options) {
      const version = await files.set(key, entry, options);
      await at('written');
      return version;
    },
  };
  const auth = authorizationCode({
    issuer,
    clientId,
    clientSecret,
    redirectUri: 'https://app.example/callback',
    store,
    storeKey: 'users',
    async fetch(url, init) {
      const response = await fetch(url, init);
      const text = await response.text();
      if (init.method === 'POST') await at('received');
      return new Response(text, response);
    },
  });
  await auth.getToken(); // from the store; it is the next one that is a refresh
  await auth.getToken({ forceRefresh: true });
  process.disconnect?.();
}
