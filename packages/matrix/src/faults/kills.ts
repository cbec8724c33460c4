// kill -9 at each step of a refresh, over files. At random moments, and many times: store-file-processes.test.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { fileStore } from '@authseam/store-file';
import { type HostileServer, tokenFaults } from '@authseam/testing';
import { expect } from 'vitest';
import type { FaultRow } from './fault-row.ts';
import { type RefreshJob, STORE, type Step } from './refresh-worker.ts';
import { soon } from './soon.ts';
import type { World } from './world.ts';

/** Ends a process while it refreshes: once it says that it is at `step`, or once its request has arrived and is not answered. */
async function killedAt(step: Step | 'sent', job: Omit<RefreshJob, 'stopAt'>, server: HostileServer, world: World): Promise<void> {
  if (step === 'sent') server.inject(tokenFaults.neverArrives);
  const script = fileURLToPath(new URL('./refresh-worker.ts', import.meta.url));
  const argument = JSON.stringify({ ...job, stopAt: step === 'sent' ? undefined : step } satisfies RefreshJob);
  const child = spawn(process.execPath, ['--conditions=@authseam/source', script, argument], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => world.show('output of a process', `${chunk}`));
  const isThere = step === 'sent' ? soon(() => server.refreshes).toBe(1) : once(child, 'message');
  const ended = once(child, 'exit');
  await Promise.race([isThere, ended.then(() => Promise.reject(new Error(`It ended before ${step}.`)))]);
  child.kill('SIGKILL');
  await ended;
}

/** What who comes next finds: everything, a session that is over, or a newer token. */
const outcomes: readonly (readonly [Step | 'sent', grace: 'no grace' | 'grace', 'refreshed' | 'over' | 'adopted', requests: number])[] = [
  ['locked', 'no grace', 'refreshed', 1],
  ['sent', 'no grace', 'refreshed', 2],
  ['received', 'no grace', 'over', 2],
  ['received', 'grace', 'refreshed', 2],
  ['written', 'no grace', 'adopted', 1],
];

export const killRows: readonly FaultRow[] = outcomes.map(
  ([step, grace, outcome, requests]): FaultRow => ({
    fault: 42,
    title: `kill -9 of who refreshes (${step}), at a server with ${grace}: ${outcome}, as soon as its lock is free, and no corrupt store`,
    skip: () => (process.platform === 'win32' ? 'needs signals' : undefined),
    async run(world) {
      const server = await world.hostile(grace === 'grace' ? { graceSeconds: 60 } : {});
      const directory = world.directory();
      const auth = world.authorizationCode(server, { store: fileStore({ directory, ...STORE }), storeKey: 'users' });
      const before = await world.signIn(auth);
      const { issuer, clientId, clientSecret } = server;
      await killedAt(step, { directory, issuer, clientId, clientSecret }, server, world);
      const startedAtMs = performance.now();
      const next = world.authorizationCode(server, { store: fileStore({ directory, ...STORE }), storeKey: 'users' });
      await next.getToken();
      const fresh = () => next.getToken({ forceRefresh: outcome !== 'adopted' });
      if (outcome === 'over') {
        for (let round = 0; round < 2; round++) expect(await world.failureOf(fresh)).toMatchObject({ code: 'INTERACTION_REQUIRED' });
        await world.signIn(next);
      } else expect((await fresh()).accessToken).not.toBe(before.accessToken);
      expect(performance.now() - startedAtMs).toBeLessThan(10_000); // its lock would live for 30 s
      expect([server.refreshes, server.familyRevoked]).toEqual([requests, outcome === 'over']);
      expect(await world.attach(next)(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
    },
  }),
);
