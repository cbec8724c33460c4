import type { TokenSet } from '@authseam/core';
import { sessionOf } from './simulated-issuer.ts';
import type { SimulatedProcess, Site } from './simulated-process.ts';
import type { World } from './world.ts';

type Fleet = readonly SimulatedProcess[];
type Advance = (ms: number) => Promise<void>;

/** By then every call has ended, every lock has run out, and no token that was at hand is valid. */
const QUIET_MS = 200_000;

/** What has to hold at the end of a story, now that nothing goes wrong any more. */
export async function judgeFleet(world: World, site: Site, fleet: Fleet, advance: Advance): Promise<void> {
  await advance(QUIET_MS);
  judgeQuiet(world, site, fleet);
  await judgeAgreement(world, site, fleet, advance);
  await judgeSignOut(world, site, fleet, advance);
}

/** Nobody waits, nothing is locked, and who stands in the store has not been signed out or replaced. */
function judgeQuiet({ story }: World, { store, signIns }: Site, fleet: Fleet): void {
  for (const call of fleet.flatMap(({ underWay }) => underWay)) story.blame(`${call} has not ended`);
  if (store.lockedBy) story.blame(`${store.lockedBy} still has the lock`);
  const { accessToken } = store.entry ?? {};
  if (accessToken && signIns.isOverruled(sessionOf(accessToken))) story.blame(`${accessToken} is in the store, and over`);
}

/** A session that is in the store serves everybody; where there is none everybody has to sign in. */
async function judgeAgreement(world: World, { store }: Site, fleet: Fleet, advance: Advance): Promise<void> {
  await askAll(world, fleet, advance); // who could not delete an entry makes up for it
  const stored = store.entry && sessionOf(store.entry.accessToken);
  const sessions = (await askAll(world, fleet, advance)).map((set) => set && sessionOf(set.accessToken));
  if (sessions.some((session) => session !== stored)) world.story.blame(`the store has ${stored}, the processes ${sessions.join(', ')}`);
}

/** Whatever the others do meanwhile: when one has signed out nothing is left, and nobody gets a token any more. */
async function judgeSignOut(world: World, { store }: Site, fleet: Fleet, advance: Advance): Promise<void> {
  const { random, story } = world;
  void fleet[1]!.signIn();
  await advance(1_000);
  for (const one of fleet) void one.getToken({ forceRefresh: true });
  await advance(random() * 500);
  void fleet[0]!.signOut();
  await advance(QUIET_MS);
  if (store.entry) story.blame(`${store.entry.accessToken} is in the store after the sign-out`);
  for (const set of await askAll(world, fleet, advance)) if (set) story.blame(`${set.accessToken} was handed out after the sign-out`);
}

/** The token that each process is given. */
async function askAll({ story }: World, fleet: Fleet, advance: Advance): Promise<readonly (TokenSet | undefined)[]> {
  const answers = new Map<SimulatedProcess, TokenSet | undefined>();
  for (const one of fleet) void one.getToken().then((set) => answers.set(one, set));
  await advance(QUIET_MS);
  for (const call of fleet.flatMap(({ underWay }) => underWay)) story.blame(`${call} has not ended`);
  return fleet.map((one) => answers.get(one));
}
