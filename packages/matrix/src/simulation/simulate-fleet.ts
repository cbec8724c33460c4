import { virtualClock } from '@authseam/testing';
import { CALM, type FaultPlan } from './fault-plan.ts';
import { judgeFleet } from './judge-fleet.ts';
import { seededRandom } from './seeded-random.ts';
import { signInLog } from './sign-in-log.ts';
import { simulatedIssuer } from './simulated-issuer.ts';
import { type SimulatedProcess, type Site, simulatedProcess } from './simulated-process.ts';
import { simulatedStore } from './simulated-store.ts';
import { type Story, story } from './story.ts';
import type { World } from './world.ts';

/** Things that processes do in one story. */
const ACTS = 100;
/** By how much one clock may be wrong, in milliseconds. */
const MOST_SKEW_MS = 45_000;

/** Three processes and one session: what they do, when, and what goes wrong is up to `seed`. @returns The story, with its problems. */
export async function simulateFleet(seed: number, faults: FaultPlan): Promise<Story> {
  const startMs = 1_700_000_000_000;
  const clock = virtualClock({ startMs });
  const random = seededRandom(seed);
  const world: World = { now: clock.now, random, story: story(() => clock.now() - startMs), faults };
  const site: Site = { store: simulatedStore(world), issuer: simulatedIssuer(world), signIns: signInLog() };
  const skewMs = (2 * random() - 1) * MOST_SKEW_MS;
  const fleet = [simulatedProcess(world, site, 'A', 0), simulatedProcess(world, site, 'B', 0), simulatedProcess(world, site, 'C', skewMs)];
  const onUnhandled = (reason: unknown): void => world.story.blame(`a rejection that nobody handles: ${reason}`);
  process.on('unhandledRejection', onUnhandled);
  using _timers = clock.takeTimers();
  try {
    void fleet[0]!.signIn();
    for (let turn = 1; turn <= ACTS; turn += 1) {
      // Mostly during what was begun before, and sometimes after the token has run out.
      await clock.advance(random() < 0.8 ? random() * 200 : random() * 15_000);
      act(world, fleet[Math.floor(random() * fleet.length)]!, site.store.entry !== undefined);
    }
    world.story.tell('', 'From here on nothing goes wrong.');
    world.faults = CALM;
    await judgeFleet(world, site, fleet, clock.advance);
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
  return world.story;
}

function act({ random }: World, by: SimulatedProcess, isSignedIn: boolean): void {
  const choice = random();
  if (choice < 0.5) void by.getToken();
  else if (choice < 0.65) void by.getToken({ forceRefresh: true });
  else if (!isSignedIn || choice > 0.95) void by.signIn();
  else if (choice < 0.8) void by.rejectToken();
  else if (choice < 0.85) void by.signOut();
  else if (choice < 0.9) void signOutDuringRefresh(by, random() * 500);
  else by.restart();
}

async function signOutDuringRefresh(by: SimulatedProcess, afterMs: number): Promise<void> {
  void by.getToken({ forceRefresh: true });
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  await by.signOut();
}
