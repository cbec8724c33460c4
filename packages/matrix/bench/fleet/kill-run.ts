import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reuse } from '../../src/fixtures/rotating-server.ts';
import { atSite, type FleetSite, KEY, type StoreName } from './fleet-site.ts';
import { LONGEST_STOP_MS, type Step } from './fleet-worker.ts';

/** A {@link killRefreshing}. */
export interface KillRun {
  readonly store: StoreName;
  readonly kills: number;
  /** For how long the server answers the refresh token before the current one, in milliseconds. Default 0: it takes everything back. */
  readonly graceMs?: number;
}

/** What {@link killRefreshing} found. */
export interface KillResult {
  /** How many died at which step; `waiting`: between two refreshes, or for the lock. */
  readonly diedAt: Readonly<Record<Step | 'waiting', number>>;
  readonly refreshes: number;
  /** Refresh tokens that came twice because whoever had used them died before the new one was written. Nothing on this side can help that. */
  readonly inevitable: readonly Reuse[];
  /** Those that came twice for any other reason. */
  readonly reuses: readonly Reuse[];
  /** Spent refresh tokens that the server answered once more. */
  readonly forgiven: number;
  /** Token requests that were refused beyond those. */
  readonly refusals: number;
  /** The longest time from a kill until another process was done with a refresh, in milliseconds. */
  readonly longestRecoveryMs: number;
  /** Calls that gave up on the lock: one holder after the other died, and whoever waited was never the next. */
  readonly givenUp: number;
  /** What was not as it should be: calls that failed, entries that cannot be read, a store that does not work after the next sign-in. */
  readonly problems: readonly string[];
}

/** Milliseconds that a dead process keeps the lock for: the times to live of this run, shorter than what we start from so that it takes minutes. */
export const LOCK_TTL_MS = 3_000;
/** Of the file store: four of these without a word, and the lock is free. */
const HEARTBEAT_MS = 750;
const PROCESSES = 4;
/** Where processes are killed, in turn; `undefined`: anywhere. */
const KILL_AT: readonly (Step | undefined)[] = [undefined, 'locked', 'sent', 'answered', 'written'];
/** Of the server's tokens. */
const UUID_LENGTH = 36;
/** When nobody has refreshed for so many milliseconds after a kill, nobody will. */
const LONGEST_RUN_DRY_MS = 60_000;

/** Kills processes that refresh as often as they can, each at a random moment, and looks at whether the others go on. */
export function killRefreshing({ store, kills, graceMs = 0 }: KillRun): Promise<KillResult> {
  const run = async (site: FleetSite): Promise<KillResult> => {
    const { server } = site;
    const fleet = fleetOf(site);
    const problems: string[] = [];
    let longestRecoveryMs = 0;
    await fleet.signIn();
    for (let index = 0; index < PROCESSES; index++) fleet.add();
    await Promise.all(fleet.members.map(({ process }) => process.begun));
    for (let kill = 0; kill < kills && fleet.unexpected().length === 0; kill++) {
      const recoveryMs = await fleet.killOne(KILL_AT[kill % KILL_AT.length]);
      longestRecoveryMs = Math.max(longestRecoveryMs, recoveryMs);
      if (server.refreshToken === undefined) await fleet.signIn();
      problems.push(...(await problemsOf(site)));
    }
    const failures = await fleet.finish();
    const isGivenUp = (failure: string): boolean => /^TokenStoreError: .*15000 ms/.test(failure);
    problems.push(...failures.filter((failure) => !isGivenUp(failure)));
    const stored = (await site.store.get(KEY))?.entry.refreshToken;
    if (stored !== server.refreshToken) problems.push('the store has another refresh token than the server');
    const isOurFault = fleet.unexpected();
    return {
      diedAt: fleet.diedAt,
      refreshes: server.refreshes.length,
      inevitable: server.reuses.filter((reuse) => !isOurFault.includes(reuse)),
      reuses: isOurFault,
      forgiven: server.forgiven,
      refusals: server.refusals,
      longestRecoveryMs,
      givenUp: failures.filter(isGivenUp).length,
      problems: [...problems, ...site.problems()],
    };
  };
  return atSite(store, run, { graceMs });
}

