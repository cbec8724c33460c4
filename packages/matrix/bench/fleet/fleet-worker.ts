// One of many processes that share a store. `fleet-site.ts` starts it with a job as its argument; it talks over IPC, and tells its steps line by line.
import { randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withAuth } from '@authseam/adapter-fetch';
import {
  type AuthEvent,
  createTokenManager,
  fromTokenSource,
  InteractionRequiredError,
  isAuthError,
  type TokenManager,
  type TokenSet,
  type TokenStore,
} from '@authseam/core';
import type { TokenAnswer } from '../../src/fixtures/rotating-server.ts';
import type { Report } from '../../src/fixtures/worker-process.ts';
import { KEY, type OpenOptions, openStore, type StorePlace } from './fleet-site.ts';

/** What a process is to do. */
export interface FleetTask extends OpenOptions {
  /**
   * `call`: call the API now and then, until it is told to stop. `refresh`: refresh over and over, dawdling at each step. `hold`: take the lock, read,
   * wait until it is told to go on, and write.
   */
  readonly task: 'call' | 'refresh' | 'hold';
  /** By which the server knows it. */
  readonly name: string;
  /** Of locks, in milliseconds. Default: what is asked for. */
  readonly lockTtlMs?: number;
}

/** What a process that is killed tells in time: the step that it has just done. `refused`: a person must sign in. */
export type Step = 'locked' | 'sent' | 'answered' | 'written' | 'released' | 'refused';

/** What came of a task. */
export interface FleetResult {
  readonly calls: number;
  readonly failures: readonly string[];
  /** How many there were of each type; of `token-store-failed` for each operation, `token-store-failed: set` say. */
  readonly events: Readonly<Record<string, number>>;
  /** Milliseconds that each lock was waited for. */
  readonly lockWaitsMs: readonly number[];
  /** Milliseconds that each call waited for a token, of those that had to. */
  readonly callWaitsMs: readonly number[];
  /** Of `hold`: what its write was answered. */
  readonly written?: string | false;
}

/** `origin`: of the token endpoint and the API. */
type Job = FleetTask & { readonly place: StorePlace; readonly origin: string };

/** Longest stop at one step of a `refresh`, in milliseconds. */
export const LONGEST_STOP_MS = 12;
/** For how long a process that is to end waits for its own refresh, in milliseconds. */
const LONGEST_REFRESH_MS = 10_000;

if (process.argv[1] === fileURLToPath(import.meta.url)) await work(JSON.parse(process.argv[2] ?? '') as Job);

async function work(job: Job): Promise<void> {
  const opened = openStore(job.place, job);
  const failures: string[] = [];
  const events: Record<string, number> = {};
  const lockWaitsMs: number[] = [];
  const callWaitsMs: number[] = [];
  let calls = 0;
  let isOver = false;
  process.on('message', () => {
    isOver = true;
  });
  process.on('disconnect', () => process.exit()); // nobody is left to work for
  let lockedAtMs = 0;
  const onLocked = (waitedMs: number): void => {
    lockedAtMs = performance.now();
    lockWaitsMs.push(Math.round(waitedMs));
  };
  const store = observed(opened.store, job, { step, onLocked });
  const tokens = createTokenManager({
    key: KEY,
    store,
    fetchToken: ({ current }) => requestToken(current?.refreshToken),
    now: () => Date.now() + (job.skewMs ?? 0),
  });
  const written = await { call, refresh, hold }[job.task](tokens);
  // A refresh in the background holds the lock: whoever left in the middle would leave it to run out.
  for (const deadlineMs = Date.now() + LONGEST_REFRESH_MS; !tokens.isSettled() && Date.now() < deadlineMs; ) await sleep(5);
  opened.close();
  const result: FleetResult = { calls, failures, events, lockWaitsMs, callWaitsMs, ...(written !== undefined && { written }) };
  process.send?.({ result } satisfies Report<FleetResult>, () => process.exit());

  async function call(source: TokenManager): Promise<undefined> {
    const onEvent = (event: AuthEvent): void => {
      const name = event.type === 'token-store-failed' ? `${event.type}: ${event.operation}` : event.type;
      events[name] = (events[name] ?? 0) + 1;
      if (event.type === 'token-awaited') callWaitsMs.push(Math.round(event.waitedMs));
    };
    const api = withAuth(fetch, fromTokenSource(source, { name: 'fleet' }), { onEvent });
    for (; !isOver; await sleep(randomInt(40, 160))) {
      calls += 1;
      try {
        const response = await api(`${job.origin}/api`);
        if (!response.ok) failures.push(`${response.status}`);
      } catch (error) {
        failures.push(String(error));
      }
      if (calls === 1) begin();
    }
  }

  async function refresh(source: TokenManager): Promise<undefined> {
    for (; !isOver; await sleep(randomInt(LONGEST_STOP_MS))) {
      calls += 1;
      try {
        await source.getToken({ forceRefresh: true });
      } catch (error) {
        if (isAuthError(error, 'INTERACTION_REQUIRED')) await step('refused');
        else failures.push(String(error));
      }
      if (calls === 1) begin();
    }
  }

  async function hold(): Promise<string | false> {
    const lock = await opened.store.lock(KEY, { ttlMs: job.lockTtlMs ?? 30_000, waitMs: 15_000 });
    const found = await opened.store.get(KEY);
    begin();
    while (!isOver) await sleep(5);
    const version = await opened.store.set(KEY, { accessToken: 'late', tokenType: 'Bearer' }, { ifVersion: found?.version ?? null });
    await lock.release();
    return version;
  }

  function begin(): void {
    process.send?.('begun' satisfies Report<FleetResult>);
  }

  /** Said before anything else happens: whoever reads it knows how far a process had come that is no more. */
  async function step(name: Step): Promise<void> {
    if (job.task !== 'refresh') return;
    writeSync(1, `${name}\n`);
    await sleep(randomInt(LONGEST_STOP_MS));
  }

  async function requestToken(refreshToken: string | undefined): Promise<TokenSet> {
    if (refreshToken === undefined) throw new InteractionRequiredError('nobody is signed in');
    await step('sent');
    const headers = { 'x-process': job.name, 'x-held-ms': (performance.now() - lockedAtMs).toFixed(0) };
    const response = await fetch(`${job.origin}/token`, { method: 'POST', body: refreshToken, headers });
    if (!response.ok) throw new InteractionRequiredError('invalid_grant');
    const { lifetimeMs, ...tokenSet } = (await response.json()) as TokenAnswer;
    await step('answered');
    return { ...tokenSet, expiresAtMs: Date.now() + (job.skewMs ?? 0) + lifetimeMs };
  }
}

/** The store, with locks that live as long as the job says. */
function observed(
  store: Required<TokenStore>,
  { lockTtlMs }: Job,
  told: { readonly step: (name: Step) => Promise<void>; readonly onLocked: (waitedMs: number) => void },
): Required<TokenStore> {
  return {
    ...store,
    async set(...args) {
      const version = await store.set(...args);
      if (version !== false) await told.step('written');
      return version;
    },
    async lock(key, options) {
      const startMs = performance.now();
      const lock = await store.lock(key, { ...options, ...(lockTtlMs !== undefined && { ttlMs: lockTtlMs }) });
      told.onLocked(performance.now() - startMs);
      await told.step('locked');
      return {
        async release() {
          await lock.release();
          await told.step('released');
        },
      };
    },
  };
}