/** What stands in the store can be read, and is whole. */
async function problemsOf({ store }: FleetSite): Promise<readonly string[]> {
  try {
    const entry = (await store.get(KEY))?.entry;
    return entry && entry.accessToken.length + (entry.refreshToken?.length ?? 0) !== 2 * UUID_LENGTH ? ['half an entry'] : [];
  } catch (error) {
    return [String(error)];
  }
}

/** A process, and how far it has come. */
interface Member {
  readonly name: string;
  readonly process: ReturnType<FleetSite['start']>;
  step: Step | undefined;
}

function fleetOf(site: FleetSite) {
  const { server } = site;
  const members: Member[] = [];
  const dead = new Map<string, Step | undefined>();
  const diedAt: Record<Step | 'waiting', number> = { waiting: 0, locked: 0, sent: 0, answered: 0, written: 0, released: 0, refused: 0 };
  let started = 0;
  /** Told of every step of those that live. */
  let onStep: ((step: Step, member: Member) => void) | undefined;

  function add(): Member {
    const name = `process ${started}`;
    const task = { task: 'refresh', name, lockTtlMs: LOCK_TTL_MS, heartbeatMs: HEARTBEAT_MS } as const;
    const onLine = (line: string): void => {
      member.step = line as Step;
      if (members.includes(member)) onStep?.(member.step, member);
    };
    const member: Member = { name, process: site.start(started, task, { onLine }), step: undefined };
    started += 1;
    members.push(member);
    return member;
  }

  /**
   * Kills the next one that comes to a step, a little later; without a step any one, at any time.
   *
   * @returns After how many milliseconds another process was done with a refresh, or had been told that the session is lost.
   */
  async function killOne(at: Step | undefined): Promise<number> {
    const member = at ? await nextAt(at) : (members[randomInt(members.length)] as Member);
    await sleep(randomInt(at ? LONGEST_STOP_MS : 100));
    members.splice(members.indexOf(member), 1);
    const startMs = performance.now();
    const recovered = new Promise<number>((resolve) => {
      onStep = (step) => {
        if (step === 'written' || (step === 'refused' && server.refreshToken === undefined)) resolve(performance.now() - startMs);
      };
      setTimeout(resolve, LONGEST_RUN_DRY_MS, Infinity).unref();
    });
    add(); // it starts while the others wait for the lock
    await member.process.kill();
    dead.set(member.name, member.step);
    diedAt[member.step === undefined || member.step === 'released' ? 'waiting' : member.step] += 1;
    return recovered;
  }

  function nextAt(at: Step): Promise<Member> {
    return new Promise((resolve) => {
      onStep = (step, member) => {
        if (step === at) resolve(member);
      };
      setTimeout(() => resolve(members[0] as Member), LONGEST_RUN_DRY_MS).unref();
    });
  }

  return {
    members,
    diedAt,
    add,
    killOne,
    /** A reuse is nobody's fault when whoever spent the token died with the new one in its hands. */
    unexpected: () => server.reuses.filter(({ spent: { by } }) => !['sent', 'answered'].includes(dead.get(by) ?? '')),
    async signIn() {
      const { lifetimeMs, ...tokenSet } = server.signIn();
      await site.store.set(KEY, { ...tokenSet, receivedAtMs: Date.now(), expiresAtMs: Date.now() + lifetimeMs });
    },
    /** Stops those that are left, in peace. @returns What failed for them. */
    async finish(): Promise<readonly string[]> {
      await Promise.all(members.map(({ process }) => process.begun));
      for (const { process } of members) process.finish();
      return (await Promise.all(members.map(({ process }) => process.result))).flatMap(({ failures }) => failures);
    },
  };
}
